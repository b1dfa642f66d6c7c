"""Files are copied whole; only large ones share their bytes with what they were copied from."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from kit.errors import InputError
from kit.files import LINKED_FROM, copy_file, put_in_place


def test_a_small_copy_does_not_change_with_a_source_that_is_edited_in_place(tmp_path: Path) -> None:
    source, target = tmp_path / "app.py", tmp_path / "run" / "app.py"
    source.write_text("print(1)\n")
    copy_file(source, target)
    source.write_text("print(2)\n")
    assert target.read_text() == "print(1)\n"


def test_a_large_copy_takes_no_room(tmp_path: Path) -> None:
    source, target = tmp_path / "model.onnx", tmp_path / "run" / "model.onnx"
    source.write_bytes(b"x" * LINKED_FROM)
    copy_file(source, target)
    copy_file(source, target)
    assert target.samefile(source)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "make room and run again"),
        (FileNotFoundError(errno.ENOENT, "No such file", "index.html"), "mend index.html"),
    ],
)
def test_a_folder_that_cannot_be_written_stands_as_it_was(
    tmp_path: Path, error: OSError, advice: str
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "post.md").write_text("before")

    def fail(temporary: Path) -> None:
        (temporary / "post.md").write_text("half")
        raise error

    with pytest.raises(InputError, match=advice):
        put_in_place(folder, fail)
    assert [path.name for path in tmp_path.rglob("*")] == ["pages", "post.md"]
    assert (folder / "post.md").read_text() == "before"


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    put_in_place(folder, lambda place: (place / "1.md").write_text("x"))
    put_in_place(folder, lambda place: (place / "2.md").write_text("x"))
    assert [path.name for path in tmp_path.rglob("*")] == ["pages", "2.md"]


def test_what_a_kill_left_aside_is_not_lost_when_the_next_writing_fails(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    (tmp_path / ".pages.before").mkdir()
    (tmp_path / ".pages.before" / "post.md").write_text("before")

    def fail(temporary: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InputError, match="make room"):
        put_in_place(folder, fail)
    assert [path.name for path in tmp_path.rglob("*")] == ["pages", "post.md"]
    assert (folder / "post.md").read_text() == "before"
