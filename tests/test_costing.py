"""What a thousand answers cost, at the prices that a project states."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kit.export.costing import INSTRUCTION_TOKENS, thousand_answers
from kit.project import Project

PROJECT = Project(
    root=Path(), price_per_hour=0.36, hosted_input_price=2.0, hosted_output_price=10.0
)


def test_a_thousand_answers_cost_what_the_stated_prices_say() -> None:
    found = thousand_answers(PROJECT, seconds=0.01, tokens_read=60, tokens_written=3)
    assert found.seconds == pytest.approx(10)
    assert found.cost == pytest.approx(0.36 * 10 / 3600)
    million = 1000 * ((60 + INSTRUCTION_TOKENS) * 2.0 + 3 * 10.0) / 1_000_000
    assert found.hosted_cost == pytest.approx(million)


def test_what_has_no_price_has_no_cost() -> None:
    project = replace(PROJECT, price_per_hour=0.0, hosted_input_price=0.0, hosted_output_price=0.0)
    found = thousand_answers(project, seconds=0.01, tokens_read=60, tokens_written=3)
    assert (found.cost, found.hosted_cost) == (None, None)
    assert found.seconds == pytest.approx(10)
