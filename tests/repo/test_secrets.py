"""No file holds what looks like a real secret: a key, or a long random value under a name that says so."""

import re
from collections.abc import Iterator
from itertools import pairwise
from math import log2
from pathlib import Path
from typing import Final

import pytest

from tests.repo.tree import files, text_of

NAMES: Final = r"(?:password|passwd|passphrase|secret|token|api_?key|private_?key|credential)s?"
NAMED: Final = re.compile(NAMES, re.IGNORECASE)
ASSIGNED: Final = re.compile(
    rf"""(?ix) {NAMES} [\w.-]* ["']? (?:\[[^\]]*\])? \s* (?::\s*[\w.]+\s*)? [=:(]>? \s* (?:[bfr](?=["']))?
    ["']?(?P<value>[A-Za-z0-9+/=_.~-]{{16,}})"""
)
"""A name that says secret, whatever stands around it, and a value of at least 16 letters without a space."""
IN_ADDRESS: Final = re.compile(r"://[^/\s:@\"'{}]+:(?P<value>[^/\s:@\"'{}$]{12,})@")
KEYS: Final = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20,}")
SMALL, LARGE, DIGIT, OTHER = range(4)
CHANGES: Final = 0.35
"""Of a random value at least so many letters are of another kind than the one before; of words far fewer."""
RANDOM_BITS: Final = 2.8
"""Bits a letter of its own letters: random hexadecimal of 16 letters and more has them."""
EXCEPTIONS: Final[dict[tuple[str, str], str]] = {}
"""(file, value) -> why it is no secret."""


def kind_of(letter: str) -> int:
    if letter.isdigit():
        return DIGIT
    return SMALL if letter.islower() else LARGE if letter.isupper() else OTHER


def looks_random(value: str) -> bool:
    """Small and large letters and digits mixed as no word and no date mixes them."""
    kinds = [kind for letter in value if (kind := kind_of(letter)) != OTHER]
    changes = sum(one != other for one, other in pairwise(kinds))
    shares = [value.count(letter) / len(value) for letter in set(value)]
    bits = -sum(share * log2(share) for share in shares)
    return len(kinds) >= 16 and changes >= CHANGES * len(kinds) and bits >= RANDOM_BITS


def secrets_in(text: str) -> Iterator[str]:
    for line in text.splitlines():
        patterns = [ASSIGNED] if NAMED.search(line) else []
        patterns += [IN_ADDRESS] if "://" in line and "@" in line else []
        for pattern in patterns:
            yield from (found["value"] for found in pattern.finditer(line) if looks_random(found["value"]))
    yield from (found[0] for found in KEYS.finditer(text))


TEXTS: Final = [path for path in files() if "locks" not in path.parts]


def test_no_file_holds_what_looks_like_a_secret() -> None:
    found = {(str(path), value) for path in TEXTS for value in secrets_in(text_of(path))}
    assert found - EXCEPTIONS.keys() == set()


def test_each_exception_still_stands_there_and_says_why() -> None:
    assert [key for key, why in EXCEPTIONS.items() if key[1] not in text_of(Path(key[0])) or not why] == []


BASE64 = "q9Xw2Lk/7VtR0aZc" + "Bn4mYp1s"
HEXADECIMAL = "9f86d081884c7d65" + "9a2feaa0c55ad015"
KEY = "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC"


@pytest.mark.parametrize(
    "text",
    [
        f'PASSWORD = "{BASE64}"',
        f'    "webhook_secret": "{HEXADECIMAL}",',
        f"smtp-password: {BASE64}",
        f"HB_API_TOKEN={BASE64}",
        f"export HB_DB_PASSWORD='{HEXADECIMAL}'",
        f'SECRETS["band-1"] = b"{BASE64}"',
        f'token: str = "{BASE64}"',
        f'SecretStr("{BASE64}")',
        f"postgresql://hearth:{BASE64.replace('/', '-')}@db/hearth",
        KEY,
    ],
)
def test_a_secret_is_found_however_it_is_written(text: str) -> None:
    assert list(secrets_in(text))


@pytest.mark.parametrize(
    "text",
    [
        'password = "a password of a doctor"',
        "password = secrets.token_urlsafe(24)",
        'form = {"password": environment["HB_PASSWORD_FILE"]}',
        "token_in_the_page = read_the_token_of_the_page(answer)",
        "secret_file: /run/secrets/webhook_signing_key_of_alert",
        f'sha256 = "{HEXADECIMAL}"',
        "postgresql://hearth:${POSTGRES_PASSWORD}@db/hearth",
        KEY.splitlines()[0],
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert list(secrets_in(text)) == []
