"""``kit hook install`` and ``uninstall``: where the hook goes, and whose it leaves alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kit.errors import InputError, RunError
from kit.inference import complete
from kit.installing import HOOK, KEPT, install, uninstall
from kit.runs import Run
from tests import tiny_exported, tiny_text
from tests.asking import ask
from tests.test_hook import NEW, Repo, repository
from tests.tiny_text import TYPES

THEIRS = '#!/bin/sh\necho "theirs" >> "$1"\n'


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return repository(tmp_path / "app")


@pytest.fixture
def theirs(repo: Repo) -> Path:
    """Return a hook of somebody else."""
    path = repo.folder / ".git" / "hooks" / HOOK
    path.write_text(THEIRS)
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def export() -> Path:
    return tiny_text.exported("llama")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tiny_exported.project(tmp_path_factory.mktemp("install") / "project")


def proposed(repo: Repo) -> bool:
    """Commit a change; return whether the editor was shown a proposal."""
    repo.stage({"src/cache.py": NEW + f"# {len(repo.git('log'))}\n"})
    repo.shown.unlink(missing_ok=True)
    repo.tried("commit", "-q")
    return complete(repo.shown.read_text().split("\n")[0], TYPES)


def test_the_command_writes_a_hook_that_proposes(repo: Repo, run: Run) -> None:
    hook = repo.folder / ".git" / "hooks" / HOOK
    said = ask(run.project.root, "hook", "install", "toy", "--repo", str(repo.folder))
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"hook         {hook}",
        f"model        {run.folder / 'export'}",
    ]
    assert proposed(repo)
    said = ask(run.project.root, "hook", "uninstall", "--repo", str(repo.folder))
    assert said.out == f"removed      {hook}\n"
    assert not hook.exists()
    assert not proposed(repo)


def test_the_commands_as_json_are_one_document(repo: Repo, run: Run, theirs: Path) -> None:
    where = ("--repo", str(repo.folder), "--json")
    document = ask(run.project.root, "hook", "install", "--force", *where).document
    assert document == {
        "hook": str(theirs),
        "export": str(run.folder / "export"),
        "other": str(theirs.with_name(KEPT)),
        "shared": False,
    }
    document = ask(run.project.root, "hook", "uninstall", *where).document
    assert document == {
        "hook": str(theirs),
        "export": None,
        "other": str(theirs),
        "shared": False,
    }


def test_uninstall_needs_no_project(repo: Repo, export: Path) -> None:
    install(repo.folder, export, force=False)
    assert ask(repo.folder, "hook", "uninstall").code == 0


def test_a_recipe_that_reads_no_diff_is_refused(repo: Repo, tmp_path: Path) -> None:
    project = tiny_exported.project(tmp_path / "project").project.root
    tiny_exported.recipe(project, "moods", "TextClassification", "labels=('a', 'b')")
    where = ("--repo", str(repo.folder))
    said = ask(project, "hook", "install", "moods", *where).fault
    assert "expected a recipe that reads a diff, 'moods' reads a text" in said
    assert ask(project, "hook", "install", *where).code == 0
    tiny_exported.recipe(project, "more")
    said = ask(project, "hook", "install", *where).fault
    assert "expected the name of a recipe that reads a diff, got none; known: more, toy" in said


def test_an_export_that_is_not_whole_is_refused(repo: Repo, export: Path, tmp_path: Path) -> None:
    for name in ("onnx/model_quantized.onnx", "generation.json"):
        broken = shutil.copytree(export, tmp_path / "broken", dirs_exist_ok=True)
        (broken / name).unlink()
        with pytest.raises(RunError, match=f"expected {name} in .*`kit export` writes it"):
            install(repo.folder, broken, force=False)
    assert not (repo.folder / ".git" / "hooks" / HOOK).exists()


def test_somebody_elses_hook_is_left_alone(repo: Repo, export: Path, theirs: Path) -> None:
    with pytest.raises(InputError, match=f"leaves alone; --force keeps it as {KEPT}"):
        install(repo.folder, export, force=False)
    with pytest.raises(InputError, match="found somebody else's; nothing was removed"):
        uninstall(repo.folder)
    assert theirs.read_text() == THEIRS


def test_force_keeps_it_and_uninstall_puts_it_back(repo: Repo, export: Path, theirs: Path) -> None:
    kept = theirs.with_name(KEPT)
    assert install(repo.folder, export, force=True).other == kept
    assert kept.read_text() == THEIRS
    assert proposed(repo)
    assert install(repo.folder, export, force=True).other is None
    assert kept.read_text() == THEIRS
    assert uninstall(repo.folder).other == theirs
    assert theirs.read_text() == THEIRS
    assert theirs.stat().st_mode & 0o111
    assert not kept.exists()


def test_a_hook_kept_before_is_not_overwritten(repo: Repo, export: Path, theirs: Path) -> None:
    kept = theirs.with_name(KEPT)
    kept.write_text("older")
    with pytest.raises(InputError, match=r"expected no file at .*before-kit, found one"):
        install(repo.folder, export, force=True)
    assert (kept.read_text(), theirs.read_text()) == ("older", THEIRS)


def test_a_link_to_nowhere_is_somebody_elses_too(repo: Repo, export: Path, theirs: Path) -> None:
    theirs.unlink()
    theirs.symlink_to("nowhere")
    with pytest.raises(InputError, match="leaves alone"):
        install(repo.folder, export, force=False)
    install(repo.folder, export, force=True)
    assert theirs.with_name(KEPT).is_symlink()
    assert not theirs.is_symlink()


def test_installing_again_takes_the_other_model(repo: Repo, export: Path, tmp_path: Path) -> None:
    install(repo.folder, export, force=False)
    other = shutil.copytree(export, tmp_path / 'it\'s a "model" $HOME; é')
    path = install(repo.folder, other, force=False).path
    assert str(export) not in path.read_text()
    assert proposed(repo)


def test_there_is_nothing_to_uninstall(repo: Repo) -> None:
    with pytest.raises(InputError, match=r"expected a hook of kit at .*found none"):
        uninstall(repo.folder)


def test_a_worktree_has_the_hook_of_its_repository(repo: Repo, export: Path) -> None:
    linked = repo.folder.with_name("linked")
    repo.git("worktree", "add", "-q", str(linked), "-b", "side")
    found = install(linked / "src", export, force=False)
    assert found.path == repo.folder / ".git" / "hooks" / HOOK
    assert not found.shared
    assert proposed(Repo(linked, repo.shown, repo.environment))
    assert proposed(repo)


@pytest.mark.parametrize("scope", ["--local", "--global"])
def test_hooks_path_is_respected_and_named(
    repo: Repo, run: Run, tmp_path: Path, scope: str
) -> None:
    path = ".hooks" if scope == "--local" else "~/hooks"
    repo.git("config", scope, "core.hooksPath", path)
    folder = repo.folder / ".hooks" if scope == "--local" else tmp_path / "hooks"
    where = ("--repo", str(repo.folder / "src"))
    said = ask(run.project.root, "hook", "install", *where)
    assert said.out.splitlines()[0] == f"hook         {folder / HOOK}"
    assert said.err.startswith("kit: core.hooksPath names the folder; other repositories may")
    assert proposed(repo)
    assert ask(run.project.root, "hook", "uninstall", *where).code == 0
    assert not any(folder.iterdir())


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("nothing", "expected a folder at .*/none, found none; mend --repo"),
        ("a file", "expected a folder at .*/file, found none; mend --repo"),
        ("no repository", "expected the work tree of a git repository at .* git says: fatal: not"),
        ("bare", "git says: fatal: this operation must be run in a work tree; mend --repo"),
        ("no folder for hooks", "cannot write /dev/null/prepare-commit-msg: "),
    ],
)
def test_where_no_hook_can_be_is_one_clear_line(
    repo: Repo, export: Path, tmp_path: Path, kind: str, said: str
) -> None:
    given = {"nothing": tmp_path / "none", "a file": tmp_path / "file"}.get(kind, tmp_path / "x")
    (tmp_path / "file").touch()
    (tmp_path / "x").mkdir()
    if kind == "bare":
        repo.git("init", "-q", "--bare", str(given))
    elif kind == "no folder for hooks":
        repo.git("config", "core.hooksPath", "/dev/null")
        given = repo.folder
    with pytest.raises(InputError, match=said) as caught:
        install(given, export, force=False)
    assert "\n" not in str(caught.value)
