"""While it is calm nobody looks at each reading, and all is as if somebody had."""

from collections.abc import Sequence
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from schemas.devices.wearable_band import WEARABLE_BAND
from schemas.reasons import Flag
from schemas.vitals import HEART_RATE, SPO2
from services.score.calm import Calm
from services.score.person import LateError, PersonState, RepeatedError
from services.score.rule_book import RULE_BOOK
from services.score.rules.heart_rate import HEART_RATE_LIMITS
from services.score.sample import Sample
from services.score.watch_gaps import HeardOf

_BEGAN_AT = 1_700_000_000_000
_VALUES = {
    HEART_RATE.number: [70.0] * 12 + [72.0, 90.0, 118.0, 131.0, 39.0],
    SPO2.number: [97.0] * 9 + [95.0, 90.0, 84.0],
}


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, Sample]]:
    """What happens to a person: readings mostly in order and mostly calm, and what makes somebody look at what was."""
    at, story = _BEGAN_AT, []
    for seq in range(draw(st.integers(1, 90))):
        at += draw(st.sampled_from([0, 1_000, 5_000, 60_000, 60_000, 60_000, 600_000, 4_000_000]))
        late = draw(st.sampled_from([0] * 20 + [1, 30_000, 600_000]))
        vital = draw(st.sampled_from([HEART_RATE.number] * 3 + [SPO2.number]))
        sample = Sample(
            at - late, draw(st.sampled_from(_VALUES[vital])), draw(st.sampled_from([1] * 15 + [2])), 0, seq, 0, vital,
            draw(st.sampled_from([0, int(Flag.RESTING)])), at, WEARABLE_BAND.number,
        )  # fmt: skip
        story.append((draw(st.sampled_from(["take"] * 24 + ["walk", "off", "worn", "pass", "save"])), sample))
    return story


def lived(story: Sequence[tuple[str, Sample]]) -> tuple[list[object], PersonState]:
    """What was said at each step, and what is known in the end."""
    person, said = PersonState(person_no=1), list[object]()
    for what, sample in story:
        at, received_at = sample.at, sample.received_at
        try:
            match what:
                case "take":
                    found = person.take(sample)
                case "walk":
                    found = person.walk(sample.device_no, at, 400, received_at)
                case "off":
                    found = person.take_off(sample.device_no, at, received_at)
                case "worn":
                    found = person.show_worn(sample.device_no, at, received_at, is_said=True)
                case "pass":
                    found = person.pass_time(received_at, HeardOf([[_BEGAN_AT, received_at]], {}))
                case _:
                    person = PersonState.from_plain(
                        person.to_plain(received_at), RULE_BOOK, person.limits, 1, received_at
                    )
                    found = []
        except (LateError, RepeatedError) as error:
            said.append(type(error))
            continue
        said += [(what, at, rule.key, list(reports)) for rule, reports in found]
    return said, person


@given(stories())
def test_it_comes_to_the_same_as_looking_at_each_reading(story: list[tuple[str, Sample]]) -> None:
    said, person = lived(story)
    with patch.object(Calm, "goes_on", return_value=False):
        each_said, each = lived(story)
    assert said == each_said
    assert {name: one.shown() for name, one in person.evaluations.items()} == {
        name: one.shown() for name, one in each.evaluations.items()
    }
    assert person.to_plain() == each.to_plain()


def test_a_quiet_minute_is_calm() -> None:
    """Else nothing would be gained, and the test above would show nothing."""
    minute = [Sample(_BEGAN_AT + 1_000 * n, 70.0 + n % 3, 1, 0, n, 0, HEART_RATE.number) for n in range(60)]
    _, person = lived([("take", one) for one in minute])
    calm = person.evaluation(HEART_RATE_LIMITS).calm
    assert (calm.device_no, calm.newest) == (1, minute[-1])
    assert not calm.goes_on(minute[-1])
    assert not calm.goes_on(minute[-1]._replace(at=_BEGAN_AT + 61_000, value=200.0))
    assert not calm.goes_on(minute[-1]._replace(at=_BEGAN_AT + 61_000, device_no=2))
    assert calm.goes_on(minute[-1]._replace(at=_BEGAN_AT + 61_000))
