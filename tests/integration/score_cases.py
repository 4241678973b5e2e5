"""The case tables of the rules that rows decide: suspected falls, and devices that are silent. In platform seconds."""

from dataclasses import dataclass

from schemas.reasons import Flag
from tests.unit.services.score.cases import Kind

MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class FallCase:
    """A fall is suspected at 0. ``events`` are (second, kind), ``readings`` (second, vital, value, flags).

    ``level`` is what it has come to once the watermark stands at ``watermark``; None: not decided.
    """

    kind: Kind
    story: str
    level: int | None
    events: tuple[tuple[float, str], ...] = ()
    readings: tuple[tuple[float, str, float, Flag], ...] = ()
    watermark: float = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceCase:
    """A device registered at 0 and last heard of at ``heard`` (None: never); the watermark stands at ``watermark``."""

    kind: Kind
    story: str
    silent: bool
    watermark: float
    heard: float | None = 0
    device_type: str = "fall_robot"
    events: tuple[tuple[float, str], ...] = ()


F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA
UP, LYING, NONE = Flag.UPRIGHT, Flag.LYING, Flag(0)

FALL_CASES = (
    FallCase(kind=F, story="lying and still", level=2, readings=((20, "heart_rate", 80, LYING),)),
    FallCase(kind=F, story="an answer after the minute", level=2, events=((61, "fall_answered"),)),
    FallCase(kind=F, story="an answer from before", level=2, events=((-1, "check_in_answered"),)),
    FallCase(
        kind=F,
        story="up for a moment, lying at last",
        level=2,
        readings=((10, "heart_rate", 80, UP), (20, "steps", 8, NONE), (40, "heart_rate", 80, LYING)),
    ),
    FallCase(kind=D, story="answered", level=1, events=((15, "fall_answered"),)),
    FallCase(kind=D, story="answers our question", level=1, events=((30, "check_in_answered"),)),
    FallCase(kind=D, story="up and walking", level=1, readings=((40, "heart_rate", 90, UP), (50, "steps", 5, NONE))),
    FallCase(kind=D, story="the minute is not over", level=None, watermark=59.9),
    FallCase(kind=B, story="an answer in the last instant", level=1, events=((60, "fall_answered"),)),
    FallCase(kind=B, story="four steps", level=2, readings=((40, "heart_rate", 90, UP), (50, "steps", 4, NONE))),
    FallCase(kind=M, story="nothing at all", level=2),
    FallCase(kind=M, story="steps of nobody knows which posture", level=2, readings=((50, "steps", 30, NONE),)),
)

SILENCE_CASES = (
    SilenceCase(kind=F, story="a robot for over an hour", silent=True, heard=30 * MINUTE, watermark=1.6 * HOUR),
    SilenceCase(
        kind=F,
        story="it was charging, and heard after that",
        silent=True,
        heard=HOUR,
        watermark=2.1 * HOUR,
        events=((30 * MINUTE, "charging"),),
    ),
    SilenceCase(
        kind=F,
        story="charging explains twelve hours, not more",
        silent=True,
        heard=HOUR,
        watermark=13.1 * HOUR,
        events=((HOUR, "charging"),),
    ),
    SilenceCase(kind=D, story="heard a moment ago", silent=False, heard=2 * HOUR, watermark=2.1 * HOUR),
    SilenceCase(kind=D, story="a cuff is used at will", silent=False, watermark=90 * HOUR, device_type="pressure_cuff"),
    SilenceCase(
        kind=D,
        story="its last word was that it charges",
        silent=False,
        heard=HOUR,
        watermark=5 * HOUR,
        events=((HOUR, "charging"),),
    ),
    SilenceCase(
        kind=D,
        story="it is not worn",
        silent=False,
        heard=HOUR,
        watermark=11 * HOUR,
        device_type="wearable_band",
        events=((HOUR, "not_worn"),),
    ),
    SilenceCase(kind=B, story="exactly an hour", silent=False, heard=HOUR, watermark=2 * HOUR),
    SilenceCase(kind=B, story="an hour and a moment", silent=True, heard=HOUR, watermark=2 * HOUR + 0.001),
    SilenceCase(kind=M, story="never heard of since it was registered", silent=True, heard=None, watermark=1.1 * HOUR),
    SilenceCase(kind=M, story="just registered", silent=False, heard=None, watermark=0.9 * HOUR),
)
