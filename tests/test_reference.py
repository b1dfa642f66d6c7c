"""The reference of the command line: it is what the commands say, and its examples parse."""

from __future__ import annotations

import pytest

from kit.cli import kit
from kit.sites.reference import EXAMPLES, commands, parse, reference
from tests.tiny import ROOT


def test_the_committed_page_is_what_the_commands_say() -> None:
    page = (ROOT / "site" / "reference" / "cli.md").read_text("utf-8")
    assert page == reference(kit), "old: run `kit site reference > site/reference/cli.md`"


def test_every_command_has_one_example_and_no_example_is_of_nothing() -> None:
    assert {name for name, _ in commands(kit)} == set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_what_its_command_takes(name: str) -> None:
    line = EXAMPLES[name]
    assert line.startswith(f"kit {name}")
    parse(kit, line)
