"""What notifications say: by severity, kind and age, in each language, and nothing about a person unasked."""

from dataclasses import replace
from email.message import EmailMessage
from itertools import product
from string import Formatter
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alert_events import Reason
from schemas.alerts import Severity
from schemas.registry import ContactAddress
from services.alert.words import (
    Details,
    NotificationFacts,
    Standing,
    Words,
    notification_words,
    one_line,
    say_moment,
    say_span,
    words_of,
)
from services.sentences.catalogue import NOTIFICATIONS, Catalogue, UnknownSentenceError, load

MINUTE_MS = 60_000
NOW = 1_795_867_200_000
"""Noon UTC of 2026-11-28."""
ALERT_ID = UUID(int=7)
LINK = "https://console.example/alerts/7"
FACTS = NotificationFacts(
    severity=Severity.HIGH,
    reason=Reason.FIRST,
    standing=Standing.WAITING,
    times=3,
    opened_at=NOW - 95 * MINUTE_MS,
    observed_at=NOW - MINUTE_MS,
    found_at=NOW,
    queued_at=NOW,
    zone="Europe/Berlin",
)
ANNA = Details(name="Anna Muster", text="Oxygen saturation 84 % at last.")
LANGUAGES = get_args(ContactAddress.model_fields["language"].annotation)
ENGLISH, CHINESE = words_of("en"), words_of("zh")


def said(facts: NotificationFacts = FACTS, catalogue: Catalogue = ENGLISH) -> Words:
    return notification_words(facts, catalogue, alert_id=ALERT_ID, link=LINK)


@pytest.mark.parametrize(
    ("reason", "subject"),
    [
        (Reason.FIRST, "HearthBeat, HIGH: new alert"),
        (Reason.WORSE, "HearthBeat, HIGH: an alert got worse"),
        (Reason.CAME_BACK, "HearthBeat, HIGH: it has begun again after it was answered"),
        (Reason.AGAIN, "HearthBeat, HIGH: again, 3 times since 11:25"),
        (Reason.CALLED, "HearthBeat, HIGH: help may be needed, said again"),
        (Reason.REPEAT, "HearthBeat, HIGH: unanswered for 1 h 35 min"),
    ],
)
def test_a_subject_says_how_grave_it_is_and_why_one_is_notified(reason: Reason, subject: str) -> None:
    assert said(replace(FACTS, reason=reason)).subject == subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_kinds_or_severities_have_the_same_subject(language: str) -> None:
    kinds = list(product(Reason, (Severity.MEDIUM, Severity.HIGH), Standing))
    subjects = [
        said(replace(FACTS, reason=reason, severity=severity, standing=standing), words_of(language)).subject
        for reason, severity, standing in kinds
    ]

    assert len(set(subjects)) == len(kinds)


def test_what_came_late_is_said_to_be_from_then_and_a_repetition_says_how_long_it_waits() -> None:
    late = replace(FACTS, observed_at=NOW - 50 * MINUTE_MS, found_at=NOW - 20 * MINUTE_MS)

    assert said(late).subject == "HearthBeat, HIGH: new alert, from 50 min ago"
    assert "What it rests on is 50 min old: it came late." in said(late).text
    assert "ago" not in said(replace(late, reason=Reason.REPEAT)).subject
    assert "ago" not in said(replace(late, found_at=late.observed_at + 15 * MINUTE_MS - 1)).subject


@pytest.mark.parametrize(
    ("standing", "sentence"),
    [
        (Standing.WAITING, "It is waiting for an answer."),
        (Standing.ANSWERED, "It has been answered since."),
        (Standing.RECOVERED, "It has recovered since; nobody has answered it yet."),
    ],
)
def test_the_text_says_how_the_alert_stands_and_where_to_read_the_reason(standing: Standing, sentence: str) -> None:
    lines = said(replace(FACTS, standing=standing)).text.splitlines()

    assert lines[0] == "A new alert. Severity: HIGH."
    assert sentence in lines
    assert lines[-3:] == [f"Alert {ALERT_ID}", "The reason is on the console:", LINK]


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_who_has_asked_for_it_reads_a_name_or_a_value(language: str) -> None:
    for reason in Reason:
        without = said(replace(FACTS, reason=reason), words_of(language))
        named = said(replace(FACTS, reason=reason, details=ANNA), words_of(language))

        assert ANNA.name not in without.subject + without.text
        assert "84" not in without.subject + without.text
        assert ANNA.name in named.subject
        assert ANNA.text in named.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_but_a_recovery_is_said_to_be_better(language: str) -> None:
    better = ("recover", "back", "over", "恢复")
    for reason, standing in product(Reason, (Standing.WAITING, Standing.ANSWERED)):
        words = said(replace(FACTS, reason=reason, standing=standing), words_of(language))
        assert not any(word in words.subject + words.text for word in better)


def test_every_language_has_every_entry_with_the_same_facts() -> None:
    def facts_in(catalogue: Catalogue) -> dict[tuple[str, str], set[str]]:
        return {
            entry: {name for _, name, _, _ in Formatter().parse(words) if name}
            for entry, words in catalogue.sentences.items()
        }

    english, *others = (load(language, NOTIFICATIONS) for language in LANGUAGES)
    assert len(others) == len(LANGUAGES) - 1 > 0
    for other in others:
        assert facts_in(other) == facts_in(english)
        same = {entry for entry, words in other.sentences.items() if words == english.sentences[entry]}
        assert same == {("suffix", "name")}


def test_a_language_without_words_gets_the_english_ones_and_an_unknown_phrase_is_an_error() -> None:
    assert words_of("xx").sentences == ENGLISH.sentences
    with pytest.raises(UnknownSentenceError):
        CHINESE.phrase("subject", "gossip")


@pytest.mark.parametrize(
    ("minutes", "english", "chinese"),
    [
        (0, "0 min", "0 分钟"),
        (59, "59 min", "59 分钟"),
        (60, "1 h 0 min", "1 小时 0 分钟"),
        (1439, "23 h 59 min", "23 小时 59 分钟"),
        (1440, "1 d 0 h", "1 天 0 小时"),
        (3000, "2 d 2 h", "2 天 2 小时"),
    ],
)
def test_spans_are_said_in_minutes_hours_and_days(minutes: int, english: str, chinese: str) -> None:
    assert say_span(minutes * MINUTE_MS + 59_999, ENGLISH) == english
    assert say_span(minutes * MINUTE_MS, CHINESE) == chinese


def test_a_span_is_never_less_than_nothing() -> None:
    assert say_span(-5, ENGLISH) == "0 min"


def test_a_moment_is_said_by_the_doctors_clock_with_its_day_where_that_is_not_today() -> None:
    assert say_moment(NOW, NOW, "Europe/Berlin") == "13:00"
    assert say_moment(NOW - 13 * 60 * MINUTE_MS, NOW, "Europe/Berlin") == "00:00"
    assert say_moment(NOW - 14 * 60 * MINUTE_MS, NOW, "Europe/Berlin") == "2026-11-27 23:00"
    assert say_moment(NOW, NOW, "Mars/Olympus") == "12:00"


NAMES = st.text(max_size=300)


@given(name=NAMES, reason=st.sampled_from(Reason), language=st.sampled_from(LANGUAGES))
def test_whatever_a_person_is_called_the_subject_is_one_line_that_a_header_can_hold(
    name: str, reason: Reason, language: str
) -> None:
    facts = replace(FACTS, reason=reason, details=Details(name=name, text="a\nb"))
    subject = said(facts, words_of(language)).subject
    message = EmailMessage()
    message["Subject"] = subject

    assert subject.isprintable()
    assert len(one_line(name)) <= 100
    assert str(message["Subject"]) == subject
