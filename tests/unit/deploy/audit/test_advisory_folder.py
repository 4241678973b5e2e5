"""Advisories from a folder: what they affect is found, and an old or an empty folder clears nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deploy.audit.advisories import KNOWN_FAULT, UnansweredError, advisories_in, look_for_advisories
from deploy.audit.advisory_folder import LONGEST_AGE, affects, ask_folder, doubt_of_folder
from deploy.audit.lock import Locked

AT = datetime(2026, 11, 30, tzinfo=UTC)
THING = Locked("some-thing", "1.5", ())


def advisory(*events: dict[str, str], versions: list[str] | None = None, **more: Any) -> dict[str, Any]:
    ranges = [{"type": "GIT", "events": [{"introduced": "0"}]}, {"type": "ECOSYSTEM", "events": list(events)}]
    package = {"name": "Some_Thing", "ecosystem": "PyPI"}
    return {
        "id": "PYSEC-1", "aliases": ["CVE-1"], "details": "It breaks.\nBadly.", "modified": "2026-11-20T10:00:00Z",
        "affected": [{"package": package, "ranges": ranges, "versions": versions or []}],
    } | more  # fmt: skip


def write(folder: Path, name: str, *advisories: dict[str, Any]) -> None:
    for number, one in enumerate(advisories):
        file = folder / "vulns" / name / f"PYSEC-{number}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(one))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Knows the fault that everybody knows, and one of ours."""
    known = advisory({"introduced": "0"}, {"fixed": "3.1.6"})
    known["affected"][0]["package"]["name"] = KNOWN_FAULT.name
    write(tmp_path, KNOWN_FAULT.name, known)
    write(tmp_path, "some-thing", advisory({"introduced": "1.0"}, {"fixed": "1.6"}))
    return tmp_path


@pytest.mark.parametrize(
    ("events", "affected"),
    [
        ([{"introduced": "0"}], True),
        ([{"introduced": "0"}, {"fixed": "1.5"}], False),
        ([{"introduced": "0"}, {"fixed": "1.5.1"}], True),
        ([{"introduced": "1.5"}, {"fixed": "2"}], True),
        ([{"introduced": "1.10"}], False),
        ([{"introduced": "0"}, {"last_affected": "1.5"}], True),
        ([{"introduced": "0"}, {"last_affected": "1.4.9"}], False),
        ([{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "1.4"}, {"fixed": "1.6"}], True),
        ([{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "1.6"}], False),
        ([], False),
    ],
)
def test_a_release_is_affected_within_a_range(events: list[dict[str, str]], *, affected: bool) -> None:
    assert affects(advisory(*events), THING) is affected


def test_a_release_that_is_listed_is_affected_whatever_the_ranges_say() -> None:
    assert affects(advisory({"introduced": "0"}, {"fixed": "1.0"}, versions=["1.5"]), THING)
    assert not affects(advisory({"introduced": "0"}), Locked("other", "1.5", ()))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_ranges_go_by_versions_and_not_by_letters(first: int, fixed: int, minor: int) -> None:
    events = ({"introduced": f"1.{first}"}, {"fixed": f"1.{fixed}"})
    assert affects(advisory(*events), Locked("some-thing", f"1.{minor}", ())) is (first <= minor < fixed)


def test_what_has_no_order_is_not_cleared() -> None:
    with pytest.raises(UnansweredError, match="PYSEC-1"):
        affects(advisory({"introduced": "latest"}), THING)


def test_a_fault_of_the_folder_is_found_and_others_are_cleared(folder: Path) -> None:
    found = look_for_advisories([THING, Locked("other", "1", ())], ask_folder(folder), doubt_of_folder(folder, AT))
    (one,) = found.found
    assert (one.name, one.ids, one.summary, one.fixed_in) == (
        "some-thing",
        ("PYSEC-1", "CVE-1"),
        "It breaks.",
        ("1.6",),
    )
    assert (found.unchecked, found.checked) == ({}, 2)


def test_what_was_withdrawn_is_no_fault(folder: Path) -> None:
    write(folder, "some-thing", advisory({"introduced": "0"}, withdrawn="2026-11-21T00:00:00Z"))
    assert advisories_in(ask_folder(folder)(THING), THING) == ()


def test_old_advisories_find_faults_and_clear_nothing(folder: Path) -> None:
    late = datetime(2026, 11, 20, 10, tzinfo=UTC) + LONGEST_AGE
    assert doubt_of_folder(folder, late) == ""
    doubt = doubt_of_folder(folder, late + timedelta(seconds=1))
    assert "2026-11-20" in doubt
    found = look_for_advisories([THING, Locked("other", "1", ())], ask_folder(folder), doubt)
    assert [one.name for one in found.found] == ["some-thing"]
    assert found.unchecked == {"other 1": doubt}


def test_a_folder_that_is_empty_or_knows_no_known_fault_clears_nothing(tmp_path: Path, folder: Path) -> None:
    nothing = tmp_path / "nothing"
    assert "no advisories" in doubt_of_folder(nothing, AT)
    (folder / "vulns" / KNOWN_FAULT.name / "PYSEC-0.yaml").unlink()
    found = look_for_advisories([Locked("other", "1", ())], ask_folder(folder), doubt_of_folder(folder, AT))
    assert found.unchecked.keys() == {"other 1"}


@pytest.mark.parametrize("text", ["- a list", "id: x", ": {", "\tid: x"])
def test_a_file_that_is_no_advisory_leaves_its_package_unchecked(folder: Path, text: str) -> None:
    (folder / "vulns" / "some-thing" / "PYSEC-0.yaml").write_text(text)
    found = look_for_advisories([THING], ask_folder(folder), "")
    assert found.found == ()
    assert list(found.unchecked) == ["some-thing 1.5"]
