"""Run an assembled Gradio Space from its own folder, as the Hub does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kit.errors import InputError, RunError


def serve_space(folder: Path, port: int, say: Callable[[dict[str, str], list[str]], None]) -> None:
    """Serve a Space's folder until it is stopped.

    Args:
        folder: as assembled, with its ``app.py``.
        port: on loopback; 0 takes a free one.
        say: is told where, as values and as lines, once the app answers.

    Raises:
        InputError: the port is taken, or is none.
        RunError: the folder is not there, or the app ended with an error.
    """
    try:
        with socket.create_server(("127.0.0.1", port)) as free:
            port = free.getsockname()[1]
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot serve on port {port}: {error}; choose another --port") from error
    process = start_space(folder, port)
    try:
        while process.poll() is None and not _answers(port):
            time.sleep(0.2)
        if process.poll() is None:
            url = f"http://127.0.0.1:{port}/"
            say({"url": url}, [url])
        code = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return
    if code:
        raise RunError(f"expected the demo in {folder} to keep running, it ended with {code}")


def start_space(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start ``app.py`` in a process of its own, on loopback."""
    if not (folder / "app.py").is_file():
        raise RunError(
            f"expected an assembled Gradio Space at {folder}, found none; run the recipe"
        )
    environment = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_SSR_MODE": "false",
        # The folder holds what was assembled and nothing else: a gate looks.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # What the app prints is a notice; stdout is for results.
    return subprocess.Popen([sys.executable, "app.py"], cwd=folder, env=environment, stdout=2)


def _answers(port: int) -> bool:
    """Return whether something takes connections there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
