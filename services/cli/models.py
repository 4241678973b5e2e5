"""`hearthbeat model list|try|end`: fitted models that run, and those that are tried beside them and alert nobody."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from rich.table import Table

from services.api.rule_versions import Author, RuleModels, end_trial, models_of_rules, try_model
from services.cli.options import By, Json
from services.cli.session import RefusedError, Session, run, say, show
from services.runtime.errors import HearthBeatError

app = typer.Typer(no_args_is_help=True, help="Look at fitted models, and try one beside the live one.")
Rule = Annotated[str, typer.Argument(metavar="RULE", help="As model list names it.")]
Reason = Annotated[str, typer.Option(help="Why.")]


@app.command("list")
def list_models(*, as_json: Json = False) -> None:
    """List every rule that a model decides, what runs live and what is tried, and how much each has found.

    Both are counted since the trial began, or while nothing is tried since the live one runs; seven days at most.
    """
    found = run(lambda session: models_of_rules(session.pool, session.now))
    show(as_json, [_plain(one) for one in found], lambda: _show(found))


def _plain(one: RuleModels) -> dict[str, Any]:
    return {
        "rule": one.rule, "live": one.live, "tried": one.tried, "others": list(one.others),
        "since": one.since.isoformat(), "live_findings": one.found.findings, "live_people": one.found.people,
        "tried_findings": one.found_in_shadow.findings, "tried_people": one.found_in_shadow.people,
    }  # fmt: skip


def _show(found: list[RuleModels]) -> None:
    table = Table("rule", "place", "model", "findings", "people", "since")
    for one in found:
        since = f"{one.since:%Y-%m-%d %H:%M}"
        table.add_row(one.rule, "live", one.live, str(one.found.findings), str(one.found.people), since)
        if one.tried or one.found_in_shadow.findings:
            shadow = one.found_in_shadow
            table.add_row("", "tried", one.tried or "none now", str(shadow.findings), str(shadow.people), since)
        for name in one.others:
            table.add_row("", "known", name, "", "", "")
    say.print(table)


@app.command("try")
def try_it(
    rule: Rule,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="As model list names it.")],
    *,
    reason: Reason,
    by: By = None,
) -> None:
    """Run a model beside the live one of a rule: what it finds is counted, and alerts nobody.

    It begins ten seconds after this.
    """

    async def work(one: Session) -> None:
        by = Author(name=one.by)
        await try_model(one.pool, rule, model, by, reason, one.now, rate=one.clock.rate)

    _change(work, by)
    say.print(f"{model} is tried. A doctor may promote it on the console's page Models.", markup=False)


@app.command("end")
def end(rule: Rule, *, reason: Reason, by: By = None) -> None:
    """End the trial of a rule's model; what it has found stays counted."""

    async def work(one: Session) -> None:
        await end_trial(one.pool, rule, Author(name=one.by), reason, one.now, rate=one.clock.rate)

    _change(work, by)
    say.print("Nothing is tried any more.")


def _change(work: Callable[[Session], Awaitable[None]], by: str | None) -> None:
    async def refusing(session: Session) -> None:
        try:
            await work(session)
        except HearthBeatError as error:
            raise RefusedError(str(error)) from error

    run(refusing, by=by)
