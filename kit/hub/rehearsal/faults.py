"""Faults to rehearse, and the log of every request.

hub.faults.append(Fault(method="POST", path="/commit/", drop="after"))   # done, never answered
hub.faults.append(Fault(path="/lfs/", nth=3, times=2, status=503))       # 3rd and 4th match
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Literal

from starlette.types import Message, Receive, Send


@dataclass
class Fault:
    """What happens to the requests that match.

    ``path`` is a regular expression sought in the raw path and query, ``nth`` the first match
    that is hit, ``times`` how many are (0: all from there). ``drop`` closes the connection without
    an answer, before or after the request took effect. ``stall`` waits so many seconds first;
    ``rate`` lets so many bytes a second through, in and out.
    """

    method: str | None = None
    path: str = ""
    nth: int = 1
    times: int = 1
    status: int | None = None
    message: str = "Rehearsed fault"
    drop: Literal["before", "after"] | None = None
    stall: float = 0.0
    rate: int | None = None
    seen: int = 0

    def __post_init__(self) -> None:
        if self.drop not in (None, "before", "after"):
            raise ValueError(f"expected drop to be before or after, got {self.drop!r}")

    def hits(self, method: str, path: str) -> bool:
        """Count a request that matches, and say whether this one is hit."""
        if self.method not in (None, method) or not re.search(self.path, path):
            return False
        self.seen += 1
        last = self.nth + self.times - 1 if self.times else self.seen
        return self.nth <= self.seen <= last


@dataclass
class Entry:
    """One request as it was logged: never a token, only whether and whose there was.

    ``status`` is None where the connection was closed without an answer; bytes are of bodies.
    """

    method: str
    path: str
    user: str | None = None
    authorized: bool = False
    received: int = 0
    sent: int = 0
    status: int | None = None
    fault: bool = False
    seconds: float = 0.0


def counted(
    entry: Entry, fault: Fault | None, receive: Receive, send: Send
) -> tuple[Receive, Send]:
    """Return the two channels of a request, counting bytes, and slowed where a fault says so."""

    async def slow(size: int) -> None:
        if fault and fault.rate and size:
            await asyncio.sleep(size / fault.rate)

    async def counting_receive() -> Message:
        message = await receive()
        size = len(message.get("body", b""))
        entry.received += size
        await slow(size)
        return message

    async def counting_send(message: Message) -> None:
        size = len(message.get("body", b""))
        if message["type"] == "http.response.start":
            entry.status = message["status"]
        entry.sent += size if entry.method != "HEAD" else 0
        await slow(size)
        await send(message)

    return counting_receive, counting_send
