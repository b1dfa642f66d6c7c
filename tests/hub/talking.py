"""Requests as huggingface_hub sends them, for tests that need no client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2

Client = Callable[..., dict[str, Any]]


def make(http: httpx2.Client, name: str, **more: Any) -> None:
    """Make a repo of ada's."""
    made = http.post("/api/repos/create", json={"name": name, **more})
    assert made.status_code == 200, made.text


def push(
    http: httpx2.Client, repo: str, files: dict[str, str], kind: str = "models", **header: str
) -> httpx2.Response:
    """Commit text files as the client does."""
    lines = [{"key": "header", "value": {"summary": "change", "description": "", **header}}]
    for path, text in files.items():
        lines.append({"key": "file", "value": {"path": path, "content": text, "encoding": "utf-8"}})
    body = "\n".join(json.dumps(line) for line in lines)
    return http.post(f"/api/{kind}/{repo}/commit/main", content=body.encode())
