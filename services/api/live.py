"""The live worklist: one stream a page, a new fragment whenever what it shows has changed."""

from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from markupsafe import Markup

from services.api.access import Action, record
from services.api.console import Console, Doctor, console_of
from services.api.reads import Worklist, worklist_of, zone_of
from services.api.rendering import fragment, moment
from services.api.sessions import LookingOn, NotSignedInError, find_doctor
from services.runtime.clock import pause
from services.runtime.database import LOST_CONNECTION
from services.runtime.wakeups import POLL_S

router = APIRouter(include_in_schema=False)

_REST_S: Final = 0.25
"""Between two fragments, however often alerts change."""


def worklist_fragment(console: Console, worklist: Worklist) -> Markup:
    """The worklist as the page holds it and as the stream sends it."""
    return fragment("worklist_rows.html", worklist=worklist, now=console.now())


@router.get("/live")
async def live(request: Request, doctor: LookingOn) -> StreamingResponse:
    """Server-Sent Events: ``worklist`` (HTML), ``now`` (text), ``away`` (no database), ``signed_out``.

    An open page is no action of the doctor: it does not keep the session from growing idle.
    """
    return StreamingResponse(
        _stream(console_of(request), doctor),
        media_type="text/event-stream",
        # nginx would otherwise gather the stream until a buffer is full.
        headers={"X-Accel-Buffering": "no"},
    )


def event(name: str, data: str) -> str:
    """One event as it goes over the wire; a reader puts the lines together again."""
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in data.splitlines() or [""]) + "\n"


async def _stream(console: Console, doctor: Doctor) -> AsyncIterator[str]:
    shown, heard, notified = "", 0, set[int]()
    console.metrics.count("hb_api_live_streams_total")
    yield "retry: 2000\n\n"
    while not console.stop.is_set():
        try:
            # At every turn: a session may have ended since, by time or by signing out elsewhere.
            doctor = await find_doctor(console, doctor.session_hash, doctor.address, acts=False)
            html, people = await _render(console, doctor)
            # Before they are shown, and once a stream: the audit trail names whoever could be seen.
            if people - notified:
                await record(console, doctor, Action.READ_WORKLIST, sorted(people - notified))
                notified |= people
            if html != shown:
                yield event("worklist", html)
                shown = html
            # Also says that the stream lives: a page that hears nothing for long shows that it is
            # stale.
            yield event("now", moment(console.now(), await zone_of(console, doctor)))
        except NotSignedInError:
            yield event("signed_out", "")
            return
        except LOST_CONNECTION:
            yield event("away", "")
        if await pause(console.stop, _REST_S):
            return
        heard = await console.feed.changed_since(heard, POLL_S)


async def _render(console: Console, doctor: Doctor) -> tuple[str, set[int]]:
    worklist = await worklist_of(console, doctor)
    return worklist_fragment(console, worklist), worklist.people
