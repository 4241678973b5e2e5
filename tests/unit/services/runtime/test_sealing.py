"""Secrets that lie in the database, and the keys that open them."""

from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.sealing import KeyFileError, Keys, UnknownKeyError, new_key

OLD, NEW = new_key(), new_key()


@given(st.text())
def test_what_was_sealed_is_opened_and_does_not_show(secret: str) -> None:
    keys = Keys([NEW])
    sealed = keys.seal(secret)
    assert keys.open(sealed) == secret
    assert len(secret) < 8 or secret.encode() not in sealed


def test_an_old_key_behind_a_new_one_still_opens_and_seals_no_more() -> None:
    both = Keys([NEW, OLD])
    assert both.open(Keys([OLD]).seal("a secret")) == "a secret"
    assert Keys([NEW]).open(both.seal("a secret")) == "a secret"


def test_what_no_key_opens_is_said_and_not_shown() -> None:
    sealed = Keys([OLD]).seal("a secret")
    with pytest.raises(UnknownKeyError):
        Keys([NEW]).open(sealed)
    with pytest.raises(UnknownKeyError):
        Keys([OLD]).open(sealed[:-4] + b"AAAA")


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([], "no key"),
        (["short"], "Key 1"),
        ([NEW, urlsafe_b64encode(b"x" * 16).decode()], "Key 2 has 16 bytes"),
        ([urlsafe_b64encode(bytes(32)).decode()], "not random"),
        ([urlsafe_b64encode(b"changeme" * 4).decode()], "not random"),
        (["no base64 at all!"], "Key 1"),
    ],
)
def test_a_key_that_is_short_or_was_typed_by_somebody_is_refused_by_its_number(keys: list[str], why: str) -> None:
    with pytest.raises(KeyFileError, match=why) as refused:
        Keys(keys)
    assert not any(key in str(refused.value) for key in keys)


def test_a_file_has_a_key_a_line(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.touch(mode=0o600)
    file.write_text(f"# of this year\n{NEW}\n\n{OLD}\n")
    assert Keys.from_file(file).open(Keys([OLD]).seal("x")) == "x"


def test_a_file_that_is_not_there_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="keys: No such file") as refused:
        Keys.from_file(tmp_path / "keys")
    assert str(tmp_path) not in str(refused.value)
