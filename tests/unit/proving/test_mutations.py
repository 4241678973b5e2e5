"""Which mutations can be drawn of a source, and that a seed says which of them are."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.settings import CHECKOUT
from tests.proving.mutations.__main__ import sources
from tests.proving.mutations.drawing import Kind, draw, is_pure, lines_of, mutations_of
from tests.proving.mutations.equivalents import EQUIVALENTS
from tests.proving.mutations.grounds import NAMED, SOURCES, Ground
from tests.proving.mutations.mutation import Mutation, StaleMutationError
from tests.proving.mutations.trial import Tried, tried

PURE = sources(Ground.SCORE)
ALL = [one for named in NAMED.values() for one in named]
FEW = {path: PURE[f"services/score/{path}.py"] for path in ("age", "limit_book")}


def drawn_of(source: str) -> set[tuple[Kind, str]]:
    """Kinds, and what the source becomes."""
    return {(kind, one.changed(source)) for kind, one in mutations_of("a.py", source)}


def test_a_comparison_is_flipped_and_its_boundary_is_moved() -> None:
    assert drawn_of("a < b\n") == {(Kind.FLIPPED, "a >= b\n"), (Kind.MOVED, "a <= b\n")}
    assert drawn_of("a not in b\n") == {(Kind.FLIPPED, "a in b\n")}
    assert drawn_of("a is not b\n") == {(Kind.FLIPPED, "a is b\n")}


def test_each_comparison_of_a_chain_is_one_of_its_own() -> None:
    assert {changed for kind, changed in drawn_of("a < b <= c\n") if kind is Kind.MOVED} == {
        "a <= b <= c\n",
        "a < b < c\n",
    }


def test_a_number_changes_by_one_and_a_word_does_not() -> None:
    assert drawn_of("x = 0\ny = 'two'\nz = True\n") == {
        (Kind.NUMBER, "x = 1\ny = 'two'\nz = True\n"),
        (Kind.NUMBER, "x = (-1)\ny = 'two'\nz = True\n"),
    }


def test_and_becomes_or_and_a_return_is_dropped_and_a_branch_negated() -> None:
    source = "def f(a, b):\n    if a and b:\n        return a\n    return b\n"
    assert drawn_of(source) == {
        (Kind.JOINED, source.replace("and", "or")),
        (Kind.BRANCH, source.replace("a and b", "not (a and b)")),
        (Kind.RETURN, source.replace("return a", "pass")),
        (Kind.RETURN, source.replace("return b", "pass")),
    }


def test_places_are_exact_behind_signs_of_several_bytes_and_comments_between_operands() -> None:
    assert drawn_of("'≥ 39 °C' if a else (  # b < c\n    c\n    or d\n)\n") == {
        (Kind.JOINED, "'≥ 39 °C' if a else (  # b < c\n    c\n    and d\n)\n"),
        (Kind.BRANCH, "'≥ 39 °C' if not (a) else (  # b < c\n    c\n    or d\n)\n"),
    }
    compared = "x = (a  # < or > ?\n     > b)\n"
    assert (Kind.MOVED, compared.replace("> b", ">= b")) in drawn_of(compared)


@pytest.mark.parametrize(
    "source",
    [
        '"""Values above 37.8, or below 35."""\n',
        "x: Literal[1]\n",
        "def f(a: tuple[Literal[1], ...]) -> Literal[2]:\n    b(a)\n",
        "__slots__ = ('a',) * 2\n",
        "log.info('so many', count=2)\n",
        "assert a < 3, 'more than 3'\n",
        "raise ValueError(text[:60])\n",
        "if TYPE_CHECKING:\n    X = 1\n",
        "def f():\n    a()\n    return None\n",
        "x = 2**62\n",
        "x = f'{value:{1}}'\n",
    ],
)
def test_what_decides_nothing_is_not_drawn(source: str) -> None:
    assert drawn_of(source) == set()


@given(st.integers(0, 10_000), st.integers(1, 30))
def test_a_seed_gives_the_same_mutations_and_more_of_them_begin_with_the_same(seed: int, count: int) -> None:
    few = draw(seed, count, FEW)
    assert len(few) == count
    assert len({(one.path, one.at, one.before, one.after) for one in few}) == count
    assert list(draw(seed, count + 5, dict(reversed(FEW.items()))))[:count] == few


def test_other_seeds_draw_others_of_each_kind() -> None:
    first, second = draw(1, 6, PURE), draw(2, 6, PURE)
    assert {one.name for one in first} == {one.name for one in second} == set(Kind)
    assert first != second


def test_a_change_elsewhere_moves_no_mutation() -> None:
    path = "services/score/age.py"
    before = draw(3, 20, {path: PURE[path]})
    after = draw(3, 20, {path: PURE[path].replace('"""Whether', '"""A longer line.\n\nWhether', 1)})
    assert [(one.name, one.before, one.after) for one in after] == [(one.name, one.before, one.after) for one in before]


def test_mutations_of_the_product_can_be_compiled() -> None:
    for mutation in draw(1, 300, PURE):
        ast.parse(mutation.changed(PURE[mutation.path]))


def test_what_is_drawn_does_no_io() -> None:
    assert "services/score/beyond.py" in PURE
    assert "services/score/rules/spo2.py" in PURE
    assert "services/score/consumer.py" not in PURE
    assert is_pure('"""What is so. Pure, no wall clock."""\n')
    assert not is_pure('"""What is so.\n\nNot Pure."""\n')


def test_each_part_has_mutations_and_tests_that_have_to_notice() -> None:
    for ground in Ground:
        drawn = draw(1, 100, sources(ground), SOURCES[ground].tests)
        assert len(drawn) == 100
        assert all((CHECKOUT / tests).exists() for one in drawn for tests in one.tests)
    assert "services/medication/machine.py" in sources(Ground.DOSES)
    assert "schemas/alert_machine.py" in sources(Ground.ALERTS)


def test_those_that_have_a_name_fit_the_source() -> None:
    assert len({one.name for one in ALL}) == 20
    for mutation in ALL:
        source = (CHECKOUT / mutation.path).read_text()
        assert mutation.changed(source) != source
        assert all((CHECKOUT / tests).exists() for tests in mutation.tests)


def test_a_mutation_of_a_source_that_has_changed_is_refused() -> None:
    once = Mutation(name="n", path="a.py", before="a", after="b", tests=())
    with pytest.raises(StaleMutationError, match="2 times"):
        once.changed("a a")
    with pytest.raises(StaleMutationError, match="something else"):
        Mutation(name="n", path="a.py", before="a", after="b", at=1, tests=()).changed("aba")


def test_what_is_said_to_change_nothing_still_stands_in_the_source() -> None:
    for path, before, after in EQUIVALENTS:
        assert before in (line.strip() for line in (CHECKOUT / path).read_text().splitlines()), (path, before)
        assert before != after


def test_a_line_is_shown_as_it_is_and_as_it_becomes() -> None:
    source = "def f(a):\n    return a > 1\n"
    (moved,) = [one for kind, one in mutations_of("a.py", source) if kind is Kind.MOVED]
    assert lines_of(moved, source) == ("return a > 1", "return a >= 1")
    assert moved.line(source) == 2


def test_a_trial_says_which_test_noticed_and_leaves_the_copy_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("X = 1\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_x():\n    import a\n    assert a.X < 3\n")
    noticed, survives, endless = (
        Mutation(name="n", path="a.py", before="1", after=after, tests=("tests",))
        for after in ("3", "2", "1\nwhile X: pass")
    )

    def killed_by(mutation: Mutation, limit_s: float = 60) -> str:
        said: Tried = tried(tmp_path, mutation, limit_s=limit_s)
        assert (tmp_path / "a.py").read_text() == "X = 1\n"
        return said.killed_by

    assert killed_by(noticed) == "tests/test_a.py::test_x"
    assert killed_by(survives) == ""
    assert killed_by(endless, 3) == "the limit of 3 s"
