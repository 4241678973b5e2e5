"""No word on a release is no all-clear: what an index does not say counts as not checked."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from deploy.audit.advisories import (
    KNOWN_FAULT,
    Advisories,
    Ask,
    UnansweredError,
    advisories_in,
    ask_index,
    check_advisories,
)
from deploy.audit.lock import Locked

RELEASE = Locked("thing", "1.0", ())
OTHER = Locked("other", "2.0", ())
FAULT = {"id": "PYSEC-1", "aliases": ["CVE-1"], "summary": "It breaks.", "fixed_in": ["1.1"], "withdrawn": None}


def answer(release: Locked, *faults: Mapping[str, Any]) -> dict[str, Any]:
    return {"info": {"name": release.name, "version": release.version}, "vulnerabilities": list(faults)}


def index(answers: Mapping[str, Any]) -> Ask:
    """Knows the fault that everybody knows, and what is given."""
    known = {KNOWN_FAULT.name: answer(KNOWN_FAULT, FAULT)} | dict(answers)

    def ask(release: Locked) -> Mapping[str, Any]:
        if release.name not in known:
            raise UnansweredError("the index answered 404")
        found: Mapping[str, Any] = known[release.name]
        return found

    return ask


def test_a_fault_is_named_with_where_it_is_fixed() -> None:
    found = check_advisories([RELEASE, OTHER], index({"thing": answer(RELEASE, FAULT), "other": answer(OTHER)}))
    (one,) = found.found
    assert (one.name, one.version, one.ids, one.fixed_in) == ("thing", "1.0", ("PYSEC-1", "CVE-1"), ("1.1",))
    assert (found.unchecked, found.checked) == ({}, 2)


def test_a_fault_that_was_withdrawn_is_none() -> None:
    assert advisories_in(answer(RELEASE, FAULT | {"withdrawn": "2026-01-01T00:00:00Z"}), RELEASE) == ()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"info": {"version": "1.0"}},
        {"info": {"version": "1.0"}, "vulnerabilities": None},
        {"info": {"version": "1.1"}, "vulnerabilities": []},
        {"info": None, "vulnerabilities": []},
    ],
)
def test_an_answer_without_the_field_or_about_another_release_clears_nothing(body: Mapping[str, Any]) -> None:
    with pytest.raises(UnansweredError):
        advisories_in(body, RELEASE)
    found = check_advisories([RELEASE], index({"thing": body}))
    assert (list(found.unchecked), found.checked) == (["thing 1.0"], 0)


def test_what_the_index_does_not_have_is_not_checked_and_the_others_are() -> None:
    found = check_advisories([RELEASE, OTHER], index({"other": answer(OTHER)}))
    assert found == Advisories((), {"thing 1.0": "the index answered 404"}, 1)


def test_an_index_that_knows_no_fault_at_all_clears_nothing() -> None:
    def knows_nothing(release: Locked) -> Mapping[str, Any]:
        return answer(release)

    found = check_advisories([RELEASE, OTHER], knows_nothing)
    assert found.unchecked.keys() == {"thing 1.0", "other 2.0"}
    assert found.checked == 0


@pytest.mark.parametrize(
    ("status", "content", "why"),
    [(404, b"{}", "404"), (200, b"<html>", "did not answer"), (200, b"[]", "something else"), (503, b"", "503")],
)
def test_an_index_that_answers_nonsense_has_not_answered(status: int, content: bytes, why: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
    with httpx.Client(transport=transport) as client, pytest.raises(UnansweredError, match=why):
        ask_index(client)(RELEASE)


def test_an_index_that_is_not_reached_has_not_answered() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody", request=request)

    with (
        httpx.Client(transport=httpx.MockTransport(refuse)) as client,
        pytest.raises(UnansweredError, match="ConnectError"),
    ):
        ask_index(client)(RELEASE)


def test_the_index_is_the_public_one_or_the_mirror_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def hear(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json=answer(RELEASE))

    with httpx.Client(transport=httpx.MockTransport(hear)) as client:
        ask_index(client)(RELEASE)
        monkeypatch.setenv("HB_AUDIT_INDEX", "https://index.example/pypi/")
        ask_index(client)(RELEASE)
    assert asked == ["https://pypi.org/pypi/thing/1.0/json", "https://index.example/pypi/thing/1.0/json"]
