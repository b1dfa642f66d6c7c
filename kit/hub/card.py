"""The metadata of a card: the YAML at the head of a README."""

from __future__ import annotations

import re
from typing import Any

import yaml


def card_data(readme: bytes) -> dict[str, Any]:
    """Return the YAML at a README's head, empty where there is none that can be read."""
    found = re.match(r"---\r?\n(.*?)\r?\n---", readme.decode("utf-8", "replace"), re.DOTALL)
    try:
        values = yaml.safe_load(found[1]) if found else {}
    except yaml.YAMLError:
        return {}
    return values if isinstance(values, dict) else {}
