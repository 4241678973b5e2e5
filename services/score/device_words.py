"""What devices say of themselves: how a command went, and how full their battery is. Pure."""

from typing import Final

from schemas.alerts import EndReason, Finding, Message
from schemas.devices.pill_dispenser import PILL_DISPENSER
from schemas.records import DeviceWord, JudgedEvent, JudgedUplink
from services.score.firmware_faults import BEGAN, FirmwareHabits
from services.score.home_state import HomeState
from services.score.rule import ENDED, Mark, Rule, Subject, finding_from
from services.score.rules.command_failed import COMMAND_FAILED, FAILED_AT_DISPENSER
from services.score.rules.low_battery import LOW_BATTERY, LOW_PERCENT, percent_message
from services.score.sample import Sample

_NOWHERE: Final = -1
"""A status has no number of an uplink."""


def report_device(
    state: HomeState,
    subject: Subject,
    rule: Rule,
    open_one: tuple[int, int],
    sample: Sample,
    reason: EndReason | None,
    message: Message | None = None,
) -> tuple[int, int, Finding]:
    """A finding about whoever has a device, that it begins or why it ended; with the episode that is open then.

    An episode that is open is its number and the person whom it is about; who has the device now may be somebody else.
    """
    episode, of = open_one
    if reason is None:
        of = subject.person_no
        episodes = state.subject(of).episodes
        episode = episodes[rule.name] = episodes.get(rule.name, 0) + 1
    elif of < 0:
        of = subject.person_no
    mark = Mark(1 if reason is None else ENDED, sample, sample, reason)
    finding = finding_from(rule, Subject(of, subject.home_no), episode, mark, message=message)
    return (episode if reason is None else 0), of, finding


def hear_result(state: HomeState, record: JudgedUplink, event: JudgedEvent) -> list[Finding]:
    """What follows from how a command went: it failed for the first time, or one was done after all."""
    result = event.details.get("result")
    habits = state.habits.get(record.device_no)
    if habits is None:
        if result != "failed":
            return []
        habits = state.habits[record.device_no] = FirmwareHabits()
    said = habits.see_result(failed=result == "failed", done=result == "done", at=event.observed_at)
    if said is None:
        return []
    sample = Sample(event.observed_at, 0.0, record.device_no, record.epoch, record.seq, event.item)
    reason = None if said == BEGAN else EndReason.RECOVERED
    subject = Subject(event.person_no, record.home_no)
    is_dispenser = record.device_type == PILL_DISPENSER.number
    words = FAILED_AT_DISPENSER if is_dispenser and reason is None else None
    habits.command, habits.command_of, finding = report_device(
        state, subject, COMMAND_FAILED, (habits.command, habits.command_of), sample, reason, words
    )
    return [finding]


def hear_status(state: HomeState, word: DeviceWord) -> list[Finding]:
    """What follows from a device's status: its battery is low, or has been charged."""
    percent = word.battery_percent
    if percent is None:
        return []
    habits = state.habits.get(word.device_no)
    if habits is None:
        if percent > LOW_PERCENT:
            return []
        habits = state.habits[word.device_no] = FirmwareHabits()
    said = habits.see_percent(percent, word.received_at)
    if said is None:
        return []
    sample = Sample(word.received_at, percent, word.device_no, _NOWHERE, _NOWHERE, _NOWHERE)
    reason = None if said == BEGAN else EndReason.RECOVERED
    subject = Subject(word.person_no, word.home_no)
    words = percent_message(percent, has_ended=reason is not None)
    habits.battery, habits.battery_of, finding = report_device(
        state, subject, LOW_BATTERY, (habits.battery, habits.battery_of), sample, reason, words
    )
    return [finding]
