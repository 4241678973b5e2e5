"""A trace shows the whole fate of an uplink, in the order in which it comes to be."""

from services.cli.fates import Fates

KEY = (7, 3)


def test_an_uplink_is_followed_from_the_broker_to_its_finding() -> None:
    fates = Fates()

    fates.saw_uplink(KEY)
    fates.saw_rows([{"epoch": 7, "seq": 3, "received_at": 1000, "stored": 3}])
    fates.saw_rejections([{"epoch": 7, "seq": 3, "item": 2, "reason": "out_of_range", "received_at": 1000}])
    fates.saw_ack(7, 3, [])
    fates.saw_findings([{"epoch": 7, "seq": 3, "rule": "spo2", "level": 2}])

    assert fates.by_key[KEY].words() == (
        "published 1x → received → stored 3, rejected: item 2 out_of_range → settled → acked → finding: spo2 level 2"
    )


def test_an_ack_of_another_epoch_or_of_less_says_nothing_of_it() -> None:
    fates = Fates()
    fates.saw_uplink(KEY)

    fates.saw_ack(8, 3, [])
    fates.saw_ack(7, 2, [])

    assert fates.by_key[KEY].words() == "published 1x"


def test_a_resend_is_counted_and_a_finding_shown_once() -> None:
    fates = Fates()

    for _ in range(2):
        fates.saw_uplink(KEY)
        fates.saw_findings([{"epoch": 7, "seq": 3, "rule": "sos", "level": 1}])

    assert fates.by_key[KEY].words() == "published 2x → finding: sos level 1"
