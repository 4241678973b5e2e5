"""Limits of the blood pressure: what the rule says of people who measure at home, beside every reading beyond one."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from matplotlib.axes import Axes

from tests.proving.alarms.recordings import PRESSURE_FILE, Row
from tests.proving.alarms.recordings import pressure as recorded
from tests.proving.scorecard.figures import Figure, over_people
from tests.proving.scorecard.rule_findings import found
from tests.proving.scorecard.section import Goal, Line, Plot, Section, Wanted

OURS: Final = "HearthBeat: > 180/120 or ≤ 90, by the mean of a sitting or said unconfirmed"
_CONCERNS: Final = ("blood_pressure.high", "blood_pressure.low")
_SAID: Final = "alerts per 100 readings"
_SITTING_MIN: Final = 10
_COUNTED: Final = """{people} people with a cuff at home, {readings} readings as they were taken. Nobody knows of any
event in them: what is counted is how many readings would disturb somebody. Of ours, everything that is said counts
against it, also that a first reading was not confirmed; that the person is asked to measure again is a question to the
person, and shown apart. The rivals say what a limit of 135/85, that of a home average, says of each reading or of the
mean of two in ten minutes. By age or sex the recording says nothing."""


class Limit(NamedTuple):
    """Says something of each reading at ``systolic`` or ``diastolic`` (mmHg) and above.

    ``of_two``: of the mean of two readings of a sitting instead, once a sitting.
    """

    name: str
    systolic: float
    diastolic: float
    of_two: bool = False

    def alerts(self, rows: Sequence[Row]) -> int:
        """How often it says something."""
        if not self.of_two:
            return sum(self._is_beyond(row.values) for row in rows)
        count, place = 0, 0
        while place + 1 < len(rows):
            first, second = rows[place], rows[place + 1]
            if second.minute - first.minute > _SITTING_MIN:
                place += 1
                continue
            mean = {name: (first.values[name] + second.values[name]) / 2 for name in first.values}
            count += self._is_beyond(mean)
            place += 2
        return count

    def _is_beyond(self, values: Mapping[str, float]) -> bool:
        return values["systolic"] >= self.systolic or values["diastolic"] >= self.diastolic


RIVALS: Final = (
    Limit("every reading ≥ 135/85", 135, 85),
    Limit("mean of two readings in 10 min ≥ 135/85", 135, 85, of_two=True),
    Limit("every reading ≥ 160/100", 160, 100),
)


def pressure(wanted: Wanted) -> Section:
    """The rule beside its rivals. Raises MissingDataError."""
    people = {
        person: sorted(rows, key=lambda one: one.minute)
        for person, rows in sorted(recorded(wanted.file(PRESSURE_FILE).parent).items())
    }
    ours = []
    for rows in people.values():
        ours.append(found(rows, "pressure_cuff", _CONCERNS))
        wanted.report(len(ours) / len(people))
    readings = [float(len(rows)) for rows in people.values()]

    def per_100(counts: Sequence[float]) -> Figure:
        return over_people(counts, readings, seed=wanted.seed, scale=100)

    lines = [
        Line(detector=one.name, figures={_SAID: per_100([one.alerts(rows) for rows in people.values()])})
        for one in RIVALS
    ]
    said = per_100([one.said for one in ours])
    lines.append(
        Line(
            detector=OURS,
            figures={
                _SAID: said,
                "episodes per 100 readings": per_100([one.alerts for one in ours]),
                "asked to measure again per 100 readings": per_100([one.asked for one in ours]),
            },
            is_ours=True,
        )
    )
    return Section(
        name="pressure",
        title="Limits of the blood pressure",
        counted=_COUNTED.format(people=len(people), readings=int(sum(readings))),
        summary={"pressure_alerts_per_reading": said.value / 100},
        lines=lines,
        goals=(Goal(figure="pressure_alerts_per_reading", at_most=0.05),),
        plots=(
            Plot(
                name="pressure",
                caption="All readings, with the limit of a home average and the limits of the rule",
                draw=partial(_draw, [row for rows in people.values() for row in rows]),
            ),
        ),
        details={"people": len(people), "readings": int(sum(readings))},
    )


def _draw(rows: Sequence[Row], axes: Axes) -> None:
    axes.scatter(
        [row.values["systolic"] for row in rows],
        [row.values["diastolic"] for row in rows],
        s=6,
        alpha=0.6,
        label="reading",
    )
    axes.plot([135, 135, 60], [40, 85, 85], linestyle=":", color="grey", label="135/85: home average")
    axes.plot([180, 180, 60], [40, 120, 120], color="tab:red", label="180/120: measure again, then alert")
    axes.axvline(90, color="tab:orange", label="90: likewise")
    axes.set(xlabel="systolic, mmHg", ylabel="diastolic, mmHg", xlim=(75, 200), ylim=(40, 130))
    axes.legend(fontsize="x-small", loc="lower right")
