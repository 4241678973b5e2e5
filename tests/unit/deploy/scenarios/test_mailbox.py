"""What arrives for the doctors of a scenario is a notification, unless it says that it is a list."""

from types import SimpleNamespace

from deploy.scenarios.mailbox import Mailbox


def mail(key: str, kind: str | None) -> SimpleNamespace:
    said = f"X-HearthBeat-Kind: {kind}\r\n" if kind else ""
    content = f"Message-ID: <{key}@localhost>\r\nSubject: about\r\n{said}\r\nText\r\n"
    return SimpleNamespace(content=content.encode(), rcpt_tos=["haddad@example.org"])


async def test_lists_are_kept_apart_from_notifications() -> None:
    mailbox = Mailbox(lambda: 7)
    for one in (mail("a.1.2.email", "alert"), mail("list.2.2026-06-02.email", "list"), mail("b.1.2.email", None)):
        assert await mailbox.handle_DATA(None, None, one) == "250 OK"

    assert [one.alert_id for one in mailbox.mails] == ["a", "b"]
    assert [one.key for one in mailbox.lists] == ["list.2.2026-06-02.email"]
    assert mailbox.mails[0].text.split() == ["about", "Text"]
