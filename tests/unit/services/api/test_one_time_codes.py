"""Codes of half a minute: as the standard has them, near the present alone, and each once."""

from base64 import b32encode
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.one_time_codes import (
    BESIDE,
    FREE_FAILURES,
    LONGEST_WAIT,
    RECOVERY_CODES,
    STEP_S,
    app_address,
    code_of,
    is_app_code,
    new_recovery_codes,
    new_secret,
    recovery_hash,
    spelled,
    step_of,
    step_that_fits,
    typed_code,
    wait_after,
)

# RFC 6238, appendix B; of its eight digits the last six.
RFC_SECRET = b32encode(b"12345678901234567890").decode()
RFC_CODES = {
    59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037",
    20000000000: "65353130",
}  # fmt: skip
SECRETS = st.binary(min_size=20, max_size=20).map(lambda some: b32encode(some).decode())
SECONDS = st.integers(0, 1 << 33)


def at(second: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)


@pytest.mark.parametrize(("second", "code"), RFC_CODES.items())
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    assert code_of(RFC_SECRET, step_of(at(second))) == code[2:]


@given(SECRETS, SECONDS, st.integers(-5, 5))
def test_a_code_is_taken_in_its_half_minute_and_those_beside_it_alone(secret: str, second: int, away: int) -> None:
    step = step_of(at(second)) + away
    if step < 0:
        return
    found = step_that_fits(secret, code_of(secret, step), at(second), last_step=-1)
    if abs(away) <= BESIDE:
        assert found is not None
    else:
        # Another of the three near ones has the same six digits once in a million.
        near = {code_of(secret, one) for one in range(max(step - away - BESIDE, 0), step - away + BESIDE + 1)}
        assert (found is None) == (code_of(secret, step) not in near)


@given(SECRETS, SECONDS, st.lists(st.tuples(st.integers(0, 100), st.integers(-2, 2)), max_size=30))
def test_no_code_is_ever_taken_twice(secret: str, second: int, tries: list[tuple[int, int]]) -> None:
    """Whatever is tried when: the steps of what was taken only grow."""
    last, taken = -1, list[int]()
    for later_s, away in tries:
        second += later_s
        found = step_that_fits(secret, code_of(secret, max(step_of(at(second)) + away, 0)), at(second), last)
        if found is not None:
            last = found
            taken.append(found)
    assert all(before < after for before, after in pairwise(taken))


@given(SECRETS, SECONDS.map(lambda second: second + STEP_S))
def test_the_code_before_the_one_that_was_taken_is_good_no_longer(secret: str, second: int) -> None:
    this = step_of(at(second))
    before, now = code_of(secret, this - 1), code_of(secret, this)
    if before != now:
        assert step_that_fits(secret, before, at(second), this) is None


@given(st.text(max_size=12))
def test_whatever_is_typed_is_looked_at_without_an_error(text: str) -> None:
    typed = typed_code(text)
    assert step_that_fits(RFC_SECRET, typed, at(59), 0) is None or typed in {
        code_of(RFC_SECRET, step) for step in range(3)
    }
    assert recovery_hash(text) == recovery_hash(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("287 082", "287082"), (" 287082 ", "287082"), ("abcd-efgh-ijkl-mnop", "ABCDEFGHIJKLMNOP")],
)
def test_spaces_dashes_and_small_letters_do_no_harm(typed: str, meant: str) -> None:
    assert typed_code(typed) == meant


def test_which_kind_a_code_is_of_is_seen_by_its_form() -> None:
    assert is_app_code("287082")
    # Other scripts have digits, too, which no app shows.
    assert not any(is_app_code(one) for one in ("28708", "2870822", "28708A", "\N{ARABIC-INDIC DIGIT ONE}" * 6, ""))
    assert not any(is_app_code(typed_code(one)) for one in new_recovery_codes())


def test_secrets_and_recovery_codes_are_random_and_can_be_typed_from_paper() -> None:
    assert len({new_secret() for _ in range(20)}) == 20
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    assert all(len(typed_code(code)) == 16 and code.count("-") == 3 for code in codes)
    assert [recovery_hash(code.lower().replace("-", " ")) for code in codes] == [recovery_hash(one) for one in codes]
    assert len({recovery_hash(code) for code in codes}) == RECOVERY_CODES
    assert spelled("ABCDEFGHIJ") == "ABCD EFGH IJ"


def test_the_picture_holds_what_apps_ask_for() -> None:
    parts = urlsplit(app_address(RFC_SECRET, "dr+a@example.org"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/HearthBeat%3Adr%2Ba%40example.org")
    said = {name: value[0] for name, value in parse_qs(parts.query).items()}
    assert said == {"secret": RFC_SECRET, "issuer": "HearthBeat", "algorithm": "SHA1", "digits": "6", "period": "30"}


@given(st.integers(0, 10_000))
def test_wrong_codes_in_a_row_cost_more_and_more_time_up_to_an_hour(failures: int) -> None:
    wait = wait_after(failures)
    assert (wait == timedelta(0)) == (failures < FREE_FAILURES)
    assert wait <= wait_after(failures + 1) <= LONGEST_WAIT
    assert wait_after(10_000) == LONGEST_WAIT
