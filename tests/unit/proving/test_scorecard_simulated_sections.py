"""The gate without recordings: what runs, and what ships, on simulated signals; they are marked, and meet no goal."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.score.models.glucose_forecast import FORM, GlucoseModel
from tests.proving.scorecard.hypoglycaemia import scored
from tests.proving.scorecard.hypoglycaemia_events import count, in_sight, onsets
from tests.proving.scorecard.page import write_page
from tests.proving.scorecard.recorded_glucose import FILE, traces
from tests.proving.scorecard.report import document
from tests.proving.scorecard.section import MissingDataError, Section, Wanted
from tests.proving.scorecard.sections import SECTIONS
from tests.proving.scorecard.shipped import shipped
from tests.proving.scorecard.simulated_recordings import with_simulated, write_recordings
from tests.proving.scorecard.technical import technical

WANTED = Wanted(data=None, seed=18)
LEAST_FOUND, MOST_FALSE_A_DAY = 0.7, 0.6
"""Of simulated people: of what ships 0.80 and 0.36 over three seeds."""


@pytest.fixture(scope="module", name="silence")
def _silence() -> Section:
    return with_simulated(technical, WANTED, people=8, days=6)


def test_what_ships_warns_simulated_people_of_lows(tmp_path: Path) -> None:
    artefact, why = shipped(FORM)
    assert artefact is not None, why
    write_recordings(tmp_path, seed=18, people=16, days=5)
    model = GlucoseModel.from_artefact(artefact)
    random = np.random.default_rng(1)
    counts = [
        count(trace, in_sight(trace, onsets(trace)), scored(model, trace).alerts, random)
        for trace in traces(tmp_path / FILE).values()
    ]
    lows = sum(one.lows for one in counts)
    assert lows > 30
    assert sum(one.found for one in counts) >= LEAST_FOUND * lows
    assert sum(one.false for one in counts) <= MOST_FALSE_A_DAY * sum(one.days for one in counts)


def test_every_simulated_outage_is_said_within_the_limit(silence: Section) -> None:
    assert silence.summary["outages_found_in_time"] == 1
    assert silence.summary["technical_alerts_per_day"] <= 0.3


def test_nobody_simulated_who_is_well_is_alerted_of() -> None:
    for name, figure in (("pressure", "pressure_alerts_per_reading"), ("pulse", "pulse_alerts_per_worn_day")):
        assert with_simulated(SECTIONS[name], WANTED, people=8, days=1).summary[figure] == 0


def test_simulated_is_said_everywhere_and_no_goal_is_compared(silence: Section, tmp_path: Path) -> None:
    failing = replace(silence, summary=dict.fromkeys(silence.summary, 99.0))
    assert failing.missed == []
    found = document([silence], {}, seed=18, took_s=0)
    assert found["technical"]["simulated"] is True
    assert found["technical"]["goals"] == []
    page = tmp_path / "page"
    write_page([silence], {}, page, tmp_path)
    assert "## Silent devices (simulated)" in page.read_text()
    assert "**Simulated**: no recordings were given" in page.read_text()


def test_what_no_simulation_has_is_not_run() -> None:
    for name in ("deterioration", "falls"):
        with pytest.raises(MissingDataError, match="DATA=folder"):
            SECTIONS[name](WANTED)


def test_the_same_seed_draws_the_same(silence: Section) -> None:
    assert with_simulated(technical, WANTED, people=8, days=6).summary == silence.summary


def test_an_artefact_that_is_missing_is_said_and_no_more(tmp_path: Path) -> None:
    artefact, said = shipped(FORM, tmp_path)
    assert artefact is None
    assert "glucose_forecast.npz" in said["shipped"]["not_measured"]
