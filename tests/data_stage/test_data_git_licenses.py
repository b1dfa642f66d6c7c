"""A repository is mined under the license that it states, and only if that is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.data.git_history import MiningRules, mine
from kit.data.git_licenses import PERMISSIVE, detect
from tests.histories import CHANGED, CODE, MIT, Repo, only_row, refusal, silent

ROOT = Path(__file__).parents[2]
PERMISSION = "Permission is hereby granted, free of charge, to any person obtaining a copy"
BSD = (
    "Redistribution and use in source and binary forms, with or without\n"
    "modification, are permitted"
)
ISC = (
    "Permission to use, copy, modify, and/or distribute this software for any\n"
    "purpose with or without fee is hereby granted"
)
ENDORSE = "Neither the name of the author may be used to endorse or promote products"
LICENSE_TEXTS = [
    ("mit", MIT),
    ("mit-0", PERMISSION),
    ("apache-2.0", (ROOT / "LICENSE").read_text()),
    ("bsd-2-clause", BSD),
    ("bsd-3-clause", f"{BSD} ... {ENDORSE}"),
    ("isc", f"{ISC}, provided that the above copyright notice appears"),
    ("0bsd", f"{ISC}. THE SOFTWARE IS PROVIDED AS IS"),
    ("mpl-2.0", "Mozilla Public License Version 2.0\n===="),
    ("gpl-2.0", "GNU GENERAL PUBLIC LICENSE\n   Version 2, June 1991"),
    ("gpl-3.0", "GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007"),
    ("agpl-3.0", "GNU AFFERO GENERAL PUBLIC LICENSE\n   Version 3, 19 November 2007"),
    ("lgpl-3.0", "GNU LESSER GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007"),
    ("lgpl-2.1", "GNU LESSER GENERAL PUBLIC LICENSE\n   Version 2.1, February 1999"),
    ("unlicense", "This is free and unencumbered software released into the public domain."),
    ("cc0-1.0", "Creative Commons Legal Code\n\nCC0 1.0 Universal"),
    ("isc and mit", f"{MIT} {ISC}, provided that"),
    (None, "All rights reserved."),
    (None, f"{BSD} ... All advertising materials mentioning this software must say so."),
    (None, f"{PERMISSION} as in MIT. {'But other terms apply to other parts. ' * 200}"),
]


@pytest.mark.parametrize(("name", "text"), LICENSE_TEXTS)
def test_a_license_is_known_by_its_phrases(name: str | None, text: str) -> None:
    assert detect(text) == name


@pytest.mark.parametrize("name", ["LICENSE", "LICENCE.md", "COPYING", "MIT-LICENSE.txt", "License"])
def test_a_license_file_is_found_at_head(tmp_path: Path, name: str) -> None:
    repo = Repo(tmp_path / "engine", None)
    repo.commit("chore: start", {name: MIT, "license.py": CODE, "src/LICENSE": "not this one"})
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    assert only_row(repo).license == "mit"


def test_two_licenses_are_both_named(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "engine", None)
    apache = (ROOT / "LICENSE").read_text()
    repo.commit("chore: start", {"LICENSE-MIT": MIT, "LICENSE-APACHE": apache})
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    assert only_row(repo).license == "apache-2.0 and mit"


def test_a_license_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "engine", "GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007")
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    message = refusal(repo.folder)
    assert "is under gpl-3.0" in message
    assert "apache-2.0" in message
    assert only_row(repo, allowed_licenses=(*PERMISSIVE, "GPL-3.0")).license == "gpl-3.0"


@pytest.mark.parametrize("text", [None, "All rights reserved."])
def test_an_unknown_license_must_be_named(tmp_path: Path, text: str | None) -> None:
    repo = Repo(tmp_path / "engine", None)
    repo.commit("chore: start", {"LICENSE": text} if text else {})
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    assert "license=mit" in refusal(repo.folder)
    rows, _ = mine(repo.folder, MiningRules(), silent, "MIT OR GPL-3.0")
    assert rows[0].license == "mit or gpl-3.0"
    assert "is under gpl-3.0" in refusal(repo.folder, "GPL-3.0")
    assert "is under mit and gpl-3.0" in refusal(repo.folder, "MIT AND GPL-3.0")
