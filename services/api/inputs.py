"""What a request may say: text that a database can hold, moments that a calendar can hold."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, StringConstraints

_LEEWAY: Final = timedelta(days=1)
_FIRST: Final = datetime.min.replace(tzinfo=UTC) + _LEEWAY
_LAST: Final = datetime.max.replace(tzinfo=UTC) - _LEEWAY


def _in_the_calendar(moment: datetime) -> datetime:
    """A day may be added and taken, in whatever zone. What has no zone is left to whoever asks for one."""
    if moment.tzinfo is not None and not _FIRST <= moment <= _LAST:
        raise ValueError("a moment lies within the calendar")
    return moment


Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Moment = Annotated[datetime, AfterValidator(_in_the_calendar)]
AwareMoment = Annotated[AwareDatetime, AfterValidator(_in_the_calendar)]
VERSION_LIMIT: Final = 2**31
