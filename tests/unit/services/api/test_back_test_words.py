"""What came of a back-test, as a doctor reads it."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.default_limits import usual_of
from services.api.back_test_words import outcome_of
from services.api.limit_changes import moved

FAST = usual_of("heart_rate.fast")
TRIED = moved(FAST, 0, 125, source="s", signed_off_by="")


def episode(since: int, *, severity: int = 2, alerts: bool = True) -> dict[str, Any]:
    return {"concern": FAST.concern, "since_ms": since, "until_ms": since + 1, "level": 1, "severity": severity,
            "alerts": alerts}  # fmt: skip


def result(today: list[Any], changed: list[Any]) -> dict[str, Any]:
    vanish, begin = (
        [one for one in some if one not in others] for some, others in ((today, changed), (changed, today))
    )
    return {"today": today, "changed": changed, "vanish": vanish, "begin": begin, "differ": []}


@pytest.mark.parametrize(
    ("today", "changed", "given"),
    [
        (11, 4, "the last 30 days would have given 4 alerts instead of 11."),
        (2, 1, "the last 30 days would have given 1 alert instead of 2."),
        (0, 0, "the last 30 days would have given 0 alerts, as they do now."),
        (3, 3, "the last 30 days would have given 3 alerts, as they do now."),
    ],
)
def test_the_sentence_counts_alerts_by_both(today: int, changed: int, given: str) -> None:
    all_of_them = [episode(number) for number in range(today)]
    found = outcome_of(FAST, TRIED, 30, result(all_of_them, all_of_them[:changed]))
    assert found.sentence.startswith("With 125 instead of 120 /min the last")
    assert found.sentence.endswith(given)
    assert len(found.vanish) == today - changed


def test_others_of_the_same_number_are_no_same_alerts() -> None:
    found = outcome_of(FAST, TRIED, 30, result([episode(1)], [episode(2)]))
    assert found.sentence.endswith("1 alert, as many as now.")
    assert (len(found.vanish), len(found.begin)) == (1, 1)


def test_what_is_only_noted_is_no_alert() -> None:
    noted = [episode(1, severity=1), episode(2, alerts=False)]
    found = outcome_of(FAST, TRIED, 90, result([*noted, episode(3)], [episode(3)]))
    assert "90 days would have given 1 alert, as they do now" in found.sentence
    assert found.noticed == (2, 0)
    assert found.vanish == []


def test_limits_as_they_are_say_so() -> None:
    same = replace(FAST, source="another")
    assert outcome_of(FAST, same, 30, result([], [])).sentence.startswith("With the same limits as now the last")
