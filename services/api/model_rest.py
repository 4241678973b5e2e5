"""Fitted models for programs: what runs live, what is tried beside it, how much each finds; promotion and rollback."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.presentation import title_of
from schemas.rule_versions import LONGEST_REASON, VersionChange
from services.api.access import Action, record
from services.api.answers import ANYWHERE, OF_ONE, WRITES
from services.api.confirmation import Confirmed
from services.api.console import Console, console_of
from services.api.inputs import Text
from services.api.request_checks import check_token
from services.api.rule_versions import (
    LONGEST_NAME,
    Found,
    NotPossibleError,
    RuleModels,
    models_of_rules,
    promote,
    roll_back,
)
from services.api.sessions import SignedIn

router = APIRouter(prefix="/api/v1", tags=["v1"], responses=ANYWHERE)
Token = Annotated[str | None, Header()]
RuleName = Annotated[Text, Path(max_length=64)]


class FoundOut(BaseModel):
    """Findings above level 0, and of how many people."""

    findings: int
    people: int

    @classmethod
    def of(cls, one: Found) -> "FoundOut":
        """For programs."""
        return cls(findings=one.findings, people=one.people)


class ModelChangeOut(BaseModel):
    """What was done about the models of a rule, by whom and why; ``model`` is "" where nothing is tried any more."""

    model: str
    change: VersionChange
    valid_from: datetime
    author: str
    reason: str


class RuleModelsOut(BaseModel):
    """A rule that a model decides: ``live``, ``before`` (what a rollback gives back) and ``tried``, "" for none.

    What is tried alerts nobody. Both are counted from ``since`` on, of everybody on the platform. ``changes``: the
    newest first.
    """

    rule: str
    title: str
    live: str
    before: str
    tried: str
    others: list[str]
    since: datetime
    found: FoundOut
    found_by_tried: FoundOut
    changes: list[ModelChangeOut]

    @classmethod
    def of(cls, one: RuleModels) -> "RuleModelsOut":
        """For programs."""
        return cls(
            **{name: getattr(one, name) for name in ("rule", "live", "before", "tried", "since")},
            title=title_of(one.rule), others=list(one.others), found=FoundOut.of(one.found),
            found_by_tried=FoundOut.of(one.found_in_shadow),
            changes=[
                ModelChangeOut(
                    model=row["artefact"], change=row["change"], valid_from=row["valid_from"],
                    author=row["doctor"] or row["author"], reason=row["reason"],
                )
                for row in one.trail
            ],
        )  # fmt: skip


class ModelChangeIn(BaseModel):
    """``model`` as it was read: what is tried, to promote it; what is live, to roll it back. And why."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[Text, Field(max_length=LONGEST_NAME)]
    reason: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_REASON)]


@router.get("/models")
async def models(request: Request, doctor: SignedIn) -> list[RuleModelsOut]:
    """Every rule that a fitted model decides. A trial is begun and ended by an operator."""
    console = console_of(request)
    await record(console, doctor, Action.READ_MODELS)
    return [RuleModelsOut.of(one) for one in await models_of_rules(console.pool, console.now())]


@router.post("/models/{rule}/promote", responses=OF_ONE | WRITES)
async def promote_model(
    request: Request, rule: RuleName, doctor: Confirmed, wish: ModelChangeIn, x_csrf_token: Token = None
) -> RuleModelsOut:
    """Makes what is tried live, for what is received from ten seconds later on. Needs a proof."""
    check_token(doctor, x_csrf_token)
    console = console_of(request)
    await _of_rule(console, rule)
    try:
        await promote(console, doctor, rule, wish.model, wish.reason)
    except NotPossibleError as error:
        raise HTTPException(409, str(error)) from error
    return RuleModelsOut.of(await _of_rule(console, rule))


@router.post("/models/{rule}/roll-back", responses=OF_ONE | WRITES)
async def roll_model_back(
    request: Request, rule: RuleName, doctor: Confirmed, wish: ModelChangeIn, x_csrf_token: Token = None
) -> RuleModelsOut:
    """Makes live what was live before the promotion, for what is received from ten seconds later on. Needs a proof."""
    check_token(doctor, x_csrf_token)
    console = console_of(request)
    await _of_rule(console, rule)
    try:
        await roll_back(console, doctor, rule, wish.model, wish.reason)
    except NotPossibleError as error:
        raise HTTPException(409, str(error)) from error
    return RuleModelsOut.of(await _of_rule(console, rule))


async def _of_rule(console: Console, rule: str) -> RuleModels:
    """Raises HTTPException where no model decides such a rule."""
    found = await models_of_rules(console.pool, console.now())
    one = next((one for one in found if one.rule == rule), None)
    if one is None:
        raise HTTPException(404, "no model decides such a rule")
    return one
