"""What is left of a plan's medicine, and when it runs out by what the plan asks for. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

REFILL_DUE_DAYS: Final = 7
"""Somebody should see to a refill when what is left lasts no longer than this."""
FORECAST_DAYS: Final = 120
"""How far ahead doses are counted; medicine for longer is not forecast."""


class StockWhat(StrEnum):
    """What somebody wrote down of a plan's stock."""

    COUNTED = "counted"
    """So many are there now, whatever was thought before."""
    REFILLED = "refilled"
    """So many were added."""


@dataclass(frozen=True, slots=True)
class StockEntry:
    """A row of plan_stock; ``count`` in units of the plan (tablets, drops). ``stock_no`` orders those of one moment."""

    stock_no: int
    at: datetime
    count: float
    what: StockWhat


@dataclass(frozen=True, slots=True)
class Used:
    """What one lift took out: the dose's own count. A double took as much again."""

    at: datetime
    count: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """``left``: units, never below 0. ``runs_out_at``: the first due moment that they do not cover; None: none known.

    ``refill_due``: it lies within REFILL_DUE_DAYS.
    """

    left: float
    runs_out_at: datetime | None
    refill_due: bool


def left_of(entries: Sequence[StockEntry], used: Iterable[Used]) -> float:
    """Units left: the last count, and what was added since, less what was used since; never below 0.

    Without any count it begins at 0 with the first refill. What was used at the very moment of an entry was before it.
    """
    ordered = sorted(entries, key=lambda entry: (entry.at, entry.stock_no))
    counted = [place for place, entry in enumerate(ordered) if entry.what is StockWhat.COUNTED]
    since = ordered[counted[-1] :] if counted else ordered
    if not since:
        return 0.0
    taken_out = sum(one.count for one in used if one.at > since[0].at)
    return max(0.0, sum(entry.count for entry in since) - taken_out)


def supply_of(left: float, dues: Iterable[Used], now: datetime) -> Supply:
    """The forecast for ``left`` units, by the doses to come in order of time: each is covered whole, or not at all."""
    runs_out_at = None
    remaining = left
    for due in dues:
        if due.at > now + timedelta(days=FORECAST_DAYS):
            break
        remaining -= due.count
        if remaining < 0:
            runs_out_at = due.at
            break
    is_due = runs_out_at is not None and runs_out_at - now <= timedelta(days=REFILL_DUE_DAYS)
    return Supply(left=left, runs_out_at=runs_out_at, refill_due=is_due)
