"""The page of models: what decides by a fitted model, what is tried beside it, how much each finds; and its buttons."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from schemas.rule_versions import LONGEST_REASON
from services.api.access import Action, record
from services.api.confirmation import Confirmed
from services.api.console import Doctor, console_of
from services.api.inputs import Text
from services.api.reads import zone_of
from services.api.rendering import page
from services.api.request_checks import check_token
from services.api.rule_versions import LONGEST_NAME, SHOWN_DAYS, NotPossibleError, models_of_rules, promote, roll_back
from services.api.sessions import SignedIn

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Rule = Annotated[Text, Form(max_length=64)]
Model = Annotated[Text, Form(max_length=LONGEST_NAME)]
Reason = Annotated[Text, Form(max_length=2 * LONGEST_REASON)]


@router.get("/models")
async def models(request: Request, doctor: SignedIn, outcome: str = "") -> HTMLResponse:
    """Every rule that a model decides, with the counts of the last days."""
    return await _models_page(request, doctor, outcome=outcome)


async def _models_page(
    request: Request, doctor: Doctor, *, outcome: str = "", problem: str = "", rule: str = "", reason: str = ""
) -> HTMLResponse:
    console = console_of(request)
    await record(console, doctor, Action.READ_MODELS)
    return page(
        request,
        "models.html",
        doctor,
        status=409 if problem else 200,
        zone=await zone_of(console, doctor),
        rules=await models_of_rules(console.pool, console.now()),
        days=SHOWN_DAYS,
        longest=LONGEST_REASON,
        outcome=outcome,
        problem=problem,
        typed={"rule": rule, "reason": reason},
    )


@router.post("/models/promote", response_model=None)
async def promote_it(
    request: Request, doctor: Confirmed, csrf: Annotated[str, Form()] = "", rule: Rule = "", model: Model = "",
    reason: Reason = "",
) -> HTMLResponse | RedirectResponse:  # fmt: skip
    """What is tried becomes live."""
    check_token(doctor, csrf)
    try:
        await promote(console_of(request), doctor, rule, model, reason)
    except NotPossibleError as error:
        return await _models_page(request, doctor, problem=str(error), rule=rule, reason=reason)
    return RedirectResponse("/models?outcome=promoted", 303)


@router.post("/models/roll-back", response_model=None)
async def roll_it_back(
    request: Request, doctor: Confirmed, csrf: Annotated[str, Form()] = "", rule: Rule = "", model: Model = "",
    reason: Reason = "",
) -> HTMLResponse | RedirectResponse:  # fmt: skip
    """What ran before the promotion is live again."""
    check_token(doctor, csrf)
    try:
        await roll_back(console_of(request), doctor, rule, model, reason)
    except NotPossibleError as error:
        return await _models_page(request, doctor, problem=str(error), rule=rule, reason=reason)
    return RedirectResponse("/models?outcome=rolled_back", 303)
