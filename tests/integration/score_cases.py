"""The case tables of the rules that rows decide: suspected falls, and devices that are silent. In platform seconds."""

from dataclasses import dataclass

from schemas.reasons import Flag
from tests.unit.services.score.case import Kind

MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class FallCase:
    """A fall is suspected at 0. ``answers`` are (second, kind, answer), ``readings`` (second, vital, value, flags).

    ``level`` is what it has come to once the watermark stands at ``watermark``, and ``at`` the second that it is
    stamped with; None: not decided. Stamps are those of the device; what it sends is received ``lag`` seconds later,
    be it that its clock is behind, or that it was offline. ``elsewhere``: answers of another device of the home, whose
    clock is right.
    """

    kind: Kind
    story: str
    level: int | None
    at: float = 60
    answers: tuple[tuple[float, str, str], ...] = ()
    elsewhere: tuple[tuple[float, str, str], ...] = ()
    readings: tuple[tuple[float, str, float, Flag], ...] = ()
    watermark: float = 60
    lag: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceCase:
    """A device registered at 0 and last heard of at ``heard`` (None: never); the watermark stands at ``watermark``.

    ``events`` are (second, kind), ``readings`` (second, vital, value, flags), received ``lag`` seconds later.
    """

    kind: Kind
    story: str
    silent: bool
    watermark: float
    heard: float | None = 0
    device_type: str = "fall_robot"
    events: tuple[tuple[float, str], ...] = ()
    readings: tuple[tuple[float, str, float, Flag], ...] = ()
    lag: float = 0


F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA
UP, LYING, NONE = Flag.UPRIGHT, Flag.LYING, Flag(0)
POOR = Flag.POOR_QUALITY
FALL_ANSWERED, CHECK_IN = "fall_answered", "check_in_answered"

FALL_CASES = (
    FallCase(kind=F, story="lying and still", level=2, readings=((20, "heart_rate", 80, LYING),)),
    FallCase(kind=F, story="an answer after the minute", level=2, answers=((61, FALL_ANSWERED, "ok"),)),
    FallCase(kind=F, story="an answer from before", level=2, answers=((-1, CHECK_IN, "ok"),)),
    FallCase(kind=F, story="nobody understood the answer", level=2, answers=((15, FALL_ANSWERED, "unclear"),)),
    FallCase(kind=F, story="an answer of which nothing is said", level=2, answers=((15, CHECK_IN, ""),)),
    FallCase(
        kind=F, story="asks for help, at once", level=2, at=15, answers=((15, FALL_ANSWERED, "help"),), watermark=16
    ),
    FallCase(
        kind=F,
        story="says that all is well, and then that it is not",
        level=2,
        at=30,
        answers=((10, FALL_ANSWERED, "ok"), (30, CHECK_IN, "help")),
        watermark=31,
    ),
    FallCase(
        kind=F,
        story="asks for help, though up again",
        level=2,
        at=50,
        answers=((50, CHECK_IN, "help"),),
        readings=((20, "steps", 9, UP),),
    ),
    FallCase(
        kind=F,
        story="up for a moment, lying at last",
        level=2,
        readings=((10, "heart_rate", 80, UP), (20, "steps", 8, NONE), (40, "heart_rate", 80, LYING)),
    ),
    FallCase(kind=F, story="the sensor doubts the steps", level=2, readings=((30, "steps", 12, UP | POOR),)),
    FallCase(
        kind=F,
        story="the sensor doubts the posture",
        level=2,
        readings=((30, "steps", 12, NONE), (31, "heart_rate", 80, UP | POOR)),
    ),
    FallCase(
        kind=F,
        story="a clock that lags makes no answer in time of a late one",
        level=2,
        at=360,
        answers=((90, FALL_ANSWERED, "ok"),),
        watermark=400,
        lag=300,
    ),
    FallCase(
        kind=F,
        story="another device's answer after the minute",
        level=2,
        elsewhere=((61, CHECK_IN, "ok"),),
        watermark=62,
    ),
    FallCase(
        kind=D, story="answered, known at once", level=1, at=15, answers=((15, FALL_ANSWERED, "ok"),), watermark=16
    ),
    FallCase(kind=D, story="answers our question", level=1, at=30, answers=((30, CHECK_IN, "ok"),)),
    FallCase(kind=D, story="answers elsewhere", level=1, at=30, elsewhere=((30, CHECK_IN, "ok"),)),
    FallCase(
        kind=D,
        story="up and walking, known at once",
        level=1,
        at=50,
        readings=((40, "heart_rate", 90, UP), (50, "steps", 5, NONE)),
        watermark=51,
    ),
    FallCase(
        kind=D,
        story="lying at first, then up and walking",
        level=1,
        at=55,
        readings=((10, "heart_rate", 90, LYING), (55, "steps", 12, UP)),
    ),
    FallCase(kind=D, story="the minute is not over", level=None, watermark=59.9),
    FallCase(kind=D, story="its minute begins when it is heard of", level=None, watermark=359.9, lag=300),
    FallCase(
        kind=D,
        story="in time by a clock that lags",
        level=1,
        at=40,
        answers=((40, FALL_ANSWERED, "ok"),),
        watermark=341,
        lag=300,
    ),
    FallCase(kind=B, story="an answer in the last instant", level=1, answers=((60, FALL_ANSWERED, "ok"),)),
    FallCase(kind=B, story="four steps", level=2, readings=((40, "heart_rate", 90, UP), (50, "steps", 4, NONE))),
    FallCase(
        kind=B,
        story="steps from before it lay",
        level=2,
        readings=((10, "steps", 9, NONE), (20, "heart_rate", 80, LYING), (30, "steps", 4, UP)),
    ),
    FallCase(kind=B, story="heard of late, and nobody answers", level=2, at=240, watermark=240, lag=180),
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
    SilenceCase(
        kind=F,
        story="put on again before it died",
        silent=True,
        heard=HOUR,
        watermark=4.1 * HOUR,
        device_type="wearable_band",
        events=((50 * MINUTE, "not_worn"), (59 * MINUTE, "worn")),
    ),
    SilenceCase(
        kind=F,
        story="charged, then on somebody who rests",
        silent=True,
        heard=HOUR,
        watermark=4.1 * HOUR,
        device_type="wearable_band",
        events=((50 * MINUTE, "charging"),),
        readings=((59 * MINUTE, "heart_rate", 70, Flag.RESTING),),
    ),
    SilenceCase(
        kind=F,
        story="not worn, then steps",
        silent=True,
        heard=HOUR,
        watermark=4.1 * HOUR,
        device_type="wearable_band",
        events=((50 * MINUTE, "not_worn"),),
        readings=((59 * MINUTE, "steps", 12, NONE),),
    ),
    SilenceCase(
        kind=F,
        story="charged long before it measured again, all of which came at once",
        silent=True,
        heard=8 * HOUR,
        watermark=11.1 * HOUR,
        device_type="wearable_band",
        events=((HOUR, "charging"),),
        readings=((6 * HOUR, "heart_rate", 70, NONE),),
        lag=7 * HOUR,
    ),
    SilenceCase(
        kind=D,
        story="its last word was that it is not worn, after a walk",
        silent=False,
        heard=HOUR,
        watermark=11 * HOUR,
        device_type="wearable_band",
        events=((50 * MINUTE, "worn"), (59 * MINUTE, "not_worn")),
        readings=((58 * MINUTE, "steps", 12, Flag.MOVING),),
    ),
    SilenceCase(
        kind=D,
        story="no step, and a posture that its sensor doubts, are no wrist",
        silent=False,
        heard=HOUR,
        watermark=11 * HOUR,
        device_type="wearable_band",
        events=((50 * MINUTE, "not_worn"),),
        readings=((58 * MINUTE, "steps", 0, NONE), (59 * MINUTE, "heart_rate", 70, UP | POOR)),
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
