"""Batches of rows of like length, so that little is padded.

    batch_by_length(trainer, lengths, batch_size=32)

The trainer's own ``group_by_length`` sorts within parcels of fifty batches; on a few thousand short
texts with a long tail a quarter of its tokens is still padding. Sorting the whole epoch leaves a
few percent. Which rows meet and which batch comes when is drawn anew in every epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def batch_by_length(trainer: Any, lengths: Sequence[int], batch_size: int) -> None:
    """Make a trainer draw its training rows by ``epoch_order``; lengths are in tokens."""
    from torch.utils.data import Sampler

    class ByLength(Sampler[int]):
        """Draws from torch's own generator, which a checkpoint restores."""

        def __iter__(self) -> Any:
            return iter(epoch_order(torch.tensor(lengths), batch_size).tolist())

        def __len__(self) -> int:
            return len(lengths)

    import torch

    trainer._get_train_sampler = lambda dataset=None: ByLength()


def epoch_order(lengths: torch.Tensor, batch_size: int) -> torch.Tensor:
    """Return row indices, shape [rows], of one epoch: each run of ``batch_size`` is one batch.

    Lengths are shaken by up to a tenth before they are sorted, so that rows meet other rows in the
    next epoch. The one batch that may be short, of the longest rows, comes last.
    """
    import torch

    shaken = lengths * (1 + 0.1 * torch.rand(len(lengths)))
    order = shaken.argsort()
    whole = len(order) // batch_size * batch_size
    batches = order[:whole].view(-1, batch_size)
    return torch.cat([batches[torch.randperm(len(batches))].flatten(), order[whole:]])
