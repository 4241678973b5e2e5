"""The bill of materials is CycloneDX 1.6 in all that it uses of it, and names each component once."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.audit.debian import DebianPackage
from deploy.audit.licences import Licence
from deploy.audit.lock import Locked
from deploy.audit.sbom import bill, of_debian, of_jar, of_python
from deploy.local.jars import Jar

AT = datetime(2026, 11, 30, 12, 0, 5, 999, tzinfo=UTC)
A, B = "a" * 64, "b" * 64
JAR = Jar(group="org.thing", artifact="thing-core", version="1.0+2", sha256=A, sha512="c" * 128, licence="Apache-2.0")
COMPONENT_FIELDS = {
    "type", "bom-ref", "name", "version", "purl", "group", "licenses", "hashes", "properties",
}  # fmt: skip
DIGITS = {"SHA-256": 64, "SHA-512": 128}
EXPRESSION = re.compile(r"[\w.+-]+( (AND|OR) [\w.+-]+)+")


def check_component(one: dict[str, Any]) -> None:
    """What bom-1.6.schema.json demands of the fields that are used here."""
    assert {"type", "name"} <= one.keys() <= COMPONENT_FIELDS
    assert one["type"] == "library"
    assert one["bom-ref"] == one["purl"]
    assert re.fullmatch(r"pkg:(pypi|maven|deb)/[^\s@]+@[^\s?]+(\?[\w=&.-]+)?", one["purl"])
    for each in one.get("hashes", []):
        assert re.fullmatch(rf"[0-9a-f]{{{DIGITS[each['alg']]}}}", each["content"])
        assert each.keys() == {"alg", "content"}
    for each in one.get("licenses", []):
        assert len(each) == 1
        if "expression" in each:
            assert len(one["licenses"]) == 1
            assert EXPRESSION.fullmatch(each["expression"])
        else:
            assert each["license"].keys() in ({"id"}, {"name"})
    assert all(each.keys() == {"name", "value"} for each in one.get("properties", []))


def test_a_distribution_has_the_hashes_of_its_lock_and_its_licence() -> None:
    one = of_python(Locked("thing", "1!2.0+x", (B, A, A), "sys_platform == 'win32'"), Licence("MIT", ""))
    check_component(one)
    assert one["purl"] == "pkg:pypi/thing@1%212.0%2Bx"
    assert [each["content"] for each in one["hashes"]] == [A, B]
    assert one["licenses"] == [{"license": {"id": "MIT"}}]
    assert one["properties"] == [{"name": "hearthbeat:marker", "value": "sys_platform == 'win32'"}]


@pytest.mark.parametrize(
    ("expression", "licences"),
    [
        ("MIT AND PSF-2.0", [{"expression": "MIT AND PSF-2.0"}]),
        ("BSD", [{"license": {"name": "BSD"}}]),
        ("Apache-2.0 AND BSD", [{"license": {"name": "Apache-2.0 AND BSD"}}]),
        ("Something-Else", [{"license": {"name": "Something-Else"}}]),
    ],
)
def test_a_licence_is_an_identifier_an_expression_or_else_a_name(expression: str, licences: list[Any]) -> None:
    one = of_python(Locked("thing", "1", (A,)), Licence(expression, ""))
    check_component(one)
    assert one["licenses"] == licences


def test_what_says_no_licence_has_none() -> None:
    assert "licenses" not in of_python(Locked("thing", "1", (A,)), None)
    assert "licenses" not in of_debian(DebianPackage("thing", "1:2-3", "amd64", "things"), "debian-13")


def test_jars_and_debian_packages_are_named_by_their_own_kinds_of_url() -> None:
    jar, package = of_jar(JAR), of_debian(DebianPackage("libstdc++6", "1:2-3+deb13u1", "amd64", "gcc"), "debian-13")
    check_component(jar)
    check_component(package)
    assert jar["purl"] == "pkg:maven/org.thing/thing-core@1.0%2B2"
    assert [each["alg"] for each in jar["hashes"]] == ["SHA-256", "SHA-512"]
    assert package["purl"] == "pkg:deb/debian/libstdc%2B%2B6@1%3A2-3%2Bdeb13u1?arch=amd64&distro=debian-13"


def test_a_bill_is_whole_in_order_and_json() -> None:
    components = [of_jar(JAR), of_python(Locked("b", "1", (A,)), None), of_python(Locked("a", "1", (A,)), None)]
    made = bill("0.1.0", AT, components)
    assert json.loads(json.dumps(made)) == made
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["serialNumber"])
    assert made["metadata"]["timestamp"] == "2026-11-30T12:00:05Z"
    assert [one["name"] for one in made["components"]] == ["thing-core", "a", "b"]
    references = {one["bom-ref"] for one in made["components"]}
    itself, *others = made["dependencies"]
    assert itself["ref"] == made["metadata"]["component"]["bom-ref"]
    assert set(itself["dependsOn"]) == references == {one["ref"] for one in others}


def test_one_component_twice_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="thing-core"):
        bill("0.1.0", AT, [of_jar(JAR), of_jar(JAR)])


@given(
    st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1).flatmap(
        lambda names: st.tuples(st.just(names), st.permutations(names))
    )
)
def test_the_same_components_make_the_same_bill_in_whatever_order_and_others_another(
    drawn: tuple[list[str], list[str]],
) -> None:
    made, again = (bill("1", AT, [of_python(Locked(one, "1", (A,)), None) for one in names]) for names in drawn)
    fewer = bill("1", AT, [of_python(Locked(one, "1", (A,)), None) for one in drawn[0][1:]])
    assert made == again
    assert made["serialNumber"] != fewer["serialNumber"]
