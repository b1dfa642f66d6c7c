"""What the Hub answers, as one line for a person; and how often, and how long, it is asked again.

    Patience().send("ada/toy was read", lambda: api.repo_info("ada/toy"))

A refusal for a passing reason (429, 5xx, a broken or silent connection) is PassingHubError: the
request is sent again after a pause. Others are final. A token is never part of a message.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any, TypeVar

from kit.errors import ConflictError, HubError, KitError, PassingHubError

T = TypeVar("T")
LONGEST_ASKED = 300.0


@dataclass(frozen=True)
class Patience:
    """How long to wait for an answer, how often to ask again, and how to pass the time; seconds."""

    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 30.0
    timeout: float = 60.0
    sleep: Callable[[float], None] = time.sleep

    def wait(self, attempt: int, asked: float = 0.0) -> None:
        """Pause after the attempt of that number, counted from 0: each time twice as long.

        ``asked`` is how long the Hub said to wait, in seconds; a window of its limits is five
        minutes.
        """
        own = min(self.first_wait * 2**attempt, self.longest_wait)
        self.sleep(max(own, min(asked, LONGEST_ASKED)))

    def send(self, what: str, call: Callable[[], T]) -> T:
        """Send a request until it is answered, as long as this patience lasts.

        Raises:
            HubError: it was refused, or not answered, in one line.
        """
        for attempt in range(self.attempts):
            try:
                return translated(what, call)
            except PassingHubError as error:
                if attempt + 1 == self.attempts:
                    raise
                self.wait(attempt, error.wait)
        raise AssertionError("patience has at least one attempt")


def translated(what: str, call: Callable[[], T]) -> T:
    """Call, and say in one line what the Hub or the network answered instead."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return call()
    except KitError:
        raise
    except Exception as error:
        # The library wraps what breaks an upload in errors of its own.
        for cause in _causes(error):
            if isinstance(cause, HfHubHTTPError):
                raise refusal(what, cause) from error
            if isinstance(cause, (httpx2.TransportError, ConnectionError, TimeoutError)):
                raise PassingHubError(
                    f"the Hub did not answer before {what} ({type(cause).__name__}); "
                    "check the network"
                ) from error
            if isinstance(cause, JSONDecodeError):
                raise PassingHubError(
                    f"the Hub answered something else than JSON before {what}; try again later"
                ) from error
        if isinstance(error, ValueError):
            raise HubError(f"the Hub refused before {what}: {error}") from error
        if isinstance(error, RuntimeError):
            # hf_xet says what went wrong in words only.
            line = str(error).partition("\n")[0][:200]
            raise PassingHubError(f"the transfer failed before {what}: {line}") from error
        raise


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, the innermost first."""
    if error.__cause__ is not None:
        yield from _causes(error.__cause__)
    yield error


ADVICE = {
    400: "mend what it names",
    401: "the token is not valid here; `hf auth login`, or set HF_TOKEN",
    402: "the account's plan does not pay for this; choose a static Space",
    403: "the token may not do this; it needs the right to write to this namespace",
    404: "it is gone, or the token cannot see it",
    409: "something of that name is there already; look at it, then plan again",
    412: "someone else changed it meanwhile; plan again",
    413: "a file is over the Hub's limits",
}


def refusal(what: str, error: Any) -> HubError:
    """Return a refusal of the Hub, an error of huggingface_hub, as a line for a person."""
    response = error.response
    status = response.status_code if response is not None else 0
    said = (error.server_message or "").splitlines()
    line = f"the Hub answered {status} before {what}"
    line += f" ({said[0][:160]})" if said else ""
    if status in {408, 429} or status >= 500:
        wait = response.headers.get("Retry-After", "")
        return PassingHubError(
            f"{line}; try again later", status, float(wait) if wait.isdigit() else 0.0
        )
    kind = ConflictError if status in {409, 412} else HubError
    return kind(f"{line}; {ADVICE.get(status, 'look at the repo, then plan again')}", status)
