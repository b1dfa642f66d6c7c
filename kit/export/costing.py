"""What a thousand answers cost: by the exported file, and by a large model that somebody hosts.

    thousand_answers(project, seconds=0.015, tokens_read=22.5, tokens_written=1)

The prices are those that ``kit.toml`` states, not anybody's list of today; how long a hosted model
takes is not measured here, and not guessed.
"""

from __future__ import annotations

from kit.project import Project
from kit.records import Thousand

ANSWERS = 1000
INSTRUCTION_TOKENS = 40
"""What a prompt says around the text: the task, the labels or the form, nothing more."""


def thousand_answers(
    project: Project, seconds: float, tokens_read: float, tokens_written: float
) -> Thousand:
    """Return time and money of a thousand answers, one after another.

    Args:
        project: states the price of this machine's hour, and of a hosted model's tokens.
        seconds: of one answer of the exported file, on one thread.
        tokens_read: of the text that is asked about, on average.
        tokens_written: of an answer, on average.
    """
    own, hosted = project.price_per_hour, project.hosted_input_price + project.hosted_output_price
    read = tokens_read + INSTRUCTION_TOKENS
    per_answer = (
        read * project.hosted_input_price + tokens_written * project.hosted_output_price
    ) / 1e6
    return Thousand(
        answers=ANSWERS,
        seconds=ANSWERS * seconds,
        cost=ANSWERS * seconds / 3600 * own if own else None,
        tokens_read=tokens_read,
        tokens_written=tokens_written,
        instruction_tokens=INSTRUCTION_TOKENS,
        price_per_hour=own,
        hosted_cost=ANSWERS * per_answer if hosted else None,
        hosted_input_price=project.hosted_input_price,
        hosted_output_price=project.hosted_output_price,
        currency=project.currency,
    )
