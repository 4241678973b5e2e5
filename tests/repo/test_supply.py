"""What HearthBeat is made of: each licence is allowed, each library of Kafka has its hashes, one version of each."""

import re
from pathlib import Path

import pytest

from deploy.audit.licences import UNSAID, is_allowed, licence_of, not_allowed
from deploy.audit.lock import DEV, RUN, locked_in
from deploy.local.jars import Jar, committed
from tests.repo.tree import text_of

LOCKED = locked_in(RUN, DEV)
JARS = committed()
POM = text_of(Path("deploy/local/kafka-pom.xml"))


def test_every_licence_of_what_is_locked_is_allowed() -> None:
    """A new one is named: read it, then add it to ALLOWED with the reason, or do without the package."""
    here = {one.name: licence_of(one.name) for one in LOCKED}
    absent = {one.name for one in LOCKED if one.marker and here[one.name] is None}
    assert not_allowed((name, licence) for name, licence in here.items() if name not in absent) == {}


def test_what_was_read_by_hand_is_locked() -> None:
    assert UNSAID.keys() <= {one.name for one in LOCKED}


@pytest.mark.parametrize("jar", JARS.values(), ids=lambda jar: jar.file)
def test_a_library_of_kafka_has_both_hashes_and_a_licence_that_is_allowed(jar: Jar) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", jar.sha256)
    assert re.fullmatch(r"[0-9a-f]{128}", jar.sha512)
    assert is_allowed(jar.licence)


def test_no_library_is_listed_twice() -> None:
    assert len({(one.group, one.artifact) for one in JARS.values()}) == len(JARS)
    assert len({one.sha256 for one in JARS.values()}) == len(JARS)


def test_the_libraries_that_the_pom_asks_for_are_listed_in_its_versions() -> None:
    asked = re.findall(r"<artifactId>(.+?)</artifactId><version>(.+?)</version>", POM)
    assert len(asked) >= 2
    assert [f"{name}-{version}.jar" for name, version in asked if f"{name}-{version}.jar" not in JARS] == []
