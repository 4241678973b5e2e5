"""Lines 4, 5, 28, 36 and 39: telling people, whatever happens to who tells, who listens and how many there are."""

import time
from itertools import pairwise
from typing import Final

from deploy.local.ports import free_port
from tests.proving.faults.by_hand import by_hand
from tests.proving.faults.ground import Ground, expect
from tests.proving.faults.kills import dies_at
from tests.proving.faults.line import Figures
from tests.proving.faults.people import Household, alerted, find, settle_in
from tests.proving.faults.stream import close_books, streaming

_LEASES_END: Final = "update outbox set leased_until = to_timestamp(0) where state = 'sending'"
_ATTEMPTS: Final = """
select attempt, outcome, possible_duplicate, started_at from notification_attempts
where doctor_no = $1 order by attempt
"""
_GIVE_UP: Final = "update outbox set state = 'failed' where doctor_no = $1 and state <> 'sent'"
_PENDING: Final = """
select count(*) from escalation_steps join alerts using (alert_id)
where home_no = $1 and escalation_steps.state = 'pending'
"""
_TOLD_AGAIN: Final = """
select count(*) from escalation_steps join alerts using (alert_id)
where home_no = $1 and repeat = 1 and escalation_steps.state = 'done'
"""
_SENT: Final = "select count(*) from outbox where doctor_no = $1 and state = 'sent'"


def alert_killed(ground: Ground) -> Figures:
    """Line 4. The lease of a minute is ended at once."""
    household = settle_in(ground, email=False, webhook=ground.receiver.address("line-4"))
    ground.platform.processes["alert"].stop()
    find(ground, household)
    dies_at(ground, "alert", "alert_sent")
    ground.rows(_LEASES_END)
    ground.platform.restart_ended()
    ground.until(lambda: ground.value(_SENT, household.doctor_no) == 1, "the page is recorded as sent")
    calls = ground.receiver.of("line-4")
    expect(len(calls) == 2, f"the receiver saw {len(calls)} pages")
    expect(calls[0].key == calls[1].key, "the repetition has another key")
    expect([call.flagged for call in calls] == [False, True], "the repetition does not say that it is one")
    attempts = [(row["outcome"], row["possible_duplicate"]) for row in ground.rows(_ATTEMPTS, household.doctor_no)]
    expect(attempts == [("unknown", False), ("sent", True)], f"the log of attempts says {attempts}")
    close_books(ground)
    return {"pages": 2, "flagged": 1}


def steps_due_while_down(ground: Ground) -> Figures:
    """Line 5. Ten real seconds are twenty platform minutes."""
    household = settle_in(ground, people=100)
    alerted(ground, household)
    ground.until(lambda: ground.value(_PENDING, household.home_no) == 100, "every alert waits to be told again")
    ground.platform.processes["alert"].kill()
    told_before = ground.value(_TOLD_AGAIN, household.home_no)
    expect(not told_before, f"{told_before} were told again before alert was killed: the line shows nothing")
    time.sleep(13)
    ground.platform.restart_ended()
    took = ground.until(
        lambda: ground.value(_TOLD_AGAIN, household.home_no) == 100, "all hundred are told again", within_s=20
    )
    expect(took <= 5, f"the last was told again {took:.1f} s after the start")
    time.sleep(3)
    told = ground.value(_TOLD_AGAIN, household.home_no)
    expect(told == 100, f"{told} steps for 100 alerts")
    close_books(ground)
    return {"steps": 100, "last_after_start_s": round(took, 1)}


def receivers_misbehave(ground: Ground) -> Figures:
    """Line 28."""
    closed = f"http://127.0.0.1:{free_port()}/line-28"
    answers = {"line-28-hangs": ["hang", 200], "line-28-fails": [500, 429, 200], "line-28-talks": ["garbage"]}
    ground.receiver.answers.update(answers)  # type: ignore[arg-type]
    doctors = {
        name: settle_in(ground, email=False, webhook=ground.receiver.address(name) if name in answers else closed)
        for name in (*answers, "line-28-refuses")
    }
    mailed = settle_in(ground)
    for household in (*doctors.values(), mailed):
        find(ground, household)
    mail_s = ground.until(lambda: ground.value(_SENT, mailed.doctor_no) == 1, "the e-mail is sent", within_s=12)
    took = {
        name: ground.until(lambda one=one: ground.value(_SENT, one.doctor_no) == 1, f"{name} was told", within_s=45)  # type: ignore[misc]
        for name, one in doctors.items()
        if name != "line-28-refuses"
    }
    gaps = _gaps_s(ground, doctors["line-28-fails"])
    expect(len(gaps) == 2, f"{len(gaps) + 1} attempts at who answers 500 and 429")
    expect(5 <= gaps[0] <= 8 and 15 <= gaps[1] <= 18, f"the schedule says 5 s and 15 s, it was {gaps}")
    refused = len(_gaps_s(ground, doctors["line-28-refuses"])) + 1
    expect(refused >= 2, "who refuses the connection was not tried again")
    for name in answers:
        calls = ground.receiver.of(name)
        expect(len({call.key for call in calls}) == 1, f"{name} was told under several keys")
    for household in (*doctors.values(), mailed):
        steps = ground.value(_PENDING, household.home_no)
        expect(steps == 1, "an alert is not told again")
    ground.rows(_GIVE_UP, doctors["line-28-refuses"].doctor_no)
    close_books(ground)
    return {"email_after_s": round(mail_s, 1), "hung_told_after_s": round(took["line-28-hangs"] + mail_s, 1),
            "retries_after_s": [round(gap, 1) for gap in gaps], "refused_attempts": refused}  # fmt: skip


def _gaps_s(ground: Ground, household: Household) -> list[float]:
    at = [row["started_at"] for row in ground.rows(_ATTEMPTS, household.doctor_no)]
    return [(after - before).total_seconds() for before, after in pairwise(at)]


def alert_storm(ground: Ground) -> Figures:
    """Line 39."""
    homes = [settle_in(ground, people=100) for _ in range(1 if ground.quick else 5)]
    wanted = 100 * len(homes)
    before = len(ground.inbox.mails)
    began = time.monotonic()
    for household in homes:
        find(ground, household)
    ground.until(lambda: len(ground.inbox.mails) >= before + wanted, f"{wanted} pages", within_s=60)
    took = time.monotonic() - began
    pages = ground.inbox.mails[before:]
    expect(len({page.key for page in pages}) == wanted, "some were not paged, some twice")
    expect(took <= 30, f"the last page came after {took:.1f} s")
    close_books(ground)
    return {"patients": wanted, "pages": len(pages), "last_page_after_s": round(took, 1)}


def credential_revoked(ground: Ground) -> Figures:
    """Line 36, the half of it that there is."""
    with streaming(ground) as stream, by_hand(ground, "band") as band:
        band.send(band.pulse(0))
        band.settled(0)
        left = {name: secret for name, secret in ground.passwords.items() if name != band.name}
        ground.stack.register_devices(left)
        try:
            cut_s = ground.until(lambda: band.refusals, "the revoked device is cut off", within_s=60)
            time.sleep(4)
            expect(not band.online, "the revoked device is back")
        finally:
            ground.stack.register_devices(ground.passwords)
    disconnects = stream.report["disconnects"]
    expect(not disconnects, f"{disconnects} others were disconnected")
    return {"cut_after_s": round(cut_s, 2), "others_disconnected": disconnects, **stream.figures}
