"""What every resource under /api/v1 may answer beside what it was asked for."""

from typing import Any, Final

from pydantic import BaseModel


class ProblemOut(BaseModel):
    """Why there is no other answer."""

    detail: str


class FieldProblemOut(BaseModel):
    """A field that can't be read: where it stands and what is wrong with it."""

    loc: list[str | int]
    msg: str
    type: str


class NotUnderstoodOut(BaseModel):
    """What is wrong with the request: a sentence, or field by field."""

    detail: str | list[FieldProblemOut]


Responses = dict[int | str, dict[str, Any]]
ANYWHERE: Final[Responses] = {
    401: {"model": ProblemOut, "description": "Not signed in"},
    422: {"model": NotUnderstoodOut, "description": "Not understood"},
    503: {"model": ProblemOut, "description": "The database can't be reached; try again"},
}
THROTTLED: Final[Responses] = {429: {"model": ProblemOut, "description": "Too many attempts; wait"}}
OF_ONE: Final[Responses] = {404: {"model": ProblemOut, "description": "Nothing here, or not in your care"}}
WRITES: Final[Responses] = {
    400: {"model": ProblemOut, "description": "The body can't be read"},
    403: {"model": ProblemOut, "description": "Without the session's own token, or without a proof"},
    409: {"model": ProblemOut, "description": "It has changed since"},
    413: {"model": ProblemOut, "description": "The body is too large"},
}
