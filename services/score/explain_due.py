"""Findings that due rows have decided, computed again: falls, the end of calls for help, silences."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from schemas.alerts import EndReason, Finding
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from services.runtime.clock import to_datetime, to_ms
from services.runtime.database import Pool
from services.score.age import URGENT_FOR_MS
from services.score.due import end_of_call
from services.score.fall_rerun import Around, known_of
from services.score.falls import course_of
from services.score.followups import FallCheck, SosCall
from services.score.home_rerun import HomeRerun
from services.score.home_rows import SQL, read_home
from services.score.rule import HOUR_MS
from services.score.rules.silent_device import SILENT_HOME
from services.score.silence import end_of_silence, silence_finding
from services.score.silent_homes import Silence

_DAY_MS: Final = 24 * HOUR_MS
_PRESSED: Final = EVENT_TYPE_BY_KIND[EventKind.SOS_PRESSED].number


class Due:
    """Each gives None where what is stored leads to no such finding."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fall(self, row: Mapping[str, Any], checks: Sequence[FallCheck]) -> Finding | None:
        """By what was known at each look that said something: in turn, up to the finding of ``row``."""
        check = next(
            (one for one in checks if (one.subject.person_no, one.episode) == (row["person_no"], row["episode"])), None
        )
        if check is None:
            return None
        around = await self._around(check, row)
        said = await self._pool.fetch(
            SQL["findings_of_fall"], row["rule"], row["person_no"], row["home_no"], row["episode"]
        )
        level, count, lying_at = None, 0, None
        for one in said:
            known_by = to_ms(one["known_by"] or one["raised_at"])
            fall = known_of(check, around, known_by, level=level, said=count, lying_at=lying_at)
            # When it was looked at is not kept: at the moment that it is stamped with, or shortly before it was raised.
            for moment in (to_ms(one["raised_at"]), to_ms(one["observed_at"])):
                course = course_of(fall, moment, unverified=one["unverified"])
                found = next((f for f in course.findings if f.finding_id == row["finding_id"]), None)
                if found is not None and found.observed_at == to_ms(row["observed_at"]):
                    return found
            if one["finding_id"] == row["finding_id"]:
                return found
            if count < course.said:
                level, count, lying_at = course.level, course.said, course.lying_at
        return None

    async def _around(self, check: FallCheck, row: Mapping[str, Any]) -> Around:
        since, until = check.sample.at - _DAY_MS, to_ms(row["raised_at"])
        people = await self._pool.fetch(SQL["people_of_home"], row["home_no"])
        totals = await self._pool.fetch(SQL["step_totals"])
        return Around(
            records=await read_home(self._pool, row["home_no"], since, until),
            people=[one["person_no"] for one in people],
            totals=[one["device_no"] for one in totals],
        )

    async def call(self, row: Mapping[str, Any], run: HomeRerun) -> Finding | None:
        """A press of the button, or that none has followed."""
        found = run.findings.get(row["finding_id"])
        if found is not None:
            return await self._aged(found, run)
        which = row["person_no"], row["episode"]
        presses = [one for one in run.presses if (one.subject.person_no, one.episode) == which]
        # Of what came after that had passed which was due, some may have been known by then; later ones go on with it.
        for count in range(len(presses), 0, -1):
            end = _end_of(presses[:count])
            if end.finding_id == row["finding_id"]:
                return end
        return None

    async def _aged(self, found: Finding, run: HomeRerun) -> Finding:
        """Somebody who has been seen well since an old press is no news: that was looked up when it was heard of."""
        press = next((one for one in run.presses if one.said == found.said and one.episode == found.episode), None)
        if press is None or press.received_at - press.sample.at <= URGENT_FOR_MS or not found.person_no:
            return found
        records = await read_home(self._pool, found.home_no, press.sample.at, press.received_at)
        around = Around(records=records, people=[found.person_no])
        check = FallCheck(
            subject=press.subject, episode=press.episode, sample=press.sample, due_at=press.sample.at,
            received_at=press.sample.at,
        )  # fmt: skip
        fall = known_of(check, around, press.received_at, level=2, said=0, lying_at=None)
        return replace(found, retrospective=True) if fall.recovered_at is not None else found

    async def silence(self, row: Mapping[str, Any]) -> Finding | None:
        """By what was noted of it, unless something is stored that was received meanwhile."""
        place = row["home_no"], row["person_no"], row["episode"]
        noted = await self._pool.fetchrow(SQL["silence"], *place)
        if noted is None or noted["heard_between"] is not None:
            return None
        device_no = row["evidence"][0]["device_no"] if noted["device_no"] is None else noted["device_no"]
        if row["level"]:
            one = Silence(
                row["home_no"], row["person_no"], device_no, noted["last_heard_at"], noted["silent_at"],
                devices=noted["devices"], offline_at=noted["offline_at"], leaving=noted["leaving"],
            )  # fmt: skip
            return silence_finding(one, row["episode"])
        if noted["ended_at"] is None:
            return None
        about = SILENT_HOME if noted["device_no"] is None else ""
        return end_of_silence({**noted, "device_no": device_no}, EndReason(row["end_reason"]), about=about)


def _end_of(presses: Sequence[SosCall]) -> Finding:
    first = presses[0]
    return end_of_call(
        {
            "person_no": first.subject.person_no, "home_no": first.subject.home_no, "episode": first.episode,
            "observed_at": to_datetime(first.sample.at), "device_no": first.sample.device_no,
            "epoch": first.sample.epoch, "seq": first.sample.seq, "item": first.sample.item,
            "said": max(one.said for one in presses), "due_at": to_datetime(max(one.due_at for one in presses)),
        }
    )  # fmt: skip
