"""What people are asked after a reading that needs a second one, or a word; and what came of it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schemas.messages import CommandKind


class AskKind(StrEnum):
    """What somebody is asked for."""

    MEASURE_AGAIN = "measure_again"
    SYMPTOMS = "symptoms"
    WHO_WAS_MEASURED = "who_was_measured"


class AskOutcome(StrEnum):
    """What came of it. ``NOBODY``: no device of the person can ask; ``EXPIRED``: nobody answered in time.

    ``MINE`` and ``NOT_MINE``: the person has said whether the reading was theirs.
    """

    MEASURED = "measured"
    SYMPTOM = "symptom"
    NO_SYMPTOM = "no_symptom"
    MINE = "mine"
    NOT_MINE = "not_mine"
    EXPIRED = "expired"
    NOBODY = "nobody"


COMMAND_OF: Final[Mapping[AskKind, CommandKind]] = MappingProxyType(
    {
        AskKind.MEASURE_AGAIN: CommandKind.MEASURE_AGAIN,
        AskKind.SYMPTOMS: CommandKind.CHECK_IN,
        AskKind.WHO_WAS_MEASURED: CommandKind.WHO_WAS_MEASURED,
    }
)
"""The command by which a device asks."""
ASKED: Final[Mapping[AskKind, str]] = MappingProxyType(
    {
        AskKind.MEASURE_AGAIN: "to measure again",
        AskKind.SYMPTOMS: "about symptoms",
        AskKind.WHO_WAS_MEASURED: "who was measured",
    }
)
CAME_OF: Final[Mapping[AskOutcome, str]] = MappingProxyType(
    {
        AskOutcome.MEASURED: "measured again",
        AskOutcome.SYMPTOM: "a symptom was named",
        AskOutcome.NO_SYMPTOM: "no symptom was named",
        AskOutcome.MINE: "said that it was theirs",
        AskOutcome.NOT_MINE: "said that it was not theirs",
        AskOutcome.EXPIRED: "nobody answered",
        AskOutcome.NOBODY: "no device could ask",
    }
)
"""Both in the words of the person's page."""
