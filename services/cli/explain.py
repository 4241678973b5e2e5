"""`hearthbeat explain FINDING`: the finding computed again from what is stored, beside the stored one."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from services.cli.options import Json
from services.cli.progress import waiting
from services.cli.session import Code, Session, run, say, settings_of, show
from services.runtime.database import load_queries
from services.runtime.settings import database_for_tools
from services.score.compared_findings import Explained, Verdict
from services.score.settings import ScoreSettings

app = typer.Typer()


@app.command()
def explain(
    finding: Annotated[UUID, typer.Argument(metavar="FINDING", help="Its id.")],
    *,
    artefacts: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of fitted models besides score's own: older ones, say.", file_okay=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute a finding again, from what had been received when it was raised, and name each field that differs.

    Readings, events, limits of then, and the fitted model of then. The exit code is 0 where all is byte-identical.
    """
    # Here alone: rules and models take half a second to load, and every other command would wait for them.
    from services.score.explain import Explainer  # noqa: PLC0415
    from services.score.learned import catalogue_of  # noqa: PLC0415

    async def work(session: Session) -> Explained:
        settings = ScoreSettings(database=settings_of(database_for_tools))
        catalogue = catalogue_of(settings.artefacts, artefacts or ())
        explainer = Explainer(session.pool, load_queries("services.score"), catalogue)
        with waiting("computing it again"):
            return await explainer.explain(finding)

    done = run(work)
    plain = {
        "finding": finding,
        "verdict": done.verdict,
        "why": done.why,
        "differences": [one._asdict() for one in done.differences],
    }
    show(as_json, plain, lambda: _show(done))
    raise typer.Exit(Code.DONE if done.verdict is Verdict.SAME else Code.NO)


def _show(done: Explained) -> None:
    say.print(f"{done.verdict.capitalize()}{'.' if not done.why else ': '}{done.why}", markup=False)
    for one in done.differences:
        say.print(f"{one.field}: stored {one.stored}, computed {one.recomputed}", markup=False)
