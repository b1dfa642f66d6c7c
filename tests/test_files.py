"""Files are copied whole; only large ones share their bytes with what they were copied from."""

from __future__ import annotations

from pathlib import Path

from kit.files import LINKED_FROM, copy_file


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
