"""Personal data and secrets in a text: counted, masked, or the reason to drop a row.

::

    >>> mask("Write to ada@example.org or call +44 20 7946 0958.")
    ('Write to [EMAIL] or call [PHONE].', {'email': 1, 'phone': 1})

A search by pattern finds what has a form. Names and postal addresses have none: they stay.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from kit.data.licenses import LICENSES, known_license, result_license

__all__ = ["KINDS", "LICENSES", "has_secret", "known_license", "mask", "result_license"]

_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_CARD = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){12,18}(?![\w-]|[.,]\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-fA-F:]{5,39}(?:(?:\.\d{1,3}){3})?(?![\w:])")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)")
_PHONES = (
    # +44 20 7946 0958, +1 (555) 010-9999
    re.compile(r"(?<![\w+.])\+\d(?:[ .-]?\d|[ .-]?\(\d{1,4}\)){6,14}(?!\w|[.,:]\d)"),
    # (555) 010-9999, 1-555-010-9999
    re.compile(
        r"(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}(?!\w|[.,:-]\d)"
    ),
    # 06 12 34 56 78 and 030/1234567: national numbers, known by their leading zero
    re.compile(r"(?<![\w.+-])0[1-9](?P<gap>[ .-])\d\d(?:(?P=gap)\d\d){3}(?!\w|[.,:-]\d)"),
    re.compile(r"(?<![\w.+-])\(?0[1-9]\d{1,4}\)?(?:[ /-]\d{2,8}){1,3}(?!\w|[.,:/-]\d)"),
    # 555 1234, if it follows one of _CALLED
    re.compile(r"(?<![\w.+-])\d(?:[ .-]?\d){6,14}(?!\w|[.,:-]\d)"),
)
_DATE = re.compile(r"\d\d?[/.-]\d\d?[/.-]\d{4}|\d{4}[/.-]\d\d?[/.-]\d\d?")
_VERSION = re.compile(
    r"\b(?:v|ver|versions?|release|build|firmware|update|section|chapter)\W{0,3}$", re.IGNORECASE
)
_CALLED = re.compile(
    r"\b(?:tel|telephone|phone|mobile|cell|fax|whatsapp|call)"
    r"(?: me| us)?(?: at| on| is| no)?[ .:]{1,3}$",
    re.IGNORECASE,
)
# What all numbers below have in common, tried first: nearly no text has it.
_LIKELY = re.compile(r"[0-9][0-9A-Za-f :.()+/-]{5,40}[0-9]|[0-9a-fA-F]::|::[0-9a-fA-F]")
_DIGITS = re.compile(r"[0-9]")
_LOOSE = ("Artifactory Credentials", "Cloudant Credentials", "IBM Cloud IAM Key")
_SCANNED = 2000
_OVERLAP = 500
# Tokens newer than detect-secrets 1.5: Hugging Face, GitHub, OpenAI, Anthropic, Google.
_NEWER_TOKENS = re.compile(
    r"\bhf_[A-Za-z0-9]{34}\b|\bgithub_pat_[A-Za-z0-9_]{50,}|\bsk-(?:proj|ant)-[A-Za-z0-9_-]{32,}"
    r"|\bAIza[A-Za-z0-9_-]{35}"
)


def mask(text: str) -> tuple[str, dict[str, int]]:
    """Return the text with personal data replaced by [EMAIL] etc., and the findings by kind.

    Kinds are ``KINDS``. A card number must pass the check of Luhn, an IBAN that of ISO 7064
    (modulus 97); loopback addresses and what follows the word "version" are no addresses.
    """
    found: dict[str, int] = {}
    if "@" in text:
        text = _masked(text, "email", _EMAIL, lambda match: len(match[0]), found)
    if _LIKELY.search(text):
        for kind, pattern, length in _NUMBERS:
            text = _masked(text, kind, pattern, length, found)
    return text, found


def has_secret(text: str) -> bool:
    """Return whether a text holds an API key, a token, a private key or a URL with a password.

    The patterns are those of detect-secrets, without its entropy and keyword plugins, which
    fire on prose. Three of the others fire on long words and rules; those must hold a digit.
    """
    if "PRIVATE KEY" not in text and "://" not in text and not _has_token(text):
        return False
    # Some of the patterns take quadratic time in a long line, so none is given one.
    return any(
        _has_secret(text[start : start + _SCANNED])
        for start in range(0, max(len(text) - _OVERLAP, 1), _SCANNED - _OVERLAP)
    )


def _has_token(text: str) -> bool:
    return any(len(word) > 10 and _DIGITS.search(word) for word in text.split())


def _has_secret(part: str) -> bool:
    if _NEWER_TOKENS.search(part):
        return True
    return any(
        plugin.secret_type not in _LOOSE or _DIGITS.search(found)
        for plugin in _secret_plugins()
        for found in plugin.analyze_string(part)
    )


@cache
def _secret_plugins() -> tuple[Any, ...]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector
    from detect_secrets.plugins.ip_public import IPPublicDetector

    known: dict[str, Any] = get_mapping_from_secret_type_to_class()
    return tuple(
        known[name]()
        for name in sorted(known)
        if issubclass(known[name], RegexBasedDetector) and known[name] is not IPPublicDetector
    )


Length = Callable[[re.Match[str]], int]


def _masked(
    text: str, kind: str, pattern: re.Pattern[str], length: Length, found: dict[str, int]
) -> str:
    """Replace each match by its mask, as far as ``length`` says that it is one (0: it is not)."""

    def replaced(match: re.Match[str]) -> str:
        size = length(match)
        if not size:
            return match[0]
        found[kind] = found.get(kind, 0) + 1
        return KINDS[kind] + match[0][size:]

    return pattern.sub(replaced, text)


def _iban_length(match: re.Match[str]) -> int:
    # The pattern may have taken capital letters that follow the number.
    candidate = match[0]
    while sum(map(str.isalnum, candidate)) >= 15:
        compact = candidate.replace(" ", "")
        digits = "".join(str(int(c, 36)) for c in compact[4:] + compact[:4])
        if int(digits) % 97 == 1:
            return len(candidate)
        candidate = candidate.rpartition(" ")[0]
    return 0


def _card_length(match: re.Match[str]) -> int:
    digits = [int(c) for c in match[0] if c.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    issued = digits[0] in (3, 4, 5, 6) or (digits[0] == 2 and 2 <= digits[1] <= 7)
    return len(match[0]) if issued and (sum(digits[::-2]) + sum(doubled)) % 10 == 0 else 0


def _address_length(match: re.Match[str]) -> int:
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return 0
    before = match.string[max(0, match.start() - 20) : match.start()]
    if address.is_loopback or address.is_unspecified or _VERSION.search(before):
        return 0
    return len(match[0]) if _DIGITS.search(match[0]) else 0


def _phone_length(match: re.Match[str]) -> int:
    digits = "".join(c for c in match[0] if c.isdigit())
    # A count of views may be written +100 000 000.
    round_number = digits.endswith("000000")
    shortest = 9
    if match.re is _PHONES[-1]:
        before = match.string[max(0, match.start() - 24) : match.start()]
        shortest = 7 if _CALLED.search(before) else 16
    if not shortest <= len(digits) <= 15 or round_number or _DATE.match(match[0]):
        return 0
    return len(match[0])


KINDS = {
    "email": "[EMAIL]",
    "iban": "[IBAN]",
    "card": "[CARD]",
    "ip_address": "[IP]",
    "phone": "[PHONE]",
}
_NUMBERS: tuple[tuple[str, re.Pattern[str], Length], ...] = (
    ("iban", _IBAN, _iban_length),
    ("card", _CARD, _card_length),
    ("ip_address", _IPV6, _address_length),
    ("ip_address", _IPV4, _address_length),
    *(("phone", pattern, _phone_length) for pattern in _PHONES),
)
