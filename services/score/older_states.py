"""Checkpoints as older versions of score wrote them, step by step made what the present one reads. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.vitals import VITAL_BY_CODE
from services.score.sample import Sample, pack, runs_of
from services.score.window import REST_MS

_VITAL_OF: Final[Mapping[str, str]] = {"heart_rate": "heart_rate", "spo2": "spo2", "glucose_low": "glucose"}
"""In version 1 a rule had one vital and kept its samples itself."""


_REFRACTORY: Final[Mapping[str, int]] = {"heart_rate": 13, "spo2": 13}
"""Where three numbers stood at the end of a base that are no more."""
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
    """Findings of an episode were not counted, a repetition had to wait, and an episode ended over a gap."""
    subjects = {}
    for person, state in plain["subjects"].items():
        rules = {}
        for name, one in state["rules"].items():
            reported = [[*said, said[3], 0] for said in one["reported"]]
            base = one["base"][: _REFRACTORY.get(name, len(one["base"]))]
            rules[name] = one | {"base": base, "reported": reported}
        subjects[person] = state | {"rules": rules}
    return plain | {"subjects": subjects}


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
        moves = moves or [[first, max(first, end - REST_MS)] for first, end in track.get("moves", ())]
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


_STEPS: Final[tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = (_from_1, _from_2, _from_3)
"""The first makes version 1 version 2, and so on."""
