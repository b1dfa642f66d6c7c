"""Ask a Gradio app that another process serves on this machine."""

from __future__ import annotations

import socket
import time

import httpx
from gradio_client import Client


def free_port() -> int:
    """Return a port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def connected(port: int, seconds: float = 120) -> Client:
    """Return a client of the app at a port, once it is up."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return Client(f"http://127.0.0.1:{port}/", verbose=False)
        except (httpx.HTTPError, OSError, ValueError):
            assert time.monotonic() < deadline, "the Gradio app did not come up"
            time.sleep(0.5)
