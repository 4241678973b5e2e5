"""What the proof of acknowledgements and of the console's list finds: each thing that may go wrong."""

from dataclasses import replace

import pytest

from deploy.reconcile.answers import Answer, Recorded, wrong_answers, wrongly_listed

SENT = Answer(alert_id="a", email="one@example.org", note="n1", said_yes=True)
KEPT = Recorded(alert_id="a", email="one@example.org", note="n1", audited=True)


def test_what_was_answered_and_is_kept_is_well() -> None:
    assert wrong_answers([SENT], [KEPT]) == []


def test_what_was_never_answered_may_be_kept_or_not() -> None:
    unheard = replace(SENT, said_yes=False)
    assert wrong_answers([unheard], []) == wrong_answers([unheard], [KEPT]) == []


@pytest.mark.parametrize(
    ("recorded", "why"),
    [
        ([], "it is not"),
        ([replace(KEPT, email="two@example.org")], "it is not"),
        ([KEPT, KEPT], "2 times"),
        ([KEPT, replace(KEPT, note="n2")], "nobody we know"),
        ([replace(KEPT, audited=False)], "without audit"),
    ],
)
def test_an_acknowledgement_that_went_wrong_is_named(recorded: list[Recorded], why: str) -> None:
    assert why in wrong_answers([SENT], recorded)[0]


WAITING = {("one@example.org", "a"), ("one@example.org", "b"), ("two@example.org", "a")}


def test_a_console_that_lists_what_waits_for_each_doctor_is_well() -> None:
    assert wrongly_listed(WAITING, {"one@example.org": ["b", "a"], "two@example.org": ["a"]}) == []


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        (["a"], "b is not shown"),
        (["a", "b", "c"], "c is shown to one@example.org, though"),
        (["a", "b", "a"], "2 times"),
    ],
)
def test_a_list_that_differs_is_named(listed: list[str], why: str) -> None:
    wrong = wrongly_listed(WAITING, {"one@example.org": listed})
    assert len(wrong) == 1
    assert why in wrong[0]
