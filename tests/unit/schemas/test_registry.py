"""What a register file may say of a webhook, and that a refusal repeats nothing of it."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from schemas.registry import Register
from services.api.__main__ import cli

SECRET = "hunter2"


def file_with(webhook: str) -> str:
    return json.dumps({"doctors": [{"email": "who@example.org", "name": "Dr Who", "webhook": webhook}]})


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
    assert "doctors.0.webhook" in said
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
    assert Register.model_validate_json(file_with(webhook)).doctors[0].webhook == webhook


@pytest.mark.parametrize(
    "text",
    [
        file_with(f"ftp://hook.example/{SECRET}"),
        file_with(f"https://hook.example/{SECRET}/" + "a" * 3_000),
        file_with(f"https://hook.example/{SECRET} "),
        file_with(f"https://user:{SECRET}@hook.example/"),
        file_with(f"https://hook.example/{SECRET}")[:-3],
        file_with(f"https://hook.example/{SECRET}").replace('"name"', '"nam"'),
    ],
)
def test_the_register_command_prints_nothing_of_a_webhook(tmp_path: Path, text: str) -> None:
    (tmp_path / "register.json").write_text(text, "utf-8")

    result = CliRunner().invoke(cli, ["register", str(tmp_path / "register.json")])

    assert result.exit_code == 1
    assert "Register" in result.output
    assert SECRET not in result.output
    assert "who@example.org" not in result.output
