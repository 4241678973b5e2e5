"""On which line of a JSON file a value stands, for messages about it. Pure."""

from collections.abc import Sequence

import yaml


def line_of(text: str, place: Sequence[int | str]) -> int:
    """The line, from 1, of the value at ``place``, or of the nearest one around it; 1 where it can't be found."""
    try:
        # JSON is YAML but for tabs, which stand between its values alone.
        node = yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return 1
    for part in place:
        found = _part_of(node, part)
        if found is None:
            break
        node = found
    # Not the mark's own line: YAML ends lines where JSON does not.
    return 1 if node is None else text.count("\n", 0, node.start_mark.index) + 1


def _part_of(node: yaml.Node | None, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        # Of a key that stands twice, JSON takes the last one.
        return next((value for key, value in reversed(node.value) if getattr(key, "value", None) == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        found: yaml.Node = node.value[part]
        return found
    return None
