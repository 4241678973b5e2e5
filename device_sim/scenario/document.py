"""A scenario file as plain values, each with the line it stands on: what is wrong is said with file, line and field."""

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml

from device_sim.errors import SimulatorError

LARGEST_BYTES: Final = 1 << 20
"""A file larger than this is no scenario."""
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"[-+]?(?:[0-9]{1,15}\.[0-9]{0,15}|\.[0-9]{1,15}|[0-9]{1,15})(?:[eE][-+]?[0-9]{1,2})?")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
_TAGS: Final = "tag:yaml.org,2002:"
_ALLOWED_TAGS: Final = frozenset({None, "!", *(f"{_TAGS}{kind}" for kind in ("str", "map", "seq"))})
Path_ = tuple[Hashable, ...]
"""Keys, as text, and places in lists, as numbers, from the top of a file to a value."""


class ScenarioError(SimulatorError):
    """A scenario can't be read, or names what it has not."""

    def __init__(self, file: Path, line: int, field_name: str, message: str) -> None:
        super().__init__(f"{file}:{line}: {field_name + ': ' if field_name else ''}{message}")
        self.file, self.line, self.field, self.message = file, line, field_name, message


@dataclass(slots=True)
class Document:
    """The values of a file, the line of each, and numbers as they were written."""

    file: Path
    value: Any = None
    lines: dict[Path_, int] = field(default_factory=dict)
    written: dict[Path_, str] = field(default_factory=dict)

    def refuse(self, path: Path_, message: str) -> NoReturn:
        """Raises ScenarioError for the value at ``path``, or the nearest one above it that has a line."""
        near = path
        while near and near not in self.lines:
            near = near[:-1]
        raise ScenarioError(self.file, self.lines.get(near, 1), say_path(path), message)


def say_path(path: Iterable[Hashable]) -> str:
    """``story[3].device``: places are counted from 1, as people do."""
    said = ""
    for part in path:
        said += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if said else str(part)
    return said


def read_document(file: Path) -> Document:
    """Reads YAML without anchors and tags, by the core schema of YAML 1.2. Raises ScenarioError."""
    document = Document(file)
    try:
        text = _text_of(file)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ScenarioError(file, 1, "", f"can't be read: {reason}") from error
    try:
        _refuse_anchors(file, text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise ScenarioError(file, line, "", f"is no YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ScenarioError(file, 1, "", "is no YAML: it holds letters that no text has") from error
    except RecursionError as error:
        raise ScenarioError(file, 1, "", "is nested too deeply") from error
    if node is None:
        raise ScenarioError(file, 1, "", "is empty")
    document.value = _take(document, node, ())
    return document


def _text_of(file: Path) -> str:
    with file.open("rb") as stream:
        content = stream.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"it is larger than {LARGEST_BYTES} bytes")
    return content.decode("utf-8-sig")


def _refuse_anchors(file: Path, text: str) -> None:
    # A few lines of aliases of aliases unfold to more than any memory holds.
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            line = 1 if event.start_mark is None else event.start_mark.line + 1
            raise ScenarioError(file, line, "", "anchors and aliases are not part of the format")


def _take(document: Document, node: yaml.Node, path: Path_) -> Any:
    document.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, path)
    if isinstance(node, yaml.SequenceNode):
        _check_tag(document, node, path)
        return [_take(document, one, (*path, place)) for place, one in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - there are three kinds
    return _scalar(document, node, path)


def _mapping(document: Document, node: yaml.MappingNode, path: Path_) -> dict[Any, Any]:
    _check_tag(document, node, path)
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            document.lines[path] = key_node.start_mark.line + 1
            document.refuse(path, "a name is one word")
        key = _scalar(document, key_node, (*path, key_node.value, "its name"))
        # A field is looked for at its name, also where its value begins further down.
        place = (*path, str(key))
        if key in found:
            document.lines[place] = key_node.start_mark.line + 1
            document.refuse(place, "stands here twice")
        found[key] = _take(document, value_node, place)
        document.lines[place] = key_node.start_mark.line + 1
    return found


def _check_tag(document: Document, node: yaml.Node, path: Path_) -> None:
    if node.tag not in _ALLOWED_TAGS:
        document.refuse(path, f"tags ({node.tag}) are not part of the format")


def _scalar(document: Document, node: yaml.ScalarNode, path: Path_) -> Any:
    text: str = node.value
    document.lines.setdefault(path, node.start_mark.line + 1)
    # PyYAML resolves by YAML 1.1, to which 20:00 is a number and `on` is true; any tag but its own is the writer's.
    if node.style is not None:
        return text
    if not node.tag.startswith(_TAGS):
        document.refuse(path, f"tags ({node.tag}) are not part of the format")
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        document.written[path] = text
        return int(text)
    if _DECIMAL.fullmatch(text):
        document.written[path] = text
        return float(text)
    return text
