"""A licence that nobody has allowed is named, however it is said."""

from email.message import Message

import pytest

from deploy.audit.licences import ALLOWED, UNSAID, Licence, is_allowed, licence_in, licence_of, not_allowed


def said(**fields: str | list[str]) -> Licence:
    found = Message()
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            found[name.replace("_", "-")] = value
    return licence_in(found)


def classifiers(*names: str) -> list[str]:
    return [f"License :: OSI Approved :: {name}" for name in names]


def test_an_expression_goes_before_a_text_and_a_text_before_classifiers() -> None:
    assert (
        said(License_Expression="MIT", License="BSD", Classifier=classifiers("ISC License (ISCL)")).expression == "MIT"
    )
    assert said(License="BSD 3-Clause License", Classifier=classifiers("MIT License")).expression == "BSD-3-Clause"
    assert said(Classifier=["Topic :: Home", *classifiers("MIT License")]) == Licence("MIT", "classifiers")


def test_of_several_classifiers_all_have_to_be_allowed() -> None:
    assert said(Classifier=classifiers("Apache Software License", "MIT License")).expression == "Apache-2.0 AND MIT"
    assert said(Classifier=["License :: OSI Approved", *classifiers("MIT License")]).expression == "MIT"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"License": "see the file LICENSE"},
        {"License": "MIT\n" + "whole text of a licence " * 20},
        {"Classifier": classifiers("GNU General Public License v3 (GPLv3)")},
        {"Classifier": classifiers("MIT License", "GNU Affero General Public License v3")},
        {"Classifier": ["License :: OSI Approved"]},
    ],
)
def test_what_is_not_known_is_no_licence(fields: dict[str, str | list[str]]) -> None:
    licence = said(**fields)
    assert licence.expression == ""
    assert not is_allowed(licence.expression)


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT AND PSF-2.0", True),
        ("EPL-2.0 OR BSD-3-Clause", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("GPL-3.0-only OR MIT AND AGPL-3.0-only", False),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("(MIT OR GPL-3.0-only) AND ISC", False),
        ("mit", False),
        ("", False),
    ],
)
def test_an_expression_is_allowed_where_one_of_its_ways_is_allowed_whole(expression: str, *, allowed: bool) -> None:
    assert is_allowed(expression) is allowed


def test_what_is_not_allowed_is_named_with_why() -> None:
    found = [
        ("good", Licence("MIT", "")),
        ("new", Licence("AGPL-3.0-only", "")),
        ("mute", Licence("", "")),
        ("away", None),
    ]
    wrong = not_allowed(found)
    assert wrong.keys() == {"new", "mute", "away"}
    assert "AGPL-3.0-only" in wrong["new"]
    assert "UNSAID" in wrong["mute"]
    assert "not installed" in wrong["away"]


def test_each_allowed_licence_has_a_reason_and_what_was_read_by_hand_is_allowed() -> None:
    assert all(reason for reason in ALLOWED.values())
    assert all(is_allowed(expression) and why for expression, why in UNSAID.values())


def test_of_what_is_not_installed_nothing_is_known() -> None:
    assert licence_of("hearthbeat-of-another-name") is None
    assert licence_of("pytest") == Licence("MIT", "License-Expression")
