"""What a register file may say of contact addresses, and that a refusal repeats nothing of them."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from schemas.registry import ContactAddress, Doctor, Register
from services.api.registration import RegisterError, check
from services.cli.command import make_app

SECRET = "hunter2"


def file_with(address: str, channel: str = "webhook") -> str:
    addresses = [{"channel": channel, "address": address}]
    return json.dumps({"doctors": [{"email": "who@example.org", "name": "Dr Who", "addresses": addresses}]})


@pytest.mark.parametrize(
    "webhook",
    [
        f"https://user:{SECRET}@hook.example/x",
        f"https://{SECRET}@hook.example/x",
        f"https://:{SECRET}@hook.example/x",
        "https://@hook.example/x",
        "https://:@hook.example/x",
        f"https://user:{SECRET}@hook.example@hook.example/",
        f"https://user%3A{SECRET}%40hook.example/x",
        f"https://user:{SECRET}%2540hook.example/x",
        f"https:///user:{SECRET}@hook.example/x",
        f"https://\\user:{SECRET}@hook.example/x",
        f"https://hook.example\\@{SECRET}.example/x",
        f"https://user:{SECRET}@hook.example?x",
        f"http://user:{SECRET}@127.0.0.1/x",
    ],
)
def test_a_webhook_with_a_user_or_a_password_is_refused_by_its_field_and_never_repeated(webhook: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Register.model_validate_json(file_with(webhook))

    said = str(refused.value)
    assert "doctors.0.addresses.0.address" in said
    assert "user" in said
    assert SECRET not in said
    assert "hook.example" not in said


@pytest.mark.parametrize(
    "webhook",
    [
        "https://hook.example/x@y",
        "https://hook.example/?who=a@b.example",
        "https://hook.example/#a@b",
        "https://hook.example/%40x",
        "https://hook.example:8443/x",
        "https://[2606:2800:21f:cb07::1]:8443/x",
        "https://hook.example",
    ],
)
def test_a_webhook_may_hold_the_same_signs_after_its_host(webhook: str) -> None:
    (contact,) = Register.model_validate_json(file_with(webhook)).doctors[0].contact_addresses
    assert (contact.channel, contact.address) == ("webhook", webhook)


def test_a_doctor_of_whom_no_addresses_are_said_is_notified_by_e_mail_where_they_sign_in() -> None:
    (contact,) = Doctor(email="Who@Example.org", name="Dr Who").contact_addresses
    assert (contact.channel, contact.address) == ("email", "who@example.org")
    assert Doctor(email="who@example.org", name="Dr Who", addresses=()).contact_addresses == ()


@pytest.mark.parametrize("address", [f"{SECRET},who@example.org", f"{SECRET}\n@example.org", f"{SECRET}@{'a' * 300}"])
def test_an_e_mail_address_is_refused_by_its_field_and_never_repeated(address: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Register.model_validate_json(file_with(address, "email"))

    assert "doctors.0.addresses.0.address" in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["", " ", f"{SECRET} ", f"{SECRET}\nX", f"{SECRET}\0", f"\u202e{SECRET}", SECRET * 300]
)
def test_on_any_channel_an_address_is_a_line_of_text_and_never_repeated(address: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Register.model_validate_json(file_with(address, "ntfy"))

    assert "doctors.0.addresses.0.address" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_channel_that_schemas_do_not_know_takes_any_line_of_text() -> None:
    (contact,) = Register.model_validate_json(file_with("a topic of ours", "ntfy")).doctors[0].contact_addresses
    assert (contact.channel, contact.address) == ("ntfy", "a topic of ours")


@pytest.mark.parametrize("channel", ["", "E-mail", f"{SECRET}@example.org", f"https://{SECRET}", "n" * 33, "ntfy\n"])
def test_what_is_no_name_of_a_channel_is_refused_and_not_repeated(channel: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Register.model_validate_json(file_with("who@example.org", channel))

    assert "doctors.0.addresses.0.channel" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_two_addresses_on_one_channel_are_refused() -> None:
    twice = tuple(ContactAddress(channel="email", address=f"{name}@example.org") for name in ("one", "two"))
    doctor = Doctor(email="who@example.org", name="Dr Who", without_people=True, addresses=twice)
    with pytest.raises(RegisterError, match="listed twice: email"):
        check(Register(doctors=(doctor,)))


@pytest.mark.parametrize("old", [{"email_alerts": True}, {"webhook": "https://hook.example/x"}])
def test_the_form_of_before_is_refused_by_its_field(old: dict[str, object]) -> None:
    text = json.dumps({"doctors": [{"email": "who@example.org", "name": "Dr Who", **old}]})
    with pytest.raises(ValidationError, match=f"doctors.0.{next(iter(old))}"):
        Register.model_validate_json(text)


@pytest.mark.parametrize(
    "text",
    [
        file_with(f"{SECRET}\n", "ntfy"),
        file_with(f"{SECRET}@@example.org", "email"),
        file_with(f"ftp://hook.example/{SECRET}"),
        file_with(f"https://hook.example/{SECRET}/" + "a" * 3_000),
        file_with(f"https://hook.example/{SECRET} "),
        file_with(f"https://user:{SECRET}@hook.example/"),
        file_with(f"https://hook.example/{SECRET}")[:-3],
        file_with(f"https://hook.example/{SECRET}").replace('"name"', '"nam"'),
    ],
)
def test_the_register_command_prints_nothing_of_an_address(tmp_path: Path, text: str) -> None:
    (tmp_path / "register.json").write_text(text, "utf-8")

    result = CliRunner().invoke(make_app(), ["register", str(tmp_path / "register.json")])

    assert result.exit_code == 2
    assert result.output.startswith(("register.json:1: doctors.0", "register.json:1: Register: "))
    assert SECRET not in result.output
    assert "who@example.org" not in result.output


def test_nobody_gets_details_or_another_language_who_has_not_asked_for_it() -> None:
    (contact,) = Doctor(email="who@example.org", name="Dr Who").contact_addresses
    assert (contact.details, contact.language) == (False, "en")
    asked = ContactAddress(channel="email", address="who@example.org", details=True, language="zh")
    assert (asked.details, asked.language) == (True, "zh")


@pytest.mark.parametrize("wrong", [{"details": "yes"}, {"details": 1}, {"language": "EN"}, {"language": "../en"}])
def test_what_is_no_yes_and_no_language_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ContactAddress.model_validate({"channel": "email", "address": "who@example.org", **wrong})
