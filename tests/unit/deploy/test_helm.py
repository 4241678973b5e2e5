"""Helm is built from the source that was committed, and from no other."""

import json
from pathlib import Path

import pytest

from deploy.local import helm
from deploy.local.errors import UnsupportedMachineError


def said(**found: str) -> str:
    return f"go: downloading {helm.MODULE}\n{json.dumps({'Path': helm.MODULE, **found}, indent=1)}\n"


def test_the_source_that_was_committed_is_taken() -> None:
    assert helm.verified(said(Sum=helm.HASH, Dir="source")) == Path("source")


@pytest.mark.parametrize("other", [{"Sum": "h1:n1if5iQgHYsujPAcO5oonH/KiSNUmqmUF0iGVjSF3AV="}, {}])
def test_another_source_is_refused_with_both_hashes(other: dict[str, str]) -> None:
    with pytest.raises(helm.ChangedSourceError, match=helm.HASH):
        helm.verified(said(Dir="source", **other))


def test_each_release_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert helm.VERSION in helm.program(tmp_path).parts


@pytest.mark.parametrize(("version", "works"), [("go1.19.8", False), ("go1.26.0", True), ("go1.27.3 X:rare", True)])
def test_an_older_go_is_named(version: str, works: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    (tmp_path / "go").write_text(f"#!/bin/sh\necho '{version}'\n")
    (tmp_path / "go").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    reason = helm.why_unavailable()
    assert reason is None if works else version in (reason or "")


def test_without_go_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Go" in (helm.why_unavailable() or "")
    with pytest.raises(UnsupportedMachineError):
        helm.build(tmp_path / "result")
