"""An alarm that goes on at one limit and off below another, each for so many values in a row. Pure."""

from collections.abc import Iterable


def follow(
    value: float, *, is_on: bool, run: int, on: float, off: float, on_for: int = 1, off_for: int = 1
) -> tuple[bool, int]:
    """Whether the alarm is on after ``value``, and the new ``run``: values in a row that speak for turning it over.

    Off, it goes on with the ``on_for``-th value in a row at ``on`` or above; on, it goes off with the ``off_for``-th
    below ``off``, which is at most ``on``. ``is_on`` and ``run`` are what the value before has left, at first False and
    0. A value that is NaN speaks for neither. Limits and values share a unit, whichever it is.
    """
    if not (value < off if is_on else value >= on):
        return is_on, 0
    run += 1
    return (not is_on, 0) if run >= (off_for if is_on else on_for) else (is_on, run)


def course(values: Iterable[float], *, on: float, off: float, on_for: int = 1, off_for: int = 1) -> list[bool]:
    """Whether the alarm is on after each value, from one that is off before the first."""
    is_on, run, found = False, 0, []
    for value in values:
        is_on, run = follow(value, is_on=is_on, run=run, on=on, off=off, on_for=on_for, off_for=off_for)
        found.append(is_on)
    return found
