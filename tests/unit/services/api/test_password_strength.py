"""Which passwords are taken."""

import pytest

from services.api.password_strength import KnownPasswordError, PasswordRefusedError, check_password

ABOUT = ("amira.haddad@example.org", "Dr. Amira Haddad")


@pytest.mark.parametrize("password", ["", "short", "vq7-rug-ZM4-od", "vq7 rug ZM4 od " * 9])
def test_too_short_and_too_long_passwords_are_refused(password: str) -> None:
    with pytest.raises(PasswordRefusedError, match="15 to 128 characters"):
        check_password(password)


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "password1234567",
        "P4ssw0rd1234567",
        "123456789012345",
        "qwertyuiopasdfgh",
        "1q2w3e4r5t6y7u8i9o",
        "thisisapassword",
        "letmein letmein",
        "a" * 128,
        "ab" * 60,
        "HearthBeat-2026",
        "hearthbeat12345",
        "haddadhaddadhaddad",
        "amira.haddad@example.org",
        "Dr. Amira Haddad1",
    ],
)
def test_what_is_known_or_follows_from_what_is_known_is_refused(password: str) -> None:
    with pytest.raises(KnownPasswordError) as refused:
        check_password(password, ABOUT)
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "vq7-rug-ZM4-odu",
        "my cat likes fish",
        "四個字的句子很長但是沒有人會猜",
        "Grüße aus Überlingen",
    ],
)
def test_a_long_password_of_ones_own_is_taken_whatever_its_characters(password: str) -> None:
    check_password(password, ABOUT)
