"""The table of limits on a person's page: it names what score judges by, for whom it is, and where it is from."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.default_limits import DEFAULT_BY_CONDITION
from schemas.limit_levels import rows_of
from schemas.limits import CONCERN_BY_NAME, Condition, Limits
from services.api.limits_in_force import InForce, limits_in_force
from services.runtime.clock import to_ms
from services.score.known_limits import book_of
from services.score.rule_book import RULE_BOOK

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
EVER = datetime(2000, 1, 1, tzinfo=UTC)
PERSON = 7
USUAL = DEFAULT_BY_CONDITION[None, "spo2"]
PRESCRIBED = DEFAULT_BY_CONDITION[Condition.SPO2_88_92, "spo2"]


def version(
    days: float,
    limits: Limits = USUAL,
    *,
    own: bool = False,
    region: bool = False,
    condition: str | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """A row of the table, valid since so many days ago."""
    return {
        "limit_no": 1,
        "person_no": PERSON if own else None,
        "region": region,
        "condition": condition,
        "concern": limits.concern,
        "levels": rows_of(limits.levels),
        "off": limits.off,
        "clear_min": limits.clear_min,
        "worse_by": limits.worse_by,
        "withdrawn": False,
        "source": "a letter of the clinic",
        "signed_off_by": "",
        "author": "register file",
        "valid_from": NOW - timedelta(days=days),
    } | changed


def held(condition: str = "spo2_88_92", days: float = 3) -> dict[str, Any]:
    return {"condition": condition, "since": NOW - timedelta(days=days), "source": "register file"}


def spo2(versions: list[dict[str, Any]], conditions: list[dict[str, Any]] | None = None) -> InForce:
    newest_first = sorted(versions, key=lambda row: row["valid_from"], reverse=True)
    (found,) = [one for one in limits_in_force(newest_first, conditions or []) if one.limits.concern == "spo2"]
    return found


def test_without_rows_this_software_says_it() -> None:
    shown = limits_in_force([], [])
    assert [one.limits for one in shown] == [
        DEFAULT_BY_CONDITION[None, name] for name in CONCERN_BY_NAME if (None, name) in DEFAULT_BY_CONDITION
    ]
    assert {(one.version, one.since, one.scope.words) for one in shown} == {(0, None, "for everybody, by default")}


def test_what_is_more_specific_holds_and_says_for_whom_and_since_when() -> None:
    first, second = version(0, valid_from=EVER), version(20)
    assert (spo2([first]).version, spo2([first]).since) == (1, None)
    assert (spo2([first, second]).version, spo2([first, second]).since) == (2, NOW - timedelta(days=20))
    region = version(10, region=True)
    assert spo2([first, second, region]).scope.words == "for everybody in this region"
    prescribed = spo2([first, second, region, version(9, PRESCRIBED, condition="spo2_88_92")], [held()])
    assert prescribed.scope.words == "for people with a prescribed oxygen target of 88 to 92 %"
    # Since the person has the condition, though the version is older.
    assert prescribed.since == NOW - timedelta(days=3)
    own = spo2([first, region, version(1, own=True)], [held()])
    assert (own.scope.words, own.source) == ("for this person, as a doctor has said", "a letter of the clinic")


def test_withdrawn_limits_hold_no_more_and_those_that_contradict_themselves_never_did() -> None:
    first, own = version(0, valid_from=EVER), version(5, own=True)
    assert not spo2([first, own, version(2, own=True, withdrawn=True)]).scope.own
    broken = version(2, own=True, off=50)
    assert spo2([first, own, broken]).version == 1
    assert not spo2([first, broken]).scope.own


def test_a_condition_that_only_a_newer_version_knows_changes_nothing() -> None:
    assert spo2([version(0, condition="vertigo")], [held("vertigo")]).version == 0


@pytest.mark.parametrize(
    ("concern", "lines", "over"),
    [
        (
            "heart_rate.fast",
            [
                "above 120 /min for 10 min, at rest MEDIUM",
                "131 /min or more for 10 min, at rest HIGH",
                "150 /min or more for 3 min, 3 readings, at rest HIGH",
                "150 /min or more for 10 min, moving MEDIUM",
                "170 /min or more for 5 min, moving HIGH",
            ],
            "110 /min or less for 10 min",
        ),
        (
            "glucose_low",
            [
                "below 70 mg/dL for 15 min MEDIUM",
                "below 54 mg/dL 2 readings in a row HIGH",
                "below 40 mg/dL at once HIGH",
            ],
            "70 mg/dL or more for 15 min",
        ),
        ("temperature.low", ["below 35 °C at once MEDIUM", "below 34 °C at once HIGH"], "35.4 °C or more"),
    ],
)
def test_a_limit_is_said_in_words(concern: str, lines: list[str], over: str) -> None:
    (found,) = [one for one in limits_in_force([], []) if one.limits.concern == concern]
    assert [f"{line.beyond} {line.lasting} {line.severity.name}" for line in found.lines] == lines
    assert found.over == over


def test_rest_is_said_of_the_rules_that_know_it_from_movement_and_of_no_other() -> None:
    for one in limits_in_force([], []):
        name = CONCERN_BY_NAME[one.limits.concern].rule
        (rule,) = [rule for rule in RULE_BOOK.rules if rule.name == name]
        assert rule.fold is not None
        said = {line.lasting.endswith((", at rest", ", moving")) for line in one.lines}
        assert said == {rule.fold.needs_rest}, name


kinds = st.fixed_dictionaries(
    {
        "days": st.sampled_from([0.5, 1, 2, 3, 4]),
        "own": st.booleans(),
        "region": st.booleans(),
        "condition": st.sampled_from([None, None, *Condition]),
        "off": st.sampled_from([94.0, 95.0, 96.0, 50.0]),
        "withdrawn": st.sampled_from([False, False, True]),
    }
)


@given(st.lists(kinds, max_size=6), st.lists(st.sampled_from(list(Condition)), unique=True))
def test_the_page_shows_what_score_judges_by(drawn: list[dict[str, Any]], conditions: list[Condition]) -> None:
    rows = {}
    for number, one in enumerate(drawn):
        if one["own"]:
            one |= {"region": False, "condition": None}
        # The table has one row for each moment of a scope.
        rows[one["own"], one["region"], one["condition"], one["days"]] = version(**one) | {"limit_no": number}
    newest_first = sorted(rows.values(), key=lambda row: row["valid_from"], reverse=True)
    book = book_of(
        [row | {"from_ms": to_ms(row["valid_from"])} for row in reversed(newest_first)],
        [{"person_no": PERSON, "condition": one, "from_ms": to_ms(NOW - timedelta(days=3)), "to_ms": None}
         for one in conditions],
        lambda _number, _field: None,
    )  # fmt: skip
    shown = limits_in_force(newest_first, [held(one) for one in conditions])
    assert [one.limits for one in shown] == [book.in_force(one.limits.concern, PERSON, to_ms(NOW)) for one in shown]


def test_distances_and_scores_are_said_as_such() -> None:
    found = {one.limits.concern: one for one in limits_in_force([], [{"condition": "heart_failure", "since": NOW}])}
    assert [line.beyond for line in found["weight"].lines] == ["more than 2 kg gained", "more than 3 kg gained"]
    assert found["temperature.own"].lines[0].beyond == "1.1 °C above the own median or more"
    assert [line.lasting for line in found["news2"].lines] == ["2 evaluations in a row, at rest", "at once, at rest"]
