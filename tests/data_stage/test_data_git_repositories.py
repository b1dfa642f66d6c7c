"""Every kind of repository is read, nothing in it is executed, bad ones are refused in one line."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.data.git_history import MiningRules, mine
from kit.data.git_log import Reader, origin_name
from kit.errors import InputError, SourceError
from tests.histories import CHANGED, CODE, Repo, mined, only_row, refusal, started


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Return a repository with a license and one file, both in its root commit."""
    return started(tmp_path / "engine")


def test_bare_clones_subfolders_and_detached_heads_give_the_same_rows(
    repo: Repo, tmp_path: Path
) -> None:
    repo.git("remote", "add", "origin", "git@github.com:ada/engine.git")
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED, "src/deep/a.py": CODE})
    expected = mined(repo.folder)
    assert len(expected[0]) == 1
    repo.git("clone", "-q", "--bare", str(repo.folder), str(tmp_path / "bare.git"))
    bare = Repo.__new__(Repo)
    bare.folder = tmp_path / "bare.git"
    bare.git("remote", "set-url", "origin", "ssh://git@github.com:22/ada/engine.git")
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    assert mined(tmp_path / "bare.git") == expected
    assert mined(repo.folder / "src" / "deep") == expected
    assert mined(repo.folder / ".git") == expected
    assert mined(tmp_path / "tree") == expected
    repo.git("checkout", "-q", "--detach")
    assert mined(repo.folder) == expected


def test_a_dirty_work_tree_does_not_count(repo: Repo) -> None:
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    expected = mined(repo.folder)
    (repo.folder / "src/cache.py").write_text("broken")
    (repo.folder / "LICENSE").write_text("all rights reserved")
    repo.git("add", "-A")
    assert mined(repo.folder) == expected


def test_the_variables_of_a_hook_do_not_lead_elsewhere(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    expected = mined(repo.folder)
    other = Repo(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert mined(repo.folder) == expected


def test_configuration_and_attributes_change_no_row(repo: Repo, tmp_path: Path) -> None:
    repo.commit("feat: more", {"src/cache.py": CODE * 20})
    repo.git("mv", "src/cache.py", "src/cäche.py")
    repo.commit("fix: keep the value", {"src/cäche.py": CODE * 19 + CHANGED + "\n"})
    expected = mined(repo.folder)
    for name, value in {
        "diff.noprefix": "true",
        "diff.context": "0",
        "diff.renames": "false",
        "diff.algorithm": "patience",
        "diff.suppressBlankEmpty": "true",
        "diff.wordRegex": ".",
        "core.quotePath": "true",
        "color.ui": "always",
        "log.showSignature": "true",
        "log.date": "relative",
        "format.pretty": "oneline",
        "core.worktree": str(tmp_path),
    }.items():
        repo.git("config", name, value)
    (repo.folder / ".gitattributes").write_text("*.py -diff\n")
    (tmp_path / ".gitattributes").write_text("*.py -diff\n")
    (tmp_path / ".gitconfig").write_text("[core]\n\tquotePath = true\n[diff]\n\tnoprefix = true\n")
    assert len(expected[0]) == 2
    assert "src/cäche.py" in expected[0][0].diff
    assert mined(repo.folder) == expected


def test_replaced_objects_and_grafts_are_not_followed(repo: Repo) -> None:
    sha = repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    other = repo.commit("fix: another value", {"src/cache.py": CODE})
    repo.git("replace", other, sha)
    (repo.folder / ".git/info/grafts").write_text(f"{other}\n")
    rows, _ = mined(repo.folder)
    assert {row.sha for row in rows} == {sha, other}


def test_nothing_that_a_repository_names_is_executed(repo: Repo, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    script = tmp_path / "run.sh"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> {marker}\nexit 0\n')
    script.chmod(0o755)
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED, ".gitattributes": "*.py diff=x"})
    (repo.folder / ".git/info/attributes").write_text("*.py diff=x filter=x\n")
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor"):
        path = repo.folder / ".git/hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(script)
    for name in ("diff.external", "diff.x.command", "diff.x.textconv", "filter.x.smudge"):
        repo.git("config", name, str(script))
    for name in ("core.pager", "pager.log", "core.fsmonitor", "gpg.program", "core.sshCommand"):
        repo.git("config", name, str(script))
    for name in ("core.askPass", "credential.helper", "core.editor", "core.alternateRefsCommand"):
        repo.git("config", name, str(script))
    repo.git("config", "log.showSignature", "true")
    repo.git("config", "alias.log", f"!{script}")
    signed = repo.git("cat-file", "commit", "HEAD").replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n\n", 1
    )
    (repo.folder / ".git/signed").write_text(signed + "\n")
    repo.git("reset", "-q", "--soft", repo.git("hash-object", "-t", "commit", "-w", ".git/signed"))
    marker.unlink(missing_ok=True)
    assert only_row(repo).type == "fix"
    assert not marker.exists()


def test_a_partial_clone_is_refused_and_fetches_nothing(repo: Repo, tmp_path: Path) -> None:
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    url = repo.folder.as_uri()
    repo.git("clone", "-q", "--no-checkout", "--filter=blob:none", url, str(partial))
    repo.git("-C", str(partial), "config", "protocol.file.allow", "always")
    before = sorted(partial.rglob("*"))
    assert "is a partial clone" in refusal(partial, "mit")
    assert sorted(partial.rglob("*")) == before


def test_a_shallow_clone_is_read_and_reported(repo: Repo, tmp_path: Path) -> None:
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    sha = repo.commit("fix: another value", {"src/cache.py": CODE})
    shallow = tmp_path / "shallow"
    repo.git("clone", "-q", "--depth=2", repo.folder.as_uri(), str(shallow))
    steps: list[str] = []
    rows, left_out = mine(shallow, MiningRules(), lambda step, *_: steps.append(step))
    assert [row.sha for row in rows] == [sha]
    assert left_out == {"shallow_boundary": 1}
    assert any("shallow clone" in step for step in steps)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/ada/engine.git", "ada/engine"),
        ("https://ada:secret@github.com/ada/engine", "ada/engine"),
        ("https://ghp_token@github.com/ada/engine/?token=secret", "ada/engine"),
        ("git@github.com:ada/engine.git", "ada/engine"),
        ("ssh://git@example.org:2222/ada/engine.git", "ada/engine"),
        ("https://gitlab.com/group/ada/engine.git", "ada/engine"),
        ("https://dev.azure.com/ada/tools/_git/engine", "tools/engine"),
        ("file:///home/ada/engine.git", None),
        ("/home/ada/engine.git", None),
        ("../engine", None),
        (r"C:\ada\engine", None),
        ("https://example.org/a b/<c>", None),
        ("https://[broken/ada/engine", None),
        ("", None),
    ],
)
def test_the_name_comes_from_the_origin_without_credentials(url: str, name: str | None) -> None:
    assert origin_name(url) == name


def test_without_an_origin_the_folder_names_the_repository(repo: Repo) -> None:
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    assert only_row(repo).repo == "engine"
    repo.git("remote", "add", "origin", "/home/ada/elsewhere/private")
    assert only_row(repo).repo == "engine"


def test_what_is_no_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "found nothing at" in refusal(tmp_path / "nowhere")
    assert "found a file at" in refusal(tmp_path / "file")
    assert "is not a git repository" in refusal(tmp_path)


def test_a_repository_without_commits_is_refused(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "engine", None)
    assert "has no commit on its current branch" in refusal(repo.folder)
    repo.git("commit", "-q", "--allow-empty", "-m", "chore: start")
    repo.git("symbolic-ref", "HEAD", "refs/heads/elsewhere")
    assert "has no commit on its current branch" in refusal(repo.folder)


def test_a_history_without_any_row_is_no_error(repo: Repo) -> None:
    assert mined(repo.folder) == ([], Counter({"root": 1}))


@pytest.mark.parametrize("what", ["HEAD:src/cache.py", "HEAD^{tree}", "HEAD~1", "HEAD"])
@pytest.mark.parametrize("damage", ["missing", "broken"])
def test_a_damaged_object_is_said_in_the_words_of_git(repo: Repo, what: str, damage: str) -> None:
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    repo.commit("fix: another value", {"src/other.py": CHANGED * 2})
    sha = repo.git("rev-parse", what)
    path = repo.folder / ".git/objects" / sha[:2] / sha[2:]
    path.unlink()
    if damage == "broken":
        path.write_bytes(b"no zlib stream")
    message = refusal(repo.folder, "mit")
    assert message.startswith(f"git cannot read {repo.folder}: ")
    assert sha in message
    assert "git fsck" in message


def test_a_crafted_commit_cannot_pass_for_others(repo: Repo) -> None:
    tree, parent = repo.git("rev-parse", "HEAD^{tree}"), repo.git("rev-parse", "HEAD")
    forged = b"\n".join([b"0" * 40, parent.encode(), b"2024-01-01", b"A", b"a@b", b"fix: forged"])
    person = b"A\0" + b"B <a@example.org> 1700000000 +0000"
    crafted = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\nfix: keep it\n\n%s\n\0%s\n" % (
        tree.encode(),
        parent.encode(),
        person,
        person,
        forged,
        forged,
    )
    content = repo.folder / ".git/crafted"
    content.write_bytes(crafted)
    sha = repo.git("hash-object", "-t", "commit", "--literally", "-w", str(content))
    repo.git("update-ref", "refs/heads/main", sha)
    rows, left_out = mined(repo.folder)
    assert rows == []
    assert left_out.total() == 2


class Dripping(io.BytesIO):
    """A stream that gives a byte or two at a time, as a slow pipe may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(2)


def test_a_mark_is_found_where_two_blocks_meet() -> None:
    reader = Reader(Dripping(b"one<mark>two<mark><mark>longer than six<mark>rest"))
    assert [reader.until(b"<mark>", 6) for _ in range(4)] == [b"one", b"two", b"", None]
    assert reader.rest(6) == b"rest"
    assert reader.at_end()
    with pytest.raises(EOFError):
        reader.until(b"<mark>", 6)


def test_a_diff_that_holds_the_names_of_commits_stays_whole(repo: Repo) -> None:
    first = repo.git("rev-parse", "HEAD")
    lines = f"{first}\n{first}\ndiff --git a/x b/x\n@@ -1 +1 @@\n"
    one = repo.commit("docs: list commits", {"commits.txt": lines})
    two = repo.commit(
        "docs: list more", {"commits.txt": lines + f"{one}\n", one: "a file so named"}
    )
    rows, _ = mined(repo.folder)
    assert {row.sha for row in rows} == {one, two}
    by_sha = {row.sha: row.diff for row in rows}
    assert by_sha[one].endswith("+" + lines.rstrip("\n").replace("\n", "\n+") + "\n")
    assert by_sha[two].count("\ndiff --git") == 1


@pytest.mark.parametrize("since", ["yesterday", "2024-02-30", "20240101", "--all"])
def test_a_day_that_is_none_is_refused(repo: Repo, since: str) -> None:
    assert f"got '{since}'" in refusal(repo.folder, since=since)


def test_a_pattern_that_is_none_is_refused(repo: Repo) -> None:
    assert "regular expression, got '('" in refusal(repo.folder, subject="(")


def test_git_that_is_missing_or_old_is_said(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(SourceError, match="git is not installed"):
        mined(repo.folder)
    (programs / "git").write_text("#!/bin/sh\necho git version 2.20.1\n")
    (programs / "git").chmod(0o755)
    with pytest.raises(SourceError, match=r"expected git 2\.32 or newer, found 2\.20"):
        mined(repo.folder)


@pytest.fixture
def foreign(repo: Repo) -> Iterator[Repo]:
    """Return the repository as one that belongs to somebody else."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    for path in (repo.folder, repo.folder / ".git"):
        os.chown(path, 12345, 12345)
    yield repo
    for path in (repo.folder, repo.folder / ".git"):
        os.chown(path, 0, 0)


def test_a_folder_of_another_user_is_refused_with_the_remedy(foreign: Repo, tmp_path: Path) -> None:
    message = refusal(foreign.folder)
    assert f"git config --global --add safe.directory {foreign.folder}" in message
    (tmp_path / ".gitconfig").write_text(f"[safe]\n\tdirectory = {foreign.folder}\n")
    assert only_row(foreign).type == "fix"


def test_every_refusal_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        mined(tmp_path / "nowhere")
