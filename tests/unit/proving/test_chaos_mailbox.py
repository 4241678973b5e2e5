"""What a doctor's inbox says of notifications: which came again, and whether they said so."""

from types import SimpleNamespace

from tests.proving.chaos.mailbox import Inbox


def mail(key: str, *, flagged: bool = False, kind: str = "alert") -> SimpleNamespace:
    flag = "X-HearthBeat-Possible-Duplicate: yes\r\n" if flagged else ""
    content = f"Message-ID: <{key}>\r\nX-HearthBeat-Kind: {kind}\r\n{flag}\r\nAlert\r\n"
    return SimpleNamespace(content=content.encode())


async def deliver(inbox: Inbox, one: SimpleNamespace) -> str:
    """As a sender does: again where the server says so."""
    first = await inbox.handle_DATA(None, None, one)
    return first if first.startswith("250") else await inbox.handle_DATA(None, None, one)


async def test_a_page_that_comes_again_is_counted_by_what_it_says_of_itself() -> None:
    inbox = Inbox()
    for one in (
        mail("a"),
        mail("b"),
        mail("a", flagged=True),
        mail("a", flagged=True),
        mail("b"),
        mail("c", flagged=True),
    ):
        assert await deliver(inbox, one) == "250 OK"
    assert inbox.report() == {"sent": 6, "duplicated_flagged": 2, "duplicated_unflagged": 1}
    assert inbox.keys == {"a", "b", "c"}


async def test_a_list_of_the_morning_is_no_notification() -> None:
    inbox = Inbox()
    await deliver(inbox, mail("list.1", kind="list"))
    await deliver(inbox, mail("list.1", kind="list"))
    assert inbox.report() == {"sent": 0, "duplicated_flagged": 0, "duplicated_unflagged": 0}
    assert inbox.keys == frozenset()
    assert len(inbox.lists) == 2


async def test_some_pages_are_refused_once_and_never_twice() -> None:
    inbox = Inbox()
    answers = [await inbox.handle_DATA(None, None, mail(f"key-{number}@localhost")) for number in range(100)]
    refused = [answer for answer in answers if answer.startswith("451")]
    assert 10 < len(refused) < 50
    again = [await inbox.handle_DATA(None, None, mail(f"key-{number}@localhost")) for number in range(100)]
    assert set(again) == {"250 OK"}


def test_an_empty_inbox_has_nothing_to_report() -> None:
    assert Inbox().report() == {"sent": 0, "duplicated_flagged": 0, "duplicated_unflagged": 0}
