"""How it stands with what an alert is about: only recovered says that it is better."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.alerts import EndReason
from schemas.rule_names import MEASURED, RULE_NAME_BY_NAME, RULE_NAMES
from services.api.rendering import noticed_end, standing_badge, standing_words
from services.api.standing import Standing, Stands, of_alert, of_end

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
KNOWN, RAISED, HEARD = (AT + timedelta(minutes=minutes) for minutes in (-60, 5, 20))


def said(reason: EndReason | None, *, level: int = 0, heard: datetime | None = None) -> dict[str, Any]:
    """A row of ``standings``."""
    return {
        "level": level, "end_reason": reason, "observed_at": AT, "raised_at": RAISED, "known_until": KNOWN,
        "heard_at": heard,
    }  # fmt: skip


def alert(rule: str = "spo2", ended_at: datetime | None = None) -> dict[str, Any]:
    return {"rule": rule, "ended_at": ended_at}


@pytest.mark.parametrize("rule", [row.name for row in RULE_NAMES])
@pytest.mark.parametrize("reason", [None, *EndReason])
def test_each_end_of_each_rule_is_said_and_only_recovered_as_better(rule: str, reason: EndReason | None) -> None:
    standing = of_end(rule, said(reason))
    words, badge = standing_words(standing), standing_badge(standing)
    assert badge
    assert ("ecovered" in words + badge) == (reason is EndReason.RECOVERED)
    assert words.startswith(badge.split(" ", maxsplit=1)[0].rstrip(":"))
    if reason is EndReason.NO_DATA:
        assert ("Paused" in badge) == (rule in MEASURED)
        assert ("does not mean that it is better" in words) == (not RULE_NAME_BY_NAME[rule].technical)


def test_its_moment_is_that_of_what_it_says() -> None:
    moments = {reason: of_end("spo2", said(reason)).at for reason in EndReason}
    assert moments == {
        EndReason.RECOVERED: AT,
        EndReason.TURNED: AT,
        EndReason.DISPROVED: RAISED,
        EndReason.NO_DATA: KNOWN,
    }
    assert of_end("spo2", said(EndReason.NO_DATA) | {"known_until": None}).at == AT


def test_what_nothing_ended_goes_on() -> None:
    assert of_alert(alert(), None) == of_alert(alert(), said(None, level=2)) == Standing(Stands.GOES_ON)
    assert of_alert(alert("fall"), None) == Standing(Stands.NOT_OVER)
    assert (standing_badge(Standing(Stands.GOES_ON)), standing_badge(Standing(Stands.NOT_OVER))) == ("", "")


def test_an_end_that_no_finding_says_is_said_without_a_reason() -> None:
    assert of_alert(alert(ended_at=AT), said(None, level=1)) == Standing(Stands.ENDED, AT)


def test_what_has_come_after_a_pause_ends_it_and_nothing_else() -> None:
    assert of_alert(alert(), said(EndReason.NO_DATA)) == Standing(Stands.PAUSED, KNOWN)
    assert of_alert(alert(), said(EndReason.NO_DATA, heard=HEARD)) == Standing(Stands.RESUMED, HEARD)
    for rule in ("fall", "sos", "missed_dose"):
        assert of_alert(alert(rule), said(EndReason.NO_DATA, heard=HEARD)) == Standing(Stands.UNHEARD, AT)
    assert of_alert(alert("silent_device"), said(EndReason.NO_DATA)) == Standing(Stands.ENDED, AT)
    assert of_alert(alert(), said(EndReason.TURNED, heard=HEARD)) == Standing(Stands.TURNED, AT)


def test_what_was_noticed_says_how_it_ended_where_it_did() -> None:
    row = {
        "rule": "glucose_high",
        "over_at": AT,
        "over_raised_at": RAISED,
        "end_reason": "recovered",
        "known_until": None,
    }
    assert noticed_end(row, "Europe/Berlin") == "Recovered 29 Nov, 13:00"
    assert noticed_end(row | {"over_at": None}) == ""
