"""A model behind an OpenAI-compatible address, asked one question at a time.

    endpoint = open_endpoint("http://127.0.0.1:8080/v1", "qwen2.5-0.5b")
    endpoint.ask("Write one subject line for ...").text

The key is taken from the environment variable ``KIT_ENDPOINT_KEY`` and goes into one header and
nowhere else: no record, no message and no log holds it, and no redirect is followed with it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from kit.errors import EndpointError, InputError

KEY = "KIT_ENDPOINT_KEY"
TEMPERATURE = 0.0
MAX_TOKENS = 256
TIMEOUT = 60.0
TRIES = 5
LONGEST_PAUSE = 60.0
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class Reply:
    """One answer, whole; ``model`` as the endpoint names it; tokens where it counts them."""

    text: str
    model: str
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


@dataclass(frozen=True)
class ChatEndpoint:
    """An address, the model asked for, and how patiently. ``timeout`` and ``pause`` in seconds."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout: float = TIMEOUT
    pause: float = 1.0

    def ask(self, question: str) -> Reply:
        """Ask one question at temperature 0, without a conversation before it.

        Asks again after 429, an error of the server or a timeout, each time twice as late, or as
        late as ``Retry-After`` says, five times in all.

        Raises:
            EndpointError: nobody answers, the key is refused, or the answer cannot be read.
        """
        import httpx2

        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": question}],
            "temperature": TEMPERATURE,
            "max_tokens": MAX_TOKENS,
        }
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        said = ""
        for tried in range(TRIES):
            pause = self.pause * 2**tried
            try:
                found = httpx2.post(self.url, json=body, headers=headers, timeout=self.timeout)
            except httpx2.TimeoutException:
                said = f"no answer in {self.timeout:g} s"
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise self._error(f"nobody ({type(error).__name__}: {error})") from error
            else:
                if found.status_code not in AGAIN:
                    return self._read(found)
                said = f"{found.status_code} {self._quoted(found.text)}"
                pause = _asked_to_wait(found.headers.get("retry-after", ""), pause)
            if tried + 1 < TRIES:
                time.sleep(pause)
        raise self._error(f"{said}, {TRIES} times; ask again later: answers so far are kept")

    def _read(self, found: Any) -> Reply:
        """Return what an answer says."""
        if found.status_code in {401, 403}:
            have = "another key" if self.key else "a key"
            raise self._error(f"{found.status_code}; put {have} into {KEY}")
        if found.status_code != 200:
            raise self._error(f"{found.status_code} {self._quoted(found.text)}; mend the options")
        try:
            given = found.json()
            text = given["choices"][0]["message"]["content"]
            if not isinstance(text, str):
                raise TypeError(f"content is {type(text).__name__}")
            usage = given.get("usage") or {}
            return Reply(
                text,
                str(given.get("model") or self.model),
                usage.get("prompt_tokens"),
                usage.get("completion_tokens"),
            )
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._error(
                f"what is no chat completion: {self._quoted(found.text)}; give the address up "
                "to /v1 of an OpenAI-compatible server"
            ) from error

    def _error(self, said: str) -> EndpointError:
        return EndpointError(f"expected an answer of {self.model} at {self.url}, got {said}")

    def _quoted(self, text: str) -> str:
        """Return the beginning of what a server said, without the key that it may repeat."""
        shown = text.replace(self.key, "…") if self.key else text
        return repr(shown[:120])


def open_endpoint(url: str, model: str, **patience: float) -> ChatEndpoint:
    """Return the endpoint of a base address such as ``https://host/v1``.

    Raises:
        InputError: the address is none, holds a secret, or would carry the key in the clear.
    """
    try:
        parts, key = urlsplit(url), os.environ.get(KEY, "").strip()
    except ValueError as error:
        # The error may quote the address, and with it a password.
        raise InputError("expected --endpoint http(s)://HOST/v1, got no address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"expected --endpoint http(s)://HOST/v1, got {parts.scheme or 'none'}://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError(
            f"expected --endpoint without user, password, ? or #, which a record would keep; "
            f"put the key into {KEY}"
        )
    if key and not (key.isascii() and key.isprintable()):
        raise InputError(f"expected a key of printable ASCII in {KEY}, got other characters")
    if key and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise InputError(
            f"expected https for {parts.hostname}, got http: it would carry the key in the clear; "
            f"use https, or unset {KEY}"
        )
    whole = url.rstrip("/").removesuffix("/chat/completions") + "/chat/completions"
    return ChatEndpoint(whole, model, key, **patience)


def _asked_to_wait(retry_after: str, otherwise: float) -> float:
    """Return the seconds that a server asks one to wait, within reason."""
    return min(float(retry_after) if retry_after.isdecimal() else otherwise, LONGEST_PAUSE)
