"""What a request may say: text that a database can hold, moments that a calendar can hold."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints, WithJsonSchema

from schemas.alert_events import DoctorAction, Verdict
from services.api.cursors import CURSOR, read_cursor

_LEEWAY: Final = timedelta(days=1)
_FIRST: Final = datetime.min.replace(tzinfo=UTC) + _LEEWAY
_LAST: Final = datetime.max.replace(tzinfo=UTC) - _LEEWAY


_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YEAR: Final = re.compile(r"\d{4}-")


def _a_date(said: Any) -> Any:
    """A bare number would pass as seconds since 1970, which the OpenAPI does not offer."""
    if isinstance(said, str) and _YEAR.match(said) is None:
        raise ValueError("a moment is written as 2026-11-22T14:30:00Z")
    return said


def _a_day(said: Any) -> Any:
    """As ``_a_date``, without a time of day."""
    if isinstance(said, str) and _DAY.fullmatch(said) is None:
        raise ValueError("a day is written as 2026-11-22")
    return said


def _written(said: Any) -> Any:
    """A bare number would pass as seconds since 1970, which the OpenAPI does not offer."""
    if isinstance(said, (int, float)):
        raise ValueError("a moment is written as 2026-11-22T14:30:00Z")  # noqa: TRY004 - pydantic's way to refuse
    return said


def _whole(said: Any) -> Any:
    return int(said) if isinstance(said, float) and said.is_integer() else said


def _in_the_calendar(moment: datetime) -> datetime:
    """A day may be added and taken, in whatever zone. What has no zone is left to whoever asks for one."""
    if moment.tzinfo is not None and not _FIRST <= moment <= _LAST:
        raise ValueError("a moment lies within the calendar")
    return moment


LONGEST_NOTE: Final = 2000


def one_newline(text: str) -> str:
    """A line ends with LF: forms send CR LF, and a program may send what it likes."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _fits_its_field(note: str) -> str:
    """As `<textarea maxlength>` counts: UTF-16 code units, a line end as one."""
    if len(note.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_NOTE:
        raise ValueError(f"a note has {LONGEST_NOTE} characters at most")
    return note


def _from_an_answer(cursor: str) -> str:
    try:
        read_cursor(cursor)
    except ValueError as error:
        raise ValueError("'after' is the 'next' of an earlier answer") from error
    return cursor


def _as_written(said: Any) -> Any:
    """People write two words; the name of the action has an underscore."""
    return said.replace(" ", "_") if said == _IN_WORDS else said


def _nothing_chosen(said: Any) -> Any:
    """A form sends an empty text where nothing is chosen."""
    return None if said == "" else said


_IN_WORDS: Final = DoctorAction.HANDLED_ALREADY.replace("_", " ")
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
TypedNote = Annotated[Text, AfterValidator(one_newline), AfterValidator(_fits_its_field)]
SentNote = Annotated[Text, StringConstraints(max_length=LONGEST_NOTE), AfterValidator(one_newline)]
"""From a program: counted as JSON Schema counts, in code points and before line ends are made one."""
SentAction = Annotated[
    DoctorAction,
    BeforeValidator(_as_written),
    WithJsonSchema({"type": "string", "enum": [*DoctorAction, _IN_WORDS], "title": "DoctorAction"}),
]
TypedVerdict = Annotated[Verdict | None, BeforeValidator(_nothing_chosen)]
TypedAction = Annotated[DoctorAction | None, BeforeValidator(_nothing_chosen)]
Moment = Annotated[datetime, BeforeValidator(_a_date), AfterValidator(_in_the_calendar)]
AwareMoment = Annotated[AwareDatetime, BeforeValidator(_a_date), AfterValidator(_in_the_calendar)]
WholeNumber = Annotated[int, BeforeValidator(_whole), Field(strict=True)]
"""In a body of JSON, where 3.0 is the same number as 3, and "3" is none."""
SentMoment = Annotated[AwareMoment, BeforeValidator(_written)]
"""In a body of JSON."""
Day = Annotated[date, BeforeValidator(_a_day)]
Cursor = Annotated[str, StringConstraints(pattern=CURSOR), AfterValidator(_from_an_answer)]
VERSION_LIMIT: Final = 2**31
