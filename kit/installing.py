"""The git hook that proposes messages: put in a repository, and taken out again.

::

    >>> install(Path("~/src/app").expanduser(), run.folder / "export", force=False).path
    PosixPath('/home/ann/src/app/.git/hooks/prepare-commit-msg')

The hook is a script of a few lines. It calls the Python that installed it, apart from whatever the
repository or the environment would put before its modules, on ``kit.hook`` and the export's folder.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from kit.errors import InputError, RunError
from kit.files import write_atomically
from kit.inference import DEFAULT_FILE

HOOK = "prepare-commit-msg"
KEPT = f"{HOOK}.before-kit"
MARK = "written by `kit hook install`"
_PROGRAM = """\
import sys
sys.path.append(sys.argv.pop(1))
try:
    from kit.hook import main
except ImportError as error:
    sys.exit(f"kit: no message proposed: {error}; `kit hook install` mends it")
main(sys.argv[1:])
"""
_SCRIPT = """\
#!/bin/sh
# Proposes a message for a commit: {mark}, taken out by `kit hook uninstall`.
# It stops no commit: what goes wrong is one line on stderr.
python={python}
export={export}
if [ -x "$python" ]; then
    "$python" -I -c {program} {package} "$export" "$@"
else
    echo "kit: no message proposed: no Python at $python; \\`kit hook install\\` mends it" >&2
fi
exit 0
"""
_OF_ANOTHER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")


@dataclass(frozen=True)
class Hook:
    """Where the hook stands, and the folder of the model that it asks, None once it is removed.

    ``other`` is where somebody else's hook now lies: kept beside, or back in its place. ``shared``
    says that ``core.hooksPath`` puts the hook outside of the repository's own folder.
    """

    path: Path
    export: Path | None
    other: Path | None
    shared: bool


def install(repository: Path, export: Path, force: bool) -> Hook:
    """Write the hook, which asks the model in ``export``; one of kit's own is replaced.

    Args:
        repository: the folder of a work tree, or one in it; a linked one too.
        export: the folder of an exported generator.
        force: keep somebody else's hook beside, as ``prepare-commit-msg.before-kit``, and take
            its place.

    Raises:
        InputError: no repository, a hook that is not kit's, or a folder that cannot be written.
        RunError: the export is not whole.
    """
    for name in (DEFAULT_FILE, "generation.json", "tokenizer.json"):
        if not (export / name).is_file():
            raise RunError(f"expected {name} in {export}, found none; `kit export` writes it")
    hook, shared = _place(repository)
    kept = None
    if os.path.lexists(hook) and not _ours(hook):
        kept = hook.with_name(KEPT)
        _may_take(hook, kept, force)
        _move(hook, kept)
    try:
        write_atomically(hook, _script(export.absolute()))
    except InputError:
        if kept:
            _move(kept, hook)
        raise
    hook.chmod(0o755)
    return Hook(hook, export, kept, shared)


def uninstall(repository: Path) -> Hook:
    """Remove kit's hook, and put back the one that it had taken the place of.

    Raises:
        InputError: no repository, or no hook of kit's in it.
    """
    hook, shared = _place(repository)
    if not _ours(hook):
        what = "somebody else's" if os.path.lexists(hook) else "none"
        raise InputError(f"expected a hook of kit at {hook}, found {what}; nothing was removed")
    kept = hook.with_name(KEPT)
    if os.path.lexists(kept):
        _move(kept, hook)
        return Hook(hook, None, hook, shared)
    hook.unlink()
    return Hook(hook, None, None, shared)


def _place(repository: Path) -> tuple[Path, bool]:
    """Return where the hook belongs, and whether that is outside of the repository's own folder."""
    if not repository.is_dir():
        raise InputError(f"expected a folder at {repository}, found none; mend --repo")
    top = Path(_asked(repository, "--show-toplevel"))
    # git runs a hook from the top of the work tree, where a relative core.hooksPath begins.
    hooks = top / _asked(top, "--git-path", "hooks")
    own = top / _asked(top, "--git-common-dir")
    return hooks / HOOK, hooks.resolve() != (own / "hooks").resolve()


def _asked(folder: Path, *question: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise InputError("expected git on the PATH, found none; install it and try again")
    done = subprocess.run(
        [git, "-C", str(folder), "rev-parse", *question],
        env={name: value for name, value in os.environ.items() if name not in _OF_ANOTHER},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = os.fsdecode(done.stderr).strip().partition("\n")[0]
        raise InputError(
            f"expected the work tree of a git repository at {folder}, git says: {said}; mend --repo"
        )
    return os.fsdecode(done.stdout).removesuffix("\n")


def _ours(hook: Path) -> bool:
    try:
        return MARK.encode() in hook.read_bytes()
    except OSError:
        return False


def _may_take(hook: Path, kept: Path, force: bool) -> None:
    if not force:
        raise InputError(
            f"{hook} is a hook that kit did not write and leaves alone; "
            f"--force keeps it as {KEPT} and takes its place"
        )
    if os.path.lexists(kept):
        raise InputError(f"expected no file at {kept}, found one; move it away, it is kept nowhere")


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        raise InputError(f"cannot move {source} to {target}: {error.strerror}") from error


def _script(export: Path) -> bytes:
    package = Path(__file__).parents[1]
    return os.fsencode(
        _SCRIPT.format(
            mark=MARK,
            python=shlex.quote(sys.executable),
            export=shlex.quote(str(export)),
            program=shlex.quote(_PROGRAM),
            package=shlex.quote(str(package)),
        )
    )
