"""How far an exported file is from its checkpoint: the same rows, one by one as a reader asks.

parity("int8", classifier, texts, truth, logits)
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from kit.inference import Classifier
from kit.records import Parity

LATENCY_TOKENS = (32, 128)
REPEATS = 15
WORKERS = 2


def parity(
    file: str,
    size: int,
    classifier: Classifier,
    texts: Sequence[str],
    truth: npt.NDArray[np.int64],
    reference: npt.NDArray[np.float32],
    progress: Callable[[str, int, int | None], None],
) -> Parity:
    """Compare a file's logits with the checkpoint's, both of shape [texts, labels].

    ``truth`` holds label indices. ``agreement`` is the fraction of rows with the same label. Two
    rows are asked at a time, each alone as a batch; latency is measured with nothing beside it.
    """
    rows = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for done, row in enumerate(pool.map(lambda text: classifier.logits([text])[0], texts)):
            rows.append(row)
            if done % 50 == 0:
                progress(f"parity of {file}", done, len(texts))
    found = np.stack(rows)
    labels, wanted = found.argmax(1), reference.argmax(1)
    accuracy = float((labels == truth).mean())
    return Parity(
        file=file,
        n=len(texts),
        agreement=float((labels == wanted).mean()),
        accuracy=accuracy,
        accuracy_difference=accuracy - float((wanted == truth).mean()),
        largest_logit_difference=float(np.abs(found - reference).max()),
        bytes=size,
        latency_ms={str(n): latency(classifier, n) for n in LATENCY_TOKENS},
    )


def latency(classifier: Classifier, tokens: int) -> float:
    """Return the median milliseconds of one answer to a text of about that many tokens."""
    text = " ".join(["good"] * (min(tokens, classifier.max_length) - 2))
    times = [_milliseconds(classifier.logits, [text]) for _ in range(REPEATS + 2)]
    return statistics.median(times[2:])


def _milliseconds(call: Callable[[Any], object], argument: Any) -> float:
    start = time.perf_counter()
    call(argument)
    return 1000 * (time.perf_counter() - start)
