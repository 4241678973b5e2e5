"""Draws mutations of pure modules by a seed: what can be changed, and which of it is. Pure.

What changes nothing is left out: docstrings, annotations, `__slots__`, logging, and what only assertions and errors
say.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from tests.proving.mutations.equivalents import EQUIVALENTS
from tests.proving.mutations.mutation import Mutation


class Kind(StrEnum):
    """What is done to the source."""

    FLIPPED = "comparison flipped"
    MOVED = "boundary moved"
    NUMBER = "constant by one"
    JOINED = "and for or"
    RETURN = "return dropped"
    BRANCH = "branch negated"


_FLIPPED: Final[Mapping[type[ast.cmpop], str]] = {
    ast.Lt: ">=", ast.LtE: ">", ast.Gt: "<=", ast.GtE: "<", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
_MOVED: Final[Mapping[type[ast.cmpop], str]] = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
_COMPARES: Final = re.compile(rb"<=|>=|==|!=|<|>|\bis\s+not\b|\bnot\s+in\b|\bis\b|\bin\b")
_JOINS: Final = re.compile(rb"\band\b|\bor\b")
_LOGS: Final = frozenset({"log", "logger", "logging"})


@dataclass(frozen=True, slots=True)
class _Change:
    kind: Kind
    at: int
    until: int
    after: str


class _Finder(ast.NodeVisitor):
    """Collects what can be changed in one module, as spans of bytes."""

    def __init__(self, source: str) -> None:
        self.found: list[_Change] = []
        self._held = source.encode()
        self._lines = [0]
        for line in self._held.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._lines[node.lineno - 1] + node.col_offset,
            self._lines[node.end_lineno - 1] + node.end_col_offset,
        )

    def _between(self, left: ast.expr, right: ast.expr, words: re.Pattern[bytes]) -> tuple[int, int]:
        """Where the operator of two operands stands; a comment between them is none."""
        begins, ends = self._span(left)[1], self._span(right)[0]
        gap = re.sub(rb"#[^\n]*", lambda comment: b" " * len(comment[0]), self._held[begins:ends])
        operator = words.search(gap)
        assert operator is not None
        return begins + operator.start(), begins + operator.end()

    def _add(self, kind: Kind, span: tuple[int, int], after: str) -> None:
        self.found.append(_Change(kind, *span, after))

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
            span = self._between(left, right, _COMPARES)
            self._add(Kind.FLIPPED, span, _FLIPPED[type(operator)])
            if type(operator) in _MOVED:
                self._add(Kind.MOVED, span, _MOVED[type(operator)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._add(Kind.JOINED, self._between(left, right, _JOINS), "or" if isinstance(node.op, ast.And) else "and")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            for number in (node.value + 1, node.value - 1):
                self._add(Kind.NUMBER, self._span(node), f"{number}" if number >= 0 else f"({number})")

    def visit_BinOp(self, node: ast.BinOp) -> None:
        # 2**62 is "never", and so is 2**61.
        if not isinstance(node.op, ast.Pow):
            self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        self._add(Kind.RETURN, self._span(node), "pass")
        self.generic_visit(node)

    def _negate(self, test: ast.expr) -> None:
        # A comparison alone is negated by flipping it.
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1):
            at, until = self._span(test)
            self._add(Kind.BRANCH, (at, until), f"not ({self._held[at:until].decode()})")

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        self._negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._negate(test)
        self.generic_visit(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        last = node.body[-1]
        for statement in node.body:
            # At the end it says nothing that leaving the function does not.
            if not (statement is last and isinstance(last, ast.Return) and _is_nothing(last.value)):
                self.visit(statement)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if not any(isinstance(target, ast.Name) and target.id == "__slots__" for target in node.targets):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if not (isinstance(owner, ast.Name) and owner.id in _LOGS):
            self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        """What an assertion says holds anyway."""

    def visit_Raise(self, node: ast.Raise) -> None:
        """The words of an error decide nothing."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Before Python 3.12 a part of an f-string does not know its place."""


def _is_nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def is_pure(source: str) -> bool:
    """Whether the first line of a module says that it does no I/O."""
    words = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    return re.search(r"\bPure\b", words) is not None


def mutations_of(path: str, source: str, tests: tuple[str, ...] = ()) -> Iterator[tuple[Kind, Mutation]]:
    """Every change that can be drawn of a module, in the order of the source; ``tests`` have to notice."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    held = source.encode()
    for one in sorted(finder.found, key=lambda change: (change.at, change.kind, change.after)):
        before = held[one.at : one.until].decode()
        mutation = Mutation(name=one.kind, path=path, before=before, after=one.after, at=one.at, tests=tests)
        if (path, *lines_of(mutation, source)) not in EQUIVALENTS:
            yield one.kind, mutation


def lines_of(mutation: Mutation, source: str) -> tuple[str, str]:
    """The line in which a mutation begins, as it is and as it becomes."""
    held = source.encode()
    at = held.index(mutation.before.encode()) if mutation.at < 0 else mutation.at
    begins, behind = held.rfind(b"\n", 0, at) + 1, at + len(mutation.before.encode())
    before = held[begins:].partition(b"\n")[0]
    after = held[begins:at] + mutation.after.encode() + held[behind:].partition(b"\n")[0]
    return before.decode().strip(), after.partition(b"\n")[0].decode().strip()


def draw(seed: int, count: int, sources: Mapping[str, str], tests: tuple[str, ...] = ()) -> Sequence[Mutation]:
    """``count`` mutations of the modules ``sources`` (text by path), of each kind in turn; ``tests`` have to notice.

    Which they are follows from the seed and from what stands in their lines: a change elsewhere moves none of them.
    """
    ranked: dict[Kind, list[tuple[str, Mutation]]] = {kind: [] for kind in Kind}
    for path, source in sorted(sources.items()):
        seen: Counter[tuple[str, ...]] = Counter()
        for kind, mutation in mutations_of(path, source, tests):
            words = (path, kind, *lines_of(mutation, source))
            seen[words] += 1
            ranked[kind].append((_rank(seed, *words, str(seen[words])), mutation))
    turns = [sorted(ranked[kind], key=lambda one: one[0]) for kind in sorted(Kind, key=lambda one: _rank(seed, one))]
    return list(_in_turn(turns))[:count]


def _in_turn(turns: Sequence[Sequence[tuple[str, Mutation]]]) -> Iterable[Mutation]:
    for place in range(max(map(len, turns), default=0)):
        yield from (turn[place][1] for turn in turns if place < len(turn))


def _rank(seed: int, *words: str) -> str:
    return sha256("\0".join((str(seed), *words)).encode()).hexdigest()
