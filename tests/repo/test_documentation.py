"""What the documents say can be typed, can be opened and is said of something that exists."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from schemas.limits import CONCERN_BY_NAME
from schemas.reasons import RejectionReason
from schemas.registry import LevelEntry, LimitsEntry
from services.score.rule import Rule
from services.score.rules import RULES
from tests.repo.tree import ROOT, files, files_ending, text_of

DOCUMENTS = [path for path in files_ending(".md") if path.parts[0] not in {"tests", "schemas"}]
PRESENT = [path for path in DOCUMENTS if path.name != "CHANGELOG.md"]
"""Pages about what is; the changelog names what is gone, too."""
TARGETS = set(re.findall(r"^([a-z-]+):", text_of(Path("Makefile")), re.MULTILINE))
PUBLIC_TARGETS = set(re.findall(r"^([a-z-]+):.*##", text_of(Path("Makefile")), re.MULTILINE)) - {"help"}
WIDTH = 100
DECISIONS = [path for path in DOCUMENTS if path.parent == Path("docs/decisions")]
IN_NO_ACK = {RejectionReason.NO_IDENTITY, RejectionReason.UNKNOWN_DEVICE}


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_make_command_exists(path: Path) -> None:
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text_of(path), re.MULTILINE)) <= TARGETS


def test_the_readme_names_every_make_command() -> None:
    assert set(re.findall(r"`make ([a-z-]+)", text_of(Path("README.md")))) >= PUBLIC_TARGETS


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_python_command_exists(path: Path) -> None:
    modules = set(re.findall(r"python -m ([a-z_.]+[a-z_])", text_of(path)))
    assert [name for name in modules if find_spec(name) is None] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text_of(path))
    assert [link for link in links if not (ROOT / path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_link_into_a_page_meets_a_heading(path: Path) -> None:
    text = re.sub(r"\s+", " ", text_of(path))
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", text):
        page = (ROOT / path.parent / target).resolve() if target else ROOT / path
        assert anchor in anchors_of(page.relative_to(ROOT)), f"{target}#{anchor}"


def anchors_of(path: Path) -> set[str]:
    """What a link may name of a page: its headings, spelled as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_prose_is_wrapped(path: Path) -> None:
    """Tables, code blocks and whatever has no space to break at (links) may be wider."""
    prose = re.sub(r"^ *```.*?^ *```", "", text_of(path), flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in prose.splitlines() if not line.lstrip().startswith(("|", "!["))]
    assert [line for line in lines if len(line) > WIDTH and " " in line.strip()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_code_was_not_wrapped_as_prose(path: Path) -> None:
    """A backslash continues a command at the end of its line; in the middle of one it breaks the command."""
    blocks = re.findall(r"^ *```.*?^ *```", text_of(path), flags=re.MULTILINE | re.DOTALL)
    assert [line for block in blocks for line in block.splitlines() if re.search(r" \\ +\S", line)] == []


@pytest.mark.parametrize("path", DECISIONS, ids=str)
def test_decisions_are_dated_in_order_and_say_context_decision_and_consequences(path: Path) -> None:
    parts = re.split(r"^## ", text_of(path), flags=re.MULTILINE)[1:]
    dates = [re.match(r"(\d{4}-\d\d-\d\d): ", part) for part in parts]
    assert all(dates)
    assert [date[1] for date in dates if date] == sorted(date[1] for date in dates if date)
    for part in parts:
        said = re.findall(r"^\*\*(Context|Decision|Consequences)\.\*\*", part, re.MULTILINE)
        assert said == ["Context", "Decision", "Consequences"], part.splitlines()[0]


def test_the_index_of_decisions_lists_every_subject() -> None:
    listed = re.findall(r"^\| \[\w+\]\(([^)]+)\)", text_of(Path("DECISIONS.md")), re.MULTILINE)
    assert sorted(listed) == [path.as_posix() for path in DECISIONS]


@pytest.mark.parametrize("path", PRESENT, ids=str)
def test_every_setting_named_exists(path: Path) -> None:
    code = "".join(text_of(one) for one in files_ending(".py") if one.parts[0] != "tests")
    set_up = "".join(text_of(one) for one in files_ending(".yaml"))
    fields = {field.upper() for field in re.findall(r"^    ([a-z_]+): ", code, re.MULTILINE)}
    prefixes = sorted(set(re.findall(r'env_prefix="(HB_[A-Z_]*)"', code)), key=len, reverse=True)
    for name in set(re.findall(r"\bHB_[A-Z_]+[A-Z]\b", text_of(path))):
        prefix = next((one for one in prefixes if name.startswith(one)), None)
        assert f'"{name}"' in code or f"${name}" in set_up or (prefix and name.removeprefix(prefix) in fields), name


@pytest.mark.parametrize("path", PRESENT, ids=str)
def test_every_metric_named_exists(path: Path) -> None:
    named = set(re.findall(r"\bhb_[a-z_]+[a-z]", text_of(path)))
    assert [name for name in named if name not in text_of(Path("schemas/metrics.py"))] == []


def test_firmware_authors_can_read_every_reason() -> None:
    text = text_of(Path("docs/firmware.md"))
    assert [reason for reason in RejectionReason if f"`{reason}`" not in text and reason not in IN_NO_ACK] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_doctors_find_every_rule(rule: Rule) -> None:
    table = text_of(Path("docs/clinical.md")).partition("## Which alerts there are")[2].partition("\n## ")[0]
    assert f"(`{rule.name}`)" in table


def test_the_readme_says_what_hearthbeat_is_not() -> None:
    said = " ".join(text_of(Path("README.md")).split())
    assert "not a medical device" in said
    assert "not rendered in Grafana itself" in said


def test_the_limits_that_operators_find_as_an_example_are_accepted_and_name_all_that_can_be_named() -> None:
    examples = re.findall(r"```json\n(.*?)\n```", text_of(Path("docs/operator.md")), re.DOTALL)
    (limits,) = [LimitsEntry.model_validate_json(one) for one in examples if '"levels"' in one]
    assert limits.model_fields_set >= LimitsEntry.model_fields.keys() - {"signed_off_by"}
    assert set().union(*(one.model_fields_set for one in limits.levels)) == LevelEntry.model_fields.keys()
    named = set(re.findall(r"`([a-z0-9_.]+)`", text_of(Path("docs/operator.md"))))
    assert named >= CONCERN_BY_NAME.keys()


def test_continuous_integration_runs_what_the_readme_says() -> None:
    assert text_of(Path(".ci/run")).splitlines()[-1] == "make test"
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


PAGE_NAME = re.compile(r"(?<![\w/:.<-])((?:[\w.-]+/)*[\w-]+\.md)\b")
NO_PAGE = re.compile(r"\b(?:design|clinical|semantics|security|delivery|style)(?:\.md)? (?:item )?\d+(?:\.\d+)*\b")
WRITTEN = (".py", ".md", ".sql", ".html", ".yaml", ".toml", ".txt", ".j2", ".css", ".js")


@pytest.mark.parametrize("path", [path for path in files() if path.suffix in WRITTEN], ids=str)
def test_every_page_that_is_named_is_in_the_repository(path: Path) -> None:
    """Whoever reads a comment can open what it cites: nothing is explained in a page that only we had."""
    text = text_of(path)
    near = (ROOT, ROOT / path.parent, ROOT / "docs")
    assert [page for page in PAGE_NAME.findall(text) if not any((one / page).is_file() for one in near)] == []
    assert NO_PAGE.findall(text) == []
