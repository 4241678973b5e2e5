"""Trials as a waist sensor would record them: somebody stands, then an impact, then they lie or stand still."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tests.proving.scorecard.recorded_falls import FILE, Trial


def made(
    person: str = "SA01",
    activity: str = "F01",
    *,
    peak_g: float = 5.0,
    tilt_deg: float = 90.0,
    spread_g: float = 0.01,
    impact_at: int = 40,
    ticks: int = 120,
) -> Trial:
    """One impact at a tick, upright before, tilted after."""
    highest = np.full(ticks, 1.05)
    highest[impact_at] = peak_g
    angle = np.radians(np.where(np.arange(ticks) <= impact_at, 0.0, tilt_deg))
    axes = np.column_stack([np.sin(angle), -np.cos(angle), np.zeros(ticks)])
    return Trial(person, activity, highest, np.ones(ticks), np.full(ticks, spread_g), axes)


def people(*, falls: int = 12, daily: int = 12, seed: int = 1) -> list[Trial]:
    """Six young people who fall and do other things, four elderly ones who do other things."""
    generator = np.random.default_rng(seed)
    trials = []
    for person in [f"SA{n:02d}" for n in range(6)] + [f"SE{n:02d}" for n in range(4)]:
        trials += [
            made(person, f"D{1 + n % 19:02d}", peak_g=2 + generator.exponential(0.4), tilt_deg=generator.uniform(0, 65))
            for n in range(daily)
        ]
        if person.startswith("SA"):
            trials += [
                made(
                    person, f"F{1 + n % 15:02d}", peak_g=3 + generator.exponential(3), tilt_deg=generator.normal(90, 8)
                )
                for n in range(falls)
            ]
    return trials


def write(trials: Sequence[Trial], folder: Path) -> None:
    """The recording's file, its rows in another order than time's."""
    columns: dict[str, list[object]] = {name: [] for name in ("activity", "subject", "trial", "t_ds", *_NUMBERS)}
    for number, trial in enumerate(trials):
        parts = [trial.highest, trial.mean, trial.spread, *trial.axes.T]
        for tick in reversed(range(len(trial.highest))):
            names = trial.activity, trial.person, f"R{number:02d}", tick
            numbers = (round(1000 * float(part[tick])) for part in parts)
            for name, value in zip(columns, (*names, *numbers), strict=True):
                columns[name].append(value)
    parquet.write_table(pa.table(columns), folder / FILE)


_NUMBERS = ("acc_max_mg", "acc_mean_mg", "acc_sd_mg", "ax_mg", "ay_mg", "az_mg")
