"""The project: the folder marked by ``kit.toml``, and what that file says.

owner = "you"
site_url = "https://you.github.io/models/"
license = "apache-2.0"
price_per_hour = 0.05
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from kit.errors import InputError, did_you_mean

MARK = "kit.toml"
MODEL_HOSTS = ("site", "hub")


@dataclass(frozen=True, kw_only=True)
class Project:
    """A creator's folder and its settings.

    ``model_host`` says where the site's pages load a model from: ``site``, its own files, or
    ``hub``, the repo at the commit that was published, once it was.

    ``price_per_hour`` is in ``currency``, and so are the prices of a hosted large model, per
    million tokens read and written, which pages compare with. ``collection`` is the title of the
    collection on the Hub that what is published is listed in, none where empty.
    """

    root: Path
    owner: str = "you"
    author: str = "the author"
    site_url: str = "http://127.0.0.1:8000/"
    repository: str = ""
    collection: str = ""
    model_host: str = "site"
    language: str = "en"
    license: str = "apache-2.0"
    price_per_hour: float = 0.0
    hosted_input_price: float = 0.0
    hosted_output_price: float = 0.0
    currency: str = "USD"
    country: str = "USA"

    @property
    def runs(self) -> Path:
        """Where runs are kept; never tracked."""
        return self.root / "runs"

    @property
    def build(self) -> Path:
        """Where the site and other built things go; never tracked."""
        return self.root / "build"

    def address(self, path: str = "") -> str:
        """Return the absolute address of a path below the site."""
        return f"{self.site_url.rstrip('/')}/{path}"


def find_project(start: Path) -> Project:
    """Return the project that ``start`` lies in.

    Raises:
        InputError: no ``kit.toml`` in the folder or above it, or one that cannot be read.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / MARK).is_file():
            return _read(folder)
    raise InputError(
        f"expected a {MARK} in {start} or above it, found none; go to your project's folder"
    )


def _read(root: Path) -> Project:
    path = root / MARK
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"expected TOML in {path}, got: {error}") from error
    known = {item.name: item.default for item in fields(Project) if item.name != "root"}
    for key, value in values.items():
        if key not in known:
            raise InputError(f"{path} has an unknown key '{key}'; {did_you_mean(key, known)}")
        text = isinstance(known[key], str)
        kinds = (str,) if text else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            wanted = "text" if text else "a number"
            raise InputError(f"expected {wanted} for '{key}' in {path}, got {value!r}")
    host = values.get("model_host", MODEL_HOSTS[0])
    if host not in MODEL_HOSTS:
        known_hosts = " or ".join(repr(name) for name in MODEL_HOSTS)
        raise InputError(f"expected {known_hosts} for 'model_host' in {path}, got {host!r}")
    return Project(root=root, **values)
