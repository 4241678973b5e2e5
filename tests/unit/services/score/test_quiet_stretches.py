"""A look back that passes over quiet stretches, and goes on from an earlier one, finds what one from nothing finds."""

from collections.abc import Sequence
from random import Random

import pytest

from schemas.records import JudgedUplink
from services.score.followups import LookBack
from services.score.limit_book import DEFAULT_BOOK
from services.score.look_back import Look, Off, in_order_of_time
from services.score.look_memory import LookMemory
from services.score.look_rows import KnownRows, moment_of
from services.score.quiet_stretches import Plain, QuietStretches, plain_of
from services.score.rerun import needed, of_person
from services.score.rule import Subject
from services.score.rule_book import RULE_BOOK
from services.score.sample import INPUTS
from tests.proving.backtest.past import HOME_NO, MINUTE_MS, PERSON_NO, START_MS, past_of
from tests.proving.backtest.stored import between, devices_off
from tests.unit.services.score.rules_alone import rules_for

RULES = {rule.name: rule for rule in RULE_BOOK.folded}
DAYS = 3
NAMES = ["heart_rate", "respiratory_rate", "spo2", "news2"]


def rows_of(seed: int, rule: str) -> list[JudgedUplink]:
    """All that was observed of the person and matters for the rule, in the order of time."""
    mine = [of_person(needed(one, rules_for(RULES[rule])), PERSON_NO) for one in past_of(seed, DAYS)]
    return in_order_of_time(one for one in mine if one is not None)


def known_of(rows: Sequence[JudgedUplink], rule: str) -> dict[int, Plain]:
    """What each row is by itself."""
    found = ((id(one), plain_of(one, PERSON_NO, {INPUTS[code] for code in RULES[rule].inputs})) for one in rows)
    return {number: plain for number, plain in found if plain is not None}


def looked(rows: Sequence[JudgedUplink], asked: LookBack, by: int, known: KnownRows | None = None) -> Look:
    """One look over what was received by then."""
    look = Look(asked, RULES[asked.rule], DEFAULT_BOOK, by, [], [], known_rows=known)

    def off() -> list[Off]:
        return devices_off(between(rows, 0, look.since, received_by=by))

    while not look.take(between(rows, look.since, look.until, received_by=by), off()):
        pass
    return look


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [1, 4, 9])
def test_a_look_that_goes_on_finds_what_one_from_nothing_finds(name: str, seed: int) -> None:
    rows, chance = rows_of(seed, name), Random(seed)
    plain, memory = known_of(rows, name), LookMemory()
    first = START_MS + 12 * 60 * MINUTE_MS
    for _ in range(6):
        # Some start where the last one did, so that what it came to is of use; what is known by then grows.
        first += chance.choice([0, 0, 40, 400]) * MINUTE_MS
        last = first + chance.choice([1, 60, 600]) * MINUTE_MS
        by = last + chance.choice([10, 200]) * MINUTE_MS
        asked = LookBack(
            subject=Subject(PERSON_NO, HOME_NO), rule=name, first_at=first, last_at=last, received_at=by - 1
        )
        alone, done = looked(rows, asked, by), looked(rows, asked, by, KnownRows(plain, memory))
        assert (done.findings, done.seen, done.follow) == (alone.findings, alone.seen, alone.follow)


def test_what_an_earlier_look_came_to_is_used_and_quiet_rows_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(9, "spo2")
    plain, memory, passed, begun = known_of(rows, "spo2"), LookMemory(), list[int](), list[int]()
    take, begin = QuietStretches.take, LookMemory.begin

    def counted(self: QuietStretches, place: int, ahead: int) -> tuple[int, int] | None:
        done = take(self, place, ahead)
        if done is not None:
            passed.append(done[0] - place)
        return done

    def noted(self: LookMemory, key: object, listed: Sequence[JudgedUplink]) -> object:
        mark = begin(self, key, listed)
        begun.append(mark.place if mark else 0)
        return mark

    monkeypatch.setattr(QuietStretches, "take", counted)
    monkeypatch.setattr(LookMemory, "begin", noted)
    first = START_MS + 12 * 60 * MINUTE_MS
    for more in (0, 30, 60):
        by = moment_of(rows[-1]) - 5 * 60 * MINUTE_MS + more * MINUTE_MS
        subject = Subject(PERSON_NO, HOME_NO)
        asked = LookBack(subject=subject, rule="spo2", first_at=first, last_at=by - 1, received_at=by - 1)
        looked(rows, asked, by, KnownRows(plain, memory))
    assert sum(passed) > 100
    assert begun[-1] > 500
