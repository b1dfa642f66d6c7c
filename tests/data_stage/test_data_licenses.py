"""The license of a model follows from its base and its data."""

from __future__ import annotations

import pytest

from kit.data.audit import known_license, result_license

HUB_IDS = """
    cc0-1.0 apache-2.0 mit bsd-3-clause cc-by-4.0 cc-by-sa-3.0 cc-by-nc-4.0 other unknown openrail
    gpl-3.0 llama3.1 odbl
"""


@pytest.mark.parametrize("name", HUB_IDS.split())
def test_ids_of_the_hub_are_known(name: str) -> None:
    assert known_license(name)


@pytest.mark.parametrize("name", ["", "Apache-2.0", "apache", "cc-by", "proprietary"])
def test_other_spellings_are_not_known(name: str) -> None:
    assert not known_license(name)


@pytest.mark.parametrize(
    ("base", "data", "expected"),
    [
        ("apache-2.0", ["cc0-1.0"], "apache-2.0"),
        ("cc0-1.0", ["mit"], "mit"),
        ("apache-2.0", ["mit", "cc-by-4.0"], "apache-2.0"),
        ("apache-2.0", [], "apache-2.0"),
        ("apache-2.0", ["cc-by-sa-4.0"], "cc-by-sa-4.0"),
        ("apache-2.0", ["cc-by-nc-4.0"], "cc-by-nc-4.0"),
        ("cc-by-sa-4.0", ["cc-by-nc-4.0"], "cc-by-nc-4.0"),
        ("mit", ["cc-by-nc-3.0", "cc-by-nc-4.0"], "cc-by-nc-4.0"),
        ("mit", ["cc-by-nc-4.0", "cc-by-nc-sa-4.0"], "cc-by-nc-sa-4.0"),
        ("llama3.1", ["cc0-1.0"], "llama3.1"),
        ("llama3.1", ["cc-by-sa-4.0"], "other"),
        ("llama3.1", ["cc-by-nc-4.0"], "other"),
        ("gpl-3.0", ["cc-by-sa-4.0"], "other"),
        ("mit", ["cc-by-nc-4.0", "intel-research"], "other"),
        ("mit", ["cc-by-nd-4.0"], "other"),
        ("apache-2.0", ["other"], "other"),
        ("apache-2.0", ["unknown"], "other"),
        ("apache-2.0", ["my-own-terms"], "other"),
    ],
)
def test_the_most_restrictive_license_wins(base: str, data: list[str], expected: str) -> None:
    assert result_license(base, data) == expected
