"""The dashboards in the repository are what the code makes, and say nothing that Grafana would trip over."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from grafana.boards import DASHBOARDS, Board, boards
from grafana.macros import variables_of
from grafana.query_target import DATA_SOURCE_TYPE, Reader
from schemas.vitals import VITALS

BOARDS = boards()
TYPES = {"stat", "table", "timeseries", "barchart"}


def content_of(board: Board) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(board.json)
    return content


def panels_of(board: Board) -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = content_of(board)["panels"]
    return panels


every_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: f"{board.reader}-{board.name}")


@every_board
def test_the_file_is_what_the_code_makes(board: Board) -> None:
    assert board.file.read_text("utf-8") == board.json, "run: python -m grafana build"


def test_there_is_no_dashboard_file_that_no_code_makes() -> None:
    assert set(DASHBOARDS.rglob("*.json")) == {board.file for board in BOARDS}


def test_each_reader_has_a_dashboard() -> None:
    assert {board.reader for board in BOARDS} == set(Reader)


def test_dashboards_have_identifiers_of_their_own_that_grafana_accepts() -> None:
    uids = [content_of(board)["uid"] for board in BOARDS]

    assert len(set(uids)) == len(uids)
    assert all(0 < len(uid) <= 40 and uid.replace("-", "").isalnum() for uid in uids)


@every_board
def test_nobody_can_edit_it(board: Board) -> None:
    assert content_of(board)["editable"] is False


@every_board
def test_every_query_goes_to_its_readers_own_data_source(board: Board) -> None:
    own = {"type": DATA_SOURCE_TYPE, "uid": f"hearthbeat-{board.reader}"}
    content = content_of(board)
    asked = [panel["datasource"] for panel in content["panels"]]
    asked += [target["datasource"] for panel in content["panels"] for target in panel["targets"]]
    asked += [variable["datasource"] for variable in content["templating"].get("list", [])]

    assert len(asked) > len(content["panels"])
    assert all(source == own for source in asked)


@every_board
def test_every_variable_that_a_query_uses_is_on_the_board(board: Board) -> None:
    known = {variable["name"] for variable in content_of(board)["templating"].get("list", [])}

    for panel in panels_of(board):
        assert variables_of(panel["targets"][0]["rawSql"]) <= known, panel["title"]


@every_board
def test_every_panel_is_of_a_known_kind_with_a_title_and_one_query(board: Board) -> None:
    for panel in panels_of(board):
        assert panel["type"] in TYPES
        assert panel["title"]
        (target,) = panel["targets"]
        assert (target["refId"], target["rawQuery"], target["editorMode"]) == ("A", True, "code")
        assert target["format"] == ("time_series" if panel["type"] == "timeseries" else "table")


@every_board
def test_panels_have_numbers_and_titles_of_their_own(board: Board) -> None:
    panels = panels_of(board)

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


@every_board
def test_no_panel_covers_another_or_leaves_the_grid(board: Board) -> None:
    places = [panel["gridPos"] for panel in panels_of(board)]

    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 and place["h"] > 0 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below


@every_board
def test_what_an_override_names_is_a_column_of_the_query(board: Board) -> None:
    shared = {"State", "How urgent", "Severity"}
    for panel in panels_of(board):
        for override in panel["fieldConfig"]["overrides"]:
            name = override["matcher"]["options"]
            assert name in shared or f'"{name}"' in panel["targets"][0]["rawSql"], panel["title"]


@every_board
def test_a_query_asks_only_what_is_its_readers(board: Board) -> None:
    for panel in panels_of(board):
        asked = re.findall(r"\b(?:from|join) (\w+)", panel["targets"][0]["rawSql"])
        assert asked
        assert all(name.startswith(f"{board.reader}_") or name == "series" for name in asked), panel["title"]


def test_every_vital_is_on_the_caregivers_dashboard() -> None:
    (board,) = (one for one in BOARDS if one.reader is Reader.CAREGIVER)
    asked = " ".join(panel["targets"][0]["rawSql"] for panel in panels_of(board) if panel["type"] == "timeseries")

    assert [vital.code for vital in VITALS if f" {vital.number}::smallint" not in asked] == []


def test_the_caregivers_dashboard_asks_nothing_of_the_operator() -> None:
    for board in BOARDS:
        other = next(reader for reader in Reader if reader is not board.reader)
        assert f"{other}_" not in board.json
