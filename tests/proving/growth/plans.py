"""A plan in one line: what was read how, from how many chunks, and what it took. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

_READS: Final = (
    "Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan",
)  # fmt: skip


def largest_of_each(plans: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Of a function that ran for many rows, only the execution that touched most."""
    kept: dict[str, dict[str, Any]] = {}
    for plan in plans:
        text = plan["Query Text"]
        if text not in kept or buffers_of(plan["Plan"]) > buffers_of(kept[text]["Plan"]):
            kept[text] = plan
    return kept.values()


def short_form(plans: Sequence[Mapping[str, Any]]) -> str:
    """The plan that reads tables: a panel asks a function, and the function asks them."""
    reading = [one["Plan"] for one in plans if any(node["Node Type"] in _READS for node in nodes_of(one["Plan"]))]
    widest = max(reading or [one["Plan"] for one in plans], key=buffers_of)
    ran: Counter[str] = Counter()
    skipped = 0
    for node in nodes_of(widest):
        if node["Node Type"] in _READS and node.get("Actual Loops", 0):
            relation = str(node.get("Relation Name", "?"))
            ran[f"{node['Node Type']} on {'chunk' if relation.startswith('_hyper') else relation}"] += 1
        skipped += node["Node Type"] in _READS and not node.get("Actual Loops", 0)
        skipped += int(node.get("Chunks excluded during startup", 0))
    reads = ", ".join(f"{count} x {what}" if count > 1 else what for what, count in sorted(ran.items()))
    unread = f", {skipped} not read" if skipped else ""
    hit, read = widest.get("Shared Hit Blocks", 0), widest.get("Shared Read Blocks", 0)
    return f"{reads}{unread}; {hit:,} buffers hit, {read:,} read; {widest.get('Actual Total Time', 0):.1f} ms"


def nodes_of(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A node and all below it."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)


def buffers_of(plan: Mapping[str, Any]) -> int:
    """Pages that a plan touched, in memory or not."""
    return int(plan.get("Shared Hit Blocks", 0)) + int(plan.get("Shared Read Blocks", 0))
