"""The hook of ``git commit``: proposes a message for what is staged, and is never in the way.

git calls it by the script that ``kit hook install`` writes, with the file of the message and where
that message comes from::

    $ python -m kit.hook runs/commit_messages/starter-1f0c9a2b/export .git/COMMIT_EDITMSG
    $ head -n 3 .git/COMMIT_EDITMSG
    fix(cache): retry when a key is locked
    # or: feat(cache): retry when a key is locked
    # or: fix(store): wait for a locked key

It starts fast: the model is loaded only when there is something to say, by onnxruntime, tokenizers
and numpy alone. What goes wrong is one line on stderr, and the commit goes on without a proposal.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Timer

FRESH = ("", "template")
PROPOSALS = 3
MOST_BYTES = 2 * 2**20
SECONDS = 20.0
GIT_SECONDS = 5.0
SMALL_MODEL = 64 * 2**20

_SETTINGS = (
    f"core.attributesFile={os.devnull}",
    f"core.bigFileThreshold={MOST_BYTES}",
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.quotePath=false",
    "diff.suppressBlankEmpty=false",
    "protocol.allow=never",
)
_DIFF = (
    *("diff", "--cached", "-p", "-U3", "-M", "-l300", "--full-index", "--no-color"),
    *("--no-ext-diff", "--no-textconv", "--no-relative", "--submodule=short"),
    *("--diff-algorithm=myers", "--indent-heuristic", "--inter-hunk-context=0"),
    *("--src-prefix=a/", "--dst-prefix=b/", f"-O{os.devnull}"),
)
_ISOLATED = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
_DROPPED = re.compile(r"GIT_(CONFIG.*|TRACE.*|EXTERNAL_DIFF|DIFF_OPTS|PAGER.*|.*SSH.*|ASKPASS)")
_ASKED = r"^(core\.comment(char|string)|commit\.cleanup)$"
_AUTOMATIC = "#;@!$%^&|:"
_MARK_ALONE = re.compile(rf"^[{re.escape(_AUTOMATIC)}]$", re.MULTILINE)


def main(arguments: Sequence[str]) -> None:
    """Propose a message, in ``SECONDS`` or not at all; a failure is one line on stderr.

    Args:
        arguments: the export's folder, then what git gives: the file of the message, where that
            comes from (``FRESH`` sources only are answered), and a commit.
    """
    # A thread that computes cannot be stopped; what it would still write is written by rename.
    watch = Timer(SECONDS, _give_up)
    watch.daemon = True
    watch.start()
    try:
        export, file, source, *_ = [*arguments, ""]
        propose(Path(export), Path(file), source)
    except KeyboardInterrupt:
        _say("stopped")
    except Exception as error:  # noqa: BLE001 - no failure of a proposal may stop a commit
        _say(f"{error}" or type(error).__name__)
    finally:
        watch.cancel()


def propose(export: Path, file: Path, source: str = "") -> None:
    """Put a proposal and its alternatives at the top of the message's file.

    Nothing is done where there is a message already (``-m``, a merge, ``--amend``), where nothing
    is staged, or where no editor will show the proposal (``--no-edit``).

    Raises:
        OSError: the export or the file cannot be read, or the file not be written.
        ValueError: git fails, or there is no file in the diff.
    """
    if source not in FRESH or os.environ.get("GIT_EDITOR") == ":":
        return
    if not (diff := staged_diff()):
        return
    texts = _answers(export, diff)
    before = file.read_bytes()
    mark = comment_mark(before.decode("utf-8", "replace"))
    _replace(file, composed(texts, mark).encode() + _gap(before) + before)


def staged_diff() -> str:
    """Return what is staged, as a unified diff of at most ``MOST_BYTES``; bytes are replaced.

    No program that the user's or the repository's configuration names is run: no external diff,
    no text conversion, no pager, no monitor of files, no transport.

    Raises:
        ValueError: git fails, or has printed nothing in ``GIT_SECONDS``.
    """
    # This call sees the user's configuration, where it stands which folders are to be trusted.
    folder = _said("rev-parse", "--absolute-git-dir").rstrip("\n")
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    kept = {name: value for name, value in os.environ.items() if not _DROPPED.fullmatch(name)}
    with subprocess.Popen(
        ["git", "--no-pager", f"--git-dir={folder}", *settings, *_DIFF],
        env={**kept, **_ISOLATED},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        watch = Timer(GIT_SECONDS, process.kill)
        watch.start()
        read = process.stdout.read(MOST_BYTES) if process.stdout else b""
        if len(read) == MOST_BYTES:
            process.kill()
        status = process.wait()
        watch.cancel()
    if status and not read:
        raise ValueError(f"`git diff --cached` ended with status {status}; run it to see why")
    return read.decode("utf-8", "replace")


def comment_mark(before: str) -> str | None:
    """Return what a comment in the message begins with, None where git would keep comments.

    Args:
        before: the message's file as git wrote it: of ``core.commentChar=auto``, it shows which
            character git has chosen.
    """
    found = {}
    for item in _said("config", "--null", "--get-regexp", _ASKED, none_is=1).split("\0")[:-1]:
        name, _, value = item.partition("\n")
        found["cleanup" if name == "commit.cleanup" else "comment"] = value
    if found.get("cleanup", "default") not in ("default", "strip"):
        return None
    mark = found.get("comment", "#")
    return _chosen_by_git(before) if mark == "auto" else mark


def composed(texts: Sequence[str], mark: str | None) -> str:
    """Return the lines that are put first: the proposal, and the others as comments.

    >>> composed(["fix: read it", "feat: read it"], "#")
    'fix: read it\\n# or: feat: read it\\n'
    """
    others = [f"{mark} or: {text}" for text in texts[1:]] if mark else []
    return "\n".join([*texts[:1], *others, ""])


def _answers(export: Path, diff: str) -> list[str]:
    from kit.inference import DEFAULT_FILE, Generator

    try:
        size = (export / DEFAULT_FILE).stat().st_size
        # The threads of a small model wait for each other longer than they compute.
        generator = Generator(export, threads=1 if size < SMALL_MODEL else None)
    except FileNotFoundError as error:
        raise ValueError(f"no whole model in {export}; `kit hook install` takes another") from error
    return [answer["text"] for answer in generator.alternatives(diff, PROPOSALS)]


def _said(*arguments: str, none_is: int = 0) -> str:
    """Return what git prints; the status ``none_is`` is as good as 0."""
    done = subprocess.run(
        ["git", *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode not in (0, none_is):
        raise ValueError(f"`git {arguments[0]}` ended with status {done.returncode}")
    return os.fsdecode(done.stdout)


def _chosen_by_git(before: str) -> str:
    """Return the mark that git's own comments have, else the first that no line begins with."""
    if alone := _MARK_ALONE.findall(before):
        return str(alone[-1])
    begun = {line[:1] for line in before.split("\n")}
    return next((mark for mark in _AUTOMATIC if mark not in begun), "#")


def _gap(before: bytes) -> bytes:
    """Return the empty line that ends the subject, unless one is there."""
    return b"" if before.startswith((b"\n", b"\r\n")) else b"\n"


def _replace(file: Path, content: bytes) -> None:
    beside = file.with_name(f"{file.name}.kit-{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _give_up() -> None:
    _say(f"it took more than {SECONDS:.0f} seconds")
    os._exit(0)


def _say(reason: str) -> None:
    sys.stderr.write(f"kit: no message proposed: {' '.join(reason.split())[:300]}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
