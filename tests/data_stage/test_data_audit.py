"""Personal data and secrets are found in the forms they have; what only looks alike is not."""

from __future__ import annotations

from time import perf_counter

import pytest

from kit.data.audit import KINDS, has_secret, mask


@pytest.mark.parametrize(
    ("text", "masked", "kind"),
    [
        ("Write to ada.l+x@mail.example.org.", "Write to [EMAIL].", "email"),
        ("(müller@beispiel.de)", "([EMAIL])", "email"),
        ("call +44 20 7946 0958 now", "call [PHONE] now", "phone"),
        ("+1 (555) 010-9999", "[PHONE]", "phone"),
        ("(555) 210-9999 or", "[PHONE] or", "phone"),
        ("1-800-555-0199", "[PHONE]", "phone"),
        ("06 12 34 56 78", "[PHONE]", "phone"),
        ("030/1234567", "[PHONE]", "phone"),
        ("tel: 555 1234", "tel: [PHONE]", "phone"),
        ("from 203.0.113.7:8080", "from [IP]:8080", "ip_address"),
        ("at 192.168.0.12.", "at [IP].", "ip_address"),
        ("2001:db8::1", "[IP]", "ip_address"),
        ("::ffff:192.0.2.1", "[IP]", "ip_address"),
        ("card 4111 1111 1111 1111", "card [CARD]", "card"),
        ("378282246310005", "[CARD]", "card"),
        ("GB82 WEST 1234 5698 7654 32", "[IBAN]", "iban"),
        ("DE89370400440532013000 and", "[IBAN] and", "iban"),
        ("ES91 2100 0418 4502 0005 1332 CODE", "[IBAN] CODE", "iban"),
    ],
)
def test_personal_data_is_masked_and_counted_by_kind(text: str, masked: str, kind: str) -> None:
    assert mask(text) == (masked, {kind: 1})
    assert kind in KINDS


def test_each_finding_counts() -> None:
    assert mask("a@b.org, c@d.org, +33 612 345 678") == (
        "[EMAIL], [EMAIL], [PHONE]",
        {"email": 2, "phone": 1},
    )


@pytest.mark.parametrize(
    "text",
    [
        "$1,299.99 in 2019",
        "from 1999-2003 and 2001-2002-2003",
        "at 12:30:45 on 01.02.2003 12:30",
        "05/06/2019 12 people, 2024-01-02 12:30",
        "version 1.2.3.4",
        "v1.2.3.4 (build 10.0.0.1)",
        "release: 10.0.19041.1415",
        "Nokia 3310 or iPhone 12 Pro 256",
        "Galaxy S21 5G, 1080p 60fps 16:9",
        "+100 000 000 views",
        "ISBN 978-3-16-148410-0, ISBN 0-306-40615-2",
        "3.14159265358979 1234567890123456",
        "4111 1111 1111 1112",
        "GB82 WEST 1234 5698 7654 33",
        "@handle a@b std::vector a::b 127.0.0.1 ::1",
        "00:1B:44:11:3A:B7",
        "call it 1.000.000 or phone 3310",
        "24/7, 9/11/2001, 867-5309, 3-2 2-1, 10-20-30-40",
        "999.1.1.1 1.2.3.4.5",
    ],
)
def test_prices_times_versions_and_models_are_no_personal_data(text: str) -> None:
    assert mask(text) == (text, {})


# Put together here, so that no scanner takes this file for a leak.
SECRETS = [
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "key AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "hf_" + "a1" * 17,
    "sk_live_" + "a1" * 12,
    "xoxb-" + "123456789012-abcdef12345",
    "https://bob:" + "hunter@example.com/x",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found_wherever_it_stands(secret: str) -> None:
    assert has_secret(secret)
    for words in (100, 398, 700):
        assert has_secret("word " * words + secret + " word" * 300)


@pytest.mark.parametrize(
    "text",
    [
        "The secret: nobody knows it, and my password is swordfish.",
        "APATHETICALLY ACTED",
        "APPEARANCES DECEIVE, APARTMENTSTORIES TOO",
        "password " + "-" * 50,
        "https://example.com/title/tt0123456/",
        "a 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 digest",
        "sk-learn 1.2.3-beta4 on py3.11",
    ],
)
def test_prose_and_digests_are_no_secrets(text: str) -> None:
    assert not has_secret(text)


@pytest.mark.parametrize("piece", ["//", "eyJ", "sk-1", "1 ", "+1", "a@", "a.b@", "1.1.", ":1"])
def test_a_hostile_text_takes_no_more_than_seconds(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    started = perf_counter()
    mask(text)
    has_secret(text)
    assert perf_counter() - started < 15
