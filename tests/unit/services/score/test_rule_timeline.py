"""Which rules run when: by rows that say from when on, in whatever order they are read, the same for every replay."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Variant
from schemas.rule_versions import VersionChange
from services.score.learned import catalogue_of
from services.score.limit_book import ALWAYS
from services.score.rule import NEVER
from services.score.rule_timeline import RuleTimeline, RuleVersion, Timelines
from services.score.settings import SHIPPED

CATALOGUE = catalogue_of(SHIPPED)
SHIPPED_BOOK = CATALOGUE.shipped.book
RULE = "glucose_forecast"
OF_RELEASE = next(one for one in SHIPPED_BOOK.rules if one.name == RULE)
MODELS = {**CATALOGUE.models, **{name: replace(OF_RELEASE, artefact=name) for name in ("old", "new")}}
LIVE, SHADOW = Variant.LIVE, Variant.SHADOW


def timelines() -> Timelines:
    return Timelines(SHIPPED_BOOK, MODELS)


def in_force(timeline: RuleTimeline, at: int) -> dict[str, str]:
    return {rule.key: rule.artefact for rule in timeline.at(at).rules if rule.name == RULE}


def row(artefact: str, at: int, variant: Variant = LIVE, change: VersionChange = VersionChange.PROMOTED) -> RuleVersion:
    return RuleVersion(RULE, variant, artefact, at, change)


def test_without_rows_what_is_shipped_runs_always() -> None:
    timeline = timelines().of([])
    assert timeline.at(ALWAYS) is timeline.at(NEVER) is SHIPPED_BOOK
    assert timeline.until(0) == NEVER


def test_what_is_tried_runs_beside_the_live_one_until_it_is_ended() -> None:
    timeline = timelines().of([row("new", 100, SHADOW, VersionChange.TRIED), row("", 200, SHADOW, VersionChange.ENDED)])
    assert [in_force(timeline, at) for at in (99, 100, 199, 200)] == [
        {RULE: OF_RELEASE.artefact},
        {RULE: OF_RELEASE.artefact, f"{RULE}|shadow": "new"},
        {RULE: OF_RELEASE.artefact, f"{RULE}|shadow": "new"},
        {RULE: OF_RELEASE.artefact},
    ]
    assert [timeline.until(at) for at in (ALWAYS, 99, 100, 200)] == [100, 100, 200, NEVER]
    assert timeline.at(200) is timeline.at(0)


def test_a_promotion_takes_the_place_of_the_live_one_and_a_rollback_gives_it_back_for_what_comes_after() -> None:
    rows = [
        row(OF_RELEASE.artefact, 10, change=VersionChange.SHIPPED), row("new", 50, SHADOW, VersionChange.TRIED),
        row("new", 100), row("", 100, SHADOW, VersionChange.ENDED),
        row(OF_RELEASE.artefact, 200, change=VersionChange.ROLLED_BACK),
    ]  # fmt: skip
    timeline = timelines().of(rows)
    assert [in_force(timeline, at)[RULE] for at in (99, 100, 199, 200)] == [
        OF_RELEASE.artefact, "new", "new", OF_RELEASE.artefact,
    ]  # fmt: skip
    assert len(in_force(timeline, 100)) == 1


def test_what_a_release_has_brought_first_ran_before_that_was_written_down() -> None:
    shipped = VersionChange.SHIPPED
    timeline = timelines().of([row("old", 100, change=shipped), row(OF_RELEASE.artefact, 500, change=shipped)])
    assert [in_force(timeline, at)[RULE] for at in (ALWAYS, 100, 499, 500)] == ["old"] * 3 + [OF_RELEASE.artefact]


def test_a_model_that_is_not_here_leaves_its_rule_as_it_is_shipped_and_is_named_while_it_is_chosen() -> None:
    some = timelines()
    timeline = some.of([row("lost", 100)])
    assert in_force(timeline, 100)[RULE] == OF_RELEASE.artefact
    assert some.missing == {"lost"}
    some.of([row("lost", 100), row("new", 200)])
    assert some.missing == set()


@given(st.lists(st.tuples(st.sampled_from(["old", "new", OF_RELEASE.artefact]), st.integers(0, 9)), max_size=8))
def test_of_each_moment_the_last_row_that_has_begun_holds(chosen: list[tuple[str, int]]) -> None:
    some = timelines()
    timeline = some.of([row(name, at) for name, at in chosen])
    for at in range(11):
        begun = [(when, place, name) for place, (name, when) in enumerate(chosen) if when <= at]
        expected = max(begun)[2] if begun else OF_RELEASE.artefact
        assert in_force(timeline, at)[RULE] == expected
    assert some.of([row(name, at) for name, at in chosen]).at(9) is timeline.at(9)
