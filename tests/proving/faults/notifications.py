"""Lines 4, 5, 28, 36 and 39: notifying people, whatever happens to the sender, the receiver and how many there are."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

from deploy.local.ports import free_port
from deploy.platform.tool import run_tool
from tests.proving.faults.kills import dies_at
from tests.proving.faults.line import Figures
from tests.proving.faults.people import Household, alerted, find, settle_in
from tests.proving.faults.plain_device import plain_device
from tests.proving.faults.stream import close_books, streaming
from tests.proving.faults.testbed import Testbed, expect

_LEASES_END: Final = "update notifications set leased_until = to_timestamp(0) where state = 'sending'"
_ATTEMPTS: Final = """
select attempt, outcome, possible_duplicate, started_at from notification_attempts
where doctor_no = $1 order by attempt
"""
_GIVE_UP: Final = "update notifications set state = 'failed' where doctor_no = $1 and state <> 'sent'"
_PENDING: Final = """
select count(*) from escalation_steps join alerts using (alert_id)
where home_no = $1 and escalation_steps.state = 'pending'
"""
_REPEATED: Final = """
select count(*) from escalation_steps join alerts using (alert_id)
where home_no = $1 and repeat = 1 and escalation_steps.state = 'done'
"""
_SENT: Final = "select count(*) from notifications where doctor_no = $1 and state = 'sent'"


def alert_killed(testbed: Testbed) -> Figures:
    """Line 4. The lease of a minute is ended at once."""
    household = settle_in(testbed, email=False, webhook=testbed.receiver.address("line-4"))
    testbed.platform.processes["alert"].stop()
    find(testbed, household)
    dies_at(testbed, "alert", "alert_sent")
    testbed.rows(_LEASES_END)
    testbed.platform.restart_ended()
    testbed.until(lambda: testbed.value(_SENT, household.doctor_no) == 1, "the notification is recorded as sent")
    calls = testbed.receiver.of("line-4")
    expect(len(calls) == 2, f"the receiver saw {len(calls)} notifications")
    expect(calls[0].key == calls[1].key, "the repetition has another key")
    expect([call.flagged for call in calls] == [False, True], "the repetition does not say that it is one")
    attempts = [(row["outcome"], row["possible_duplicate"]) for row in testbed.rows(_ATTEMPTS, household.doctor_no)]
    expect(attempts == [("unknown", False), ("sent", True)], f"the log of attempts says {attempts}")
    close_books(testbed)
    return {"notifications": 2, "flagged": 1}


def steps_due_while_down(testbed: Testbed) -> Figures:
    """Line 5. Ten real seconds are twenty platform minutes."""
    household = settle_in(testbed, people=100)
    alerted(testbed, household)
    testbed.until(lambda: testbed.value(_PENDING, household.home_no) == 100, "every alert waits to be notified again")
    testbed.platform.processes["alert"].kill()
    notified_before = testbed.value(_REPEATED, household.home_no)
    expect(
        not notified_before, f"{notified_before} were notified again before alert was killed: the line shows nothing"
    )
    time.sleep(13)
    testbed.platform.restart_ended()
    took = testbed.until(
        lambda: testbed.value(_REPEATED, household.home_no) == 100, "all hundred are notified again", within_s=20
    )
    expect(took <= 5, f"the last was notified again {took:.1f} s after the start")
    time.sleep(3)
    notified = testbed.value(_REPEATED, household.home_no)
    expect(notified == 100, f"{notified} steps for 100 alerts")
    close_books(testbed)
    return {"steps": 100, "last_after_start_s": round(took, 1)}


def receivers_misbehave(testbed: Testbed) -> Figures:
    """Line 28."""
    closed = f"http://127.0.0.1:{free_port()}/line-28"
    answers = {"line-28-hangs": ["hang", 200], "line-28-fails": [500, 429, 200], "line-28-talks": ["garbage"]}
    testbed.receiver.answers.update(answers)  # type: ignore[arg-type]
    doctors = {
        name: settle_in(testbed, email=False, webhook=testbed.receiver.address(name) if name in answers else closed)
        for name in (*answers, "line-28-refuses")
    }
    mailed = settle_in(testbed)
    for household in (*doctors.values(), mailed):
        find(testbed, household)
    mail_s = testbed.until(lambda: testbed.value(_SENT, mailed.doctor_no) == 1, "the e-mail is sent", within_s=12)
    took = {
        name: testbed.until(lambda one=one: testbed.value(_SENT, one.doctor_no) == 1, f"{name} heard", within_s=45)  # type: ignore[misc]
        for name, one in doctors.items()
        if name != "line-28-refuses"
    }
    gaps = _gaps_s(testbed, doctors["line-28-fails"])
    expect(len(gaps) == 2, f"{len(gaps) + 1} attempts at who answers 500 and 429")
    expect(5 <= gaps[0] <= 8 and 15 <= gaps[1] <= 18, f"the schedule says 5 s and 15 s, it was {gaps}")
    refused = len(_gaps_s(testbed, doctors["line-28-refuses"])) + 1
    expect(refused >= 2, "who refuses the connection was not tried again")
    for name in answers:
        calls = testbed.receiver.of(name)
        expect(len({call.key for call in calls}) == 1, f"{name} was notified under several keys")
    for household in (*doctors.values(), mailed):
        steps = testbed.value(_PENDING, household.home_no)
        expect(steps == 1, "an alert is not notified again")
    testbed.rows(_GIVE_UP, doctors["line-28-refuses"].doctor_no)
    close_books(testbed)
    return {"email_after_s": round(mail_s, 1), "hung_notified_after_s": round(took["line-28-hangs"] + mail_s, 1),
            "retries_after_s": [round(gap, 1) for gap in gaps], "refused_attempts": refused}  # fmt: skip


def _gaps_s(testbed: Testbed, household: Household) -> list[float]:
    at = [row["started_at"] for row in testbed.rows(_ATTEMPTS, household.doctor_no)]
    return [(after - before).total_seconds() for before, after in pairwise(at)]


def alert_storm(testbed: Testbed) -> Figures:
    """Line 39."""
    homes = [settle_in(testbed, people=100) for _ in range(1 if testbed.quick else 5)]
    wanted = 100 * len(homes)
    before = len(testbed.inbox.mails)
    began = time.monotonic()
    for household in homes:
        find(testbed, household)
    testbed.until(lambda: len(testbed.inbox.mails) >= before + wanted, f"{wanted} notifications", within_s=60)
    took = time.monotonic() - began
    sent = testbed.inbox.mails[before:]
    expect(len({one.key for one in sent}) == wanted, "some were not notified, some twice")
    expect(took <= 30, f"the last notification came after {took:.1f} s")
    close_books(testbed)
    return {"patients": wanted, "notifications": len(sent), "last_notification_after_s": round(took, 1)}


@contextmanager
def _followed(testbed: Testbed) -> Iterator[None]:
    follower = testbed.platform.follower()
    follower.start()
    try:
        yield
        expect(follower.alive, f"the follower ended with {follower.exit_code}:\n{follower.tail()}")
    finally:
        follower.stop()


def _far_from_the_broker(testbed: Testbed, *arguments: str) -> None:
    """A command where neither files nor process of the broker are."""
    run_tool({**testbed.platform.tools_environment, "HB_BROKER_KIND": "followed"}, "services.cli", *arguments)


def _anew(testbed: Testbed, device: str) -> None:
    """Lets a revoked device in again, by another secret, for the lines that come after."""
    testbed.platform.command("services.cli", "device", "wipe", device)
    said = testbed.platform.command("services.cli", "device", "rotate", device, "--json")
    testbed.passwords[device] = json.loads(said)["secret"]
    testbed.fleet.path("credentials.json").write_text(json.dumps(testbed.passwords))


def credential_revoked(testbed: Testbed) -> Figures:
    """Line 36. The command can't reach the broker; what stands beside that hears of it from the database."""
    with _followed(testbed), streaming(testbed) as stream, plain_device(testbed, "band") as band:
        band.send(band.pulse(0))
        band.settled(0)
        began = time.monotonic()
        _far_from_the_broker(testbed, "device", "revoke", band.name)
        testbed.until(lambda: band.rejections, "the revoked device is cut off", within_s=60)
        cut_s = time.monotonic() - began
        time.sleep(4)
        expect(not band.online, "the revoked device is back")
        _anew(testbed, band.name)
    disconnects = stream.report["disconnects"]
    expect(not disconnects, f"{disconnects} others were disconnected")
    return {"cut_after_s": round(cut_s, 2), "others_disconnected": disconnects, **stream.figures}
