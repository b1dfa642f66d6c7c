"""A Hub for each test, and the real client in a process of its own.

huggingface_hub reads HF_ENDPOINT when it is imported, so it cannot be aimed from here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kit.hub.rehearsal.accounts import Account
from kit.hub.rehearsal.serving import Hub

ROOT = Path(__file__).parents[2]
ACCOUNTS = (Account("ada", orgs=("lab",)), Account("bob"), Account("pro", is_pro=True))
PROLOGUE = """
import json, os
from pathlib import Path
from huggingface_hub import *
from huggingface_hub.errors import *
api, facts = HfApi(), {}
def refusal(act, *args, **kwargs):
    try:
        act(*args, **kwargs)
    except HfHubHTTPError as error:
        return [type(error).__name__, error.response.status_code]
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(tmp_path / "hub", ACCOUNTS, part_bytes=1_000_000) as running:
        yield running


@pytest.fixture
def client(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return what runs a script with the real client and returns its ``facts``."""

    def run(hub: Hub, script: str, token: str | None = None, xet: bool = True) -> dict[str, Any]:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("HF_")},
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": token or hub.token("ada"),
            "HF_HOME": str(tmp_path / "client"),
            "HF_HUB_DISABLE_XET": "0" if xet else "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", f"{PROLOGUE}\n{script}\nprint(json.dumps(facts))"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return facts

    return run


@pytest.fixture
def http(hub: Hub) -> Iterator[httpx2.Client]:
    """Return a plain HTTP client that writes as ada."""
    headers = {"authorization": f"Bearer {hub.token('ada')}"}
    with httpx2.Client(base_url=hub.url, headers=headers) as opened:
        yield opened
