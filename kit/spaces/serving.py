"""Run an assembled Gradio Space from its own folder, as the Hub does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kit.errors import RunError


def serve_space(folder: Path, port: int) -> None:
    """Serve a Space's folder until it is stopped.

    Raises:
        RunError: the folder is not there, or the app ended with an error.
    """
    process = start_space(folder, port)
    try:
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
    return subprocess.Popen([sys.executable, "app.py"], cwd=folder, env=environment)
