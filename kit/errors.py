"""Every error that kit raises for a person to read.

The tree::

    KitError                 exit 1, one line on stderr
      + InputError           a file, a column, a row or a value that cannot be used
      + RecipeError          an unknown recipe, preset, setting, or a combination that cannot work
      + SourceError          a base model or data set that is not to be had, or not the pinned bytes
      + EndpointError        a model behind an address: nobody answers, or not as expected
      + RunError             a run folder: locked, unfinished, made by a newer version
          + RecordError      a record that cannot be read as this version writes it
      + GateError            a check that refuses to let a page or a file out
      + HubError             the Hub refused
          + ConflictError    someone else changed what was to be changed
              + TakenError   a name that was to be created is taken
          + PassingHubError  it did not answer well, for now

A message says what was expected, what was given and what to do, in one line. A bug is not a
KitError: it keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class KitError(Exception):
    """An error whose message is meant for the user."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


class InputError(KitError):
    """A file, a column, a row or a value that cannot be used."""


class RecipeError(KitError):
    """An unknown recipe, preset or setting, or a combination that cannot work."""


class SourceError(KitError):
    """A base model or a data set that is not to be had, or whose bytes are not the pinned ones."""


class EndpointError(KitError):
    """A model behind an address that does not answer, or not as expected."""


class RunError(KitError):
    """A run folder that is locked, unfinished or made by a newer version."""


class RecordError(RunError):
    """A record that is damaged, or older than this version; its stage makes it again."""


class GateError(KitError):
    """A check that refuses to let a page or a file out."""


class HubError(KitError):
    """The Hub refused; ``status`` is the HTTP status where there was one."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ConflictError(HubError):
    """Someone else changed, or took, what was to be changed."""


class TakenError(ConflictError):
    """A name that was to be created is taken: nothing was created."""


class PassingHubError(HubError):
    """The Hub, or the way to it, failed in a manner that may pass.

    ``wait`` is how many seconds the Hub asked to wait, 0 where it did not say.
    """

    def __init__(self, message: str, status: int = 0, wait: float = 0.0) -> None:
        super().__init__(message, status)
        self.wait = wait


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return the tail of a message about an unknown name: the near ones, else all that are known.

    >>> did_you_mean("sentimant", ["sentiment", "commit_messages"])
    "did you mean 'sentiment'?"
    """
    names = sorted(known)
    near = get_close_matches(given, names, n=2, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(f"'{name}'" for name in near) + "?"
    return "known: " + (", ".join(names) or "none")
