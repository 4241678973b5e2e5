"""Whether two versions found the same: every field that the older one has, of every finding. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_EVIDENCE: Final = 9
_RULE, _LEVEL, _RATIONALE = 3, 6, 12
_MOST_SHOWN: Final = 10


@dataclass(slots=True)
class Compared:
    """``differences`` are in words, the first few of them."""

    same: int = 0
    by_rule: dict[str, int] = field(default_factory=dict)
    missing: int = 0
    new: int = 0
    other: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return not (self.missing or self.new or self.other)


def compare(before: Iterable[str], after: Iterable[str], *, whatever_the_rationale: bool = False) -> Compared:
    """``before`` and ``after`` are lines of JSON; a finding may have more fields, and more evidence, at the end."""
    old, new = _by_id(before), _by_id(after)
    if whatever_the_rationale:
        for row in (*old.values(), *new.values()):
            del row[_RATIONALE : _RATIONALE + 1]
    done = Compared(missing=len(old.keys() - new.keys()), new=len(new.keys() - old.keys()))
    done.differences += [f"missing: {old[one]}" for one in sorted(old.keys() - new.keys())]
    done.differences += [f"new: {new[one]}" for one in sorted(new.keys() - old.keys())]
    rules: Counter[str] = Counter()
    for name in sorted(old.keys() & new.keys()):
        if _begins_as(new[name], old[name]):
            done.same += 1
            rules[f"{old[name][_RULE]} {old[name][_LEVEL]}"] += 1
        else:
            done.other += 1
            done.differences.append(f"other: {old[name]} became {new[name]}")
    done.by_rule = dict(sorted(rules.items()))
    del done.differences[_MOST_SHOWN:]
    return done


def _by_id(lines: Iterable[str]) -> Mapping[str, list[Any]]:
    return {row[0]: row for row in map(json.loads, filter(str.strip, lines))}


def _begins_as(new: list[Any], old: list[Any]) -> bool:
    shortened = new[: len(old)]
    if len(shortened) > _EVIDENCE:
        shortened[_EVIDENCE] = [
            {name: one[name] for name in before if name in one}
            for one, before in zip(new[_EVIDENCE], old[_EVIDENCE], strict=False)
        ]
    return shortened == old
