"""Checkpoints as older versions of score wrote them, step by step made what the present one reads. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from schemas.vitals import VITAL_BY_CODE
from services.score.sample import Sample, pack, runs_of

_VITAL_OF: Final[Mapping[str, str]] = {"heart_rate": "heart_rate", "spo2": "spo2", "glucose_low": "glucose"}
"""In version 1 a rule had one vital and kept its samples itself."""
_REST_MS: Final = 10 * 60_000
"""So long a movement spoke for what came after it."""


_DEVICE: Final = 2
"""The field of a sample's device."""
_SEQ: Final = 3
"""The column of a sample's uplink, see ``sample.pack``."""


def upgraded(plain: dict[str, Any], version: int) -> dict[str, Any]:
    """A home's state of ``version``, in the present form."""
    for step in _STEPS[version - 1 :]:
        plain = step(plain)
    return plain


def _from_2(plain: dict[str, Any]) -> dict[str, Any]:
    """An episode did not say its concern, nobody's days were kept, numbers of uplinks were not written as runs."""
    subjects = {}
    for person, state in plain["subjects"].items():
        rules = {
            name: one | {"reported": [[*reported, ""] for reported in one["reported"]]}
            for name, one in state["rules"].items()
        }
        samples = {
            code: [*columns[:_SEQ], runs_of(columns[_SEQ]), *columns[_SEQ + 1 :]]
            for code, columns in state["samples"].items()
        }
        subjects[person] = state | {"rules": rules, "samples": samples, "recent": {}}
    return plain | {"subjects": subjects}


def _from_3(plain: dict[str, Any]) -> dict[str, Any]:
    """Findings and presses were not counted, devices were not judged apart, a movement spoke for ten minutes."""
    subjects = {}
    for person, state in plain["subjects"].items():
        rules = {
            name: one
            | {
                "base": _glucose_base_from_3(one["base"]) if name == "glucose_low" else _base_from_3(one["base"]),
                "reported": [[*said, said[3], 0, None] for said in one["reported"]],
            }
            for name, one in state["rules"].items()
        }
        calls = {name: [[*call, 1, []] for call in some] for name, some in state["calls"].items()}
        kept = {name: one for name, one in state.items() if name != "moves"} | {"rules": rules, "calls": calls}
        subjects[person] = kept | {"movement": [state["moves"], []], "wearing": []}
    return plain | {"subjects": subjects}


def _from_4(plain: dict[str, Any]) -> dict[str, Any]:
    """What a person's usual temperature is was not known, of pressure no symptoms, and of no vital what was watched.

    Of devices less was kept; what a list lacks at its end, ``FirmwareHabits`` fills in.
    """
    subjects = {}
    for person, state in plain["subjects"].items():
        rules = {
            name: one | {"base": _BASES_FROM_4.get(name, _unchanged)(one["base"])}
            for name, one in state["rules"].items()
        }
        wearing = [[*said, []] for said in state["wearing"]]
        subjects[person] = state | {"rules": rules, "coverage": {}, "gaps": {}, "wearing": wearing}
    return plain | {"subjects": subjects, "heard": [], "devices": []}


def _from_5(plain: dict[str, Any]) -> dict[str, Any]:
    """Of readings held in a row only their number was kept, nothing was confirmed; or there were no bands at all."""
    subjects = {}
    for person, state in plain["subjects"].items():
        # Moments at which nothing was measured: only how many there are is known.
        bands = {
            code: [at, values, list(range(in_a_row)), []]
            for code, (at, values, in_a_row) in state.get("bands", {}).items()
        }
        subjects[person] = state | ({"bands": {"values": bands, "asked": None}} if bands else {})
    return plain | {"subjects": subjects}


def _unchanged(base: Sequence[Any]) -> Sequence[Any]:
    return base


def _temperature_base_from_4(base: Sequence[Any]) -> list[Any]:
    return [base, [0, [], [], []]]


def _pressure_base_from_4(base: Sequence[Any]) -> list[Any]:
    *rest, course = base
    return [*rest, None if course is None else [*course, None], None]


_BASES_FROM_4: Final[Mapping[str, Callable[[Sequence[Any]], Sequence[Any]]]] = {
    "temperature": _temperature_base_from_4,
    "blood_pressure": _pressure_base_from_4,
}


def _base_from_3(base: Sequence[Any]) -> list[Any]:
    """Of limits on two sides that had to be passed for a while; then came three numbers that are no more."""
    level, since, side, at, value, odd, run_side, first_1, count_1, first_2, count_2, last_beyond, clear_at, *_ = base
    known = last_beyond or first_1 or first_2
    if known is None:
        return [[], []]
    firsts = [(0, first_1, count_1), (1, first_2, count_2)] if run_side else []
    runs = [[run_side, place, first, at, count] for place, first, count in firsts if first]
    track = [known[_DEVICE], 0, at, value, 0, 0, odd, [[side, clear_at]] if clear_at else [], runs]
    return [[track], _course_from_3(level, since, side, known)]


def _glucose_base_from_3(base: Sequence[Any]) -> list[Any]:
    """Of the hypoglycaemia events of a monitor."""
    level, since, at, low_at, very_low_at, last_low, back_at = base
    known = last_low or low_at
    if known is None:
        return [[], []]
    below = -1
    runs = [[below, place, first, at, 1] for place, first in enumerate((low_at, very_low_at)) if first]
    track = [known[_DEVICE], 0, at, known[1], 0, 0, 0, [[below, back_at]] if back_at else [], runs]
    return [[track], _course_from_3(level, since, below, known)]


def _course_from_3(level: int, since: int, side: int, known: Sequence[Any]) -> list[Any]:
    return [[side, level, since, known[1], list(known), list(known), [known[_DEVICE]], 0]] if level else []


def _from_1(plain: dict[str, Any]) -> dict[str, Any]:
    """Each rule had a track: base, window, moves, episodes. A person has one window now, for all rules."""
    return {
        "seen": plain["seen"],
        "subjects": {person: _person_from_1(state) for person, state in plain["subjects"].items()},
        "habits": plain.get("habits", {}),
    }


def _person_from_1(plain: dict[str, Any]) -> dict[str, Any]:
    samples: dict[str, list[Any]] = {}
    rules: dict[str, dict[str, Any]] = {}
    moves: list[list[int]] = []
    for name, track in plain["tracks"].items():
        code = _VITAL_OF[name]
        vital = VITAL_BY_CODE[code].number
        # Only what was trimmed was written. So the first sample that was kept is where the window begins.
        kept = [_sample(one, vital) for one in track.get("window", ())]
        if kept:
            columns = samples[code] = pack(kept)
            columns[_SEQ] = [number for number, times in columns[_SEQ] for _ in range(times)]
        moves = moves or [[first, max(first, end - _REST_MS)] for first, end in track.get("moves", ())]
        rules[name] = {
            "base": [list(_sample(one, vital)) if isinstance(one, list) else one for one in track.get("base", ())],
            "since": kept[0].at if kept else 0,
            "reported": track.get("reported", []),
            "episodes": track["episodes"],
        }
    return {
        "samples": samples, "moves": moves, "rules": {name: one for name, one in rules.items() if one["base"]},
        "models": {},
        "calls": plain["calls"],
        "episodes": plain["episodes"] | {name: one["episodes"] for name, one in rules.items() if not one["base"]},
    }  # fmt: skip


def _sample(fields: list[Any], vital: int) -> Sample:
    """It was not known then when a reading was received; it came when it was measured, as most do."""
    at, value, device_no, epoch, seq, item = fields
    return Sample(at, value, device_no, epoch, seq, item, vital, 0, at)


_STEPS: Final[tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = (_from_1, _from_2, _from_3, _from_4, _from_5)
"""The first makes version 1 version 2, and so on."""
