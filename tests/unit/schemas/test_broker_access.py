"""Who may say what at the broker, as mosquitto's files say it."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.broker_access import (
    ACL,
    ITERATIONS,
    PASSWORDS,
    PLATFORM_ROLES,
    BrokerUser,
    BrokerUserError,
    access_files,
    device_user,
    new_secret,
    platform_user,
    role_of,
    verifier_of,
)
from schemas.topics import DEVICE_ID, RESERVED_DEVICE, SHARDS

SECRET = "a secret"
VERIFIER = verifier_of(SECRET)
PLATFORM = ("ingest-0", "ingest-12", "ingest-0-acks", "commands-1", "watch-0", "trace-0", "sessions-0")
devices = st.from_regex(DEVICE_ID, fullmatch=True).filter(lambda name: not RESERVED_DEVICE.fullmatch(name))


def test_a_verifier_is_what_mosquitto_computes_from_the_secret() -> None:
    empty, kind, iterations, salt, digest = VERIFIER.split("$")

    assert (empty, kind, iterations) == ("", "7", str(ITERATIONS))
    assert base64.b64decode(digest) == hashlib.pbkdf2_hmac("sha512", b"a secret", base64.b64decode(salt), ITERATIONS)


def test_two_verifiers_of_one_secret_differ() -> None:
    assert verifier_of(SECRET) != verifier_of(SECRET)


def test_secrets_are_long_and_differ() -> None:
    assert len(new_secret()) >= 32
    assert new_secret() != new_secret()


def test_a_device_has_its_four_topics_on_its_own_shard_and_nothing_else() -> None:
    assert access_files([device_user("cuff-1", 9, VERIFIER)])[ACL] == (
        "user cuff-1\n"
        "topic write hb/v1/9/cuff-1/up\n"
        "topic write hb/v1/9/cuff-1/status\n"
        "topic read hb/v1/9/cuff-1/ack\n"
        "topic read hb/v1/9/cuff-1/commands\n"
    )


@given(device=devices, shard=st.integers(0, SHARDS - 1))
def test_no_right_of_a_device_holds_a_wildcard(device: str, shard: int) -> None:
    for grant in device_user(device, shard, VERIFIER).grants:
        assert not {"+", "#", "%"} & set(grant.topic)
        assert grant.topic.split("/")[2:4] == [str(shard), device]


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "+", "a/b", "watermark", *PLATFORM])
def test_what_is_no_name_of_a_device_gets_no_rights(name: str) -> None:
    with pytest.raises(BrokerUserError):
        device_user(name, 1, VERIFIER)


@pytest.mark.parametrize("shard", [-1, SHARDS])
def test_there_is_no_such_shard(shard: int) -> None:
    with pytest.raises(BrokerUserError, match="shard"):
        device_user("cuff-1", shard, VERIFIER)


@pytest.mark.parametrize("name", PLATFORM)
def test_every_connection_of_the_platform_has_one_role_and_a_name_no_device_can_have(name: str) -> None:
    assert len([role for role in PLATFORM_ROLES if role.name.fullmatch(name)]) == 1
    assert RESERVED_DEVICE.fullmatch(name)


def test_only_ingests_second_connection_may_acknowledge() -> None:
    may = {
        name
        for name in PLATFORM
        for grant in platform_user(name, VERIFIER).grants
        if grant.topic.endswith("/ack") and grant.access != "read"
    }
    assert may == {"ingest-0-acks"}


def test_nobody_of_the_platform_but_ingest_may_speak_where_devices_do() -> None:
    may = {
        name
        for name in PLATFORM
        for grant in platform_user(name, VERIFIER).grants
        if grant.topic.endswith(("/up", "/status")) and "/watermark/" not in grant.topic and grant.access != "read"
    }
    assert may == {"ingest-0", "ingest-12"}


def test_a_user_that_is_none_of_ours_has_no_role() -> None:
    assert role_of("proof-0") is None
    with pytest.raises(BrokerUserError, match="proof-0"):
        platform_user("proof-0", VERIFIER)


@pytest.mark.parametrize("verifier", ["", "plain", "$6$x", f"{VERIFIER}\nuser:x", f"{VERIFIER}:"])
def test_what_would_break_the_password_file_is_refused(verifier: str) -> None:
    with pytest.raises(BrokerUserError, match="cuff-1"):
        access_files([BrokerUser("cuff-1", verifier, ())])


def test_the_files_begin_with_what_is_fixed() -> None:
    files = access_files([device_user("cuff-1", 9, VERIFIER)], after=("fixed:x\n", "user fixed\n"))

    assert files[PASSWORDS] == f"fixed:x\ncuff-1:{VERIFIER}\n"
    assert files[ACL].startswith("user fixed\nuser cuff-1\n")
