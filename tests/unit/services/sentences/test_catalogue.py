"""Sentences are made of a key and facts, in any language that has a catalogue."""

import pytest

from schemas.alerts import Message
from services.sentences.catalogue import ENGLISH, Catalogue, Reader, UnknownSentenceError, load

CHINESE = """
msgid ""
msgstr ""
"Language: zh\\n"
"Content-Type: text/plain; charset=utf-8\\n"

msgctxt "doctor"
msgid "spo2.low"
msgstr "静息时{label}不高于{limit}已{minutes}分钟。最近一次为{value}。"

#, fuzzy
msgctxt "caregiver"
msgid "spo2.low"
msgstr "血氧偏低。"

msgctxt "vital"
msgid "spo2"
msgstr "血氧饱和度"

msgctxt "doctor"
msgid "silent_device.silent"
msgstr "设备已有 {hours:.1f} 小时没有消息。"

msgctxt "doctor"
msgid "sos.pressed"
msgstr ""
"""
LOW = Message("spo2.low", {"vital": "spo2", "limit": 92, "minutes": 4, "value": 90.0})


def test_a_value_stands_with_the_name_of_its_vital_and_the_words_of_its_unit() -> None:
    said = ENGLISH.say(LOW, Reader.DOCTOR)
    assert said == "Oxygen saturation at or below 92 % at rest for 4 min; 90 % at last."


def test_that_rest_is_not_known_is_said_where_a_fact_says_so_and_rows_of_before_say_what_they_said() -> None:
    unknown = Message(LOW.key, {**LOW.facts, "rest": "unknown"})
    said = ENGLISH.say(unknown, Reader.DOCTOR)
    assert said == "Oxygen saturation at or below 92 % (whether at rest is not known) for 4 min; 90 % at last."
    assert "(whether at rest is not known)" in ENGLISH.say(unknown, Reader.CAREGIVER)
    assert "low at rest." in ENGLISH.say(LOW, Reader.CAREGIVER)


SUGAR = Message("glucose_low.low", {"vital": "glucose", "limit": 39, "minutes": 15, "value": 38.0})


def test_a_value_that_its_sensor_cannot_measure_is_said_as_a_bound_and_a_limit_is_a_number() -> None:
    said = ENGLISH.say(Message(SUGAR.key, {**SUGAR.facts, "clipped": 1}), Reader.DOCTOR)
    assert "below 39 mg/dL for 15 min; below 40 mg/dL at last" in said
    assert "38 mg/dL at last" in ENGLISH.say(SUGAR, Reader.DOCTOR)


def test_another_language_has_words_of_its_own_for_below_and_above() -> None:
    chinese = Catalogue.read(
        "zh",
        f"""{CHINESE}
msgctxt "bound"
msgid "below"
msgstr "低于{{value}}"

msgctxt "doctor"
msgid "glucose_low.low"
msgstr "{{value}}。"
""".encode(),
    )
    assert chinese.say(Message(SUGAR.key, {**SUGAR.facts, "clipped": 1}), Reader.DOCTOR) == "低于40 mg/dL。"


def test_another_language_needs_only_a_catalogue() -> None:
    chinese = Catalogue.read("zh", CHINESE.encode())
    assert chinese.say(LOW, Reader.DOCTOR) == "静息时血氧饱和度不高于92 %已4分钟。最近一次为90 %。"
    assert chinese.say(Message("silent_device.silent", {"hours": 3.25}), Reader.DOCTOR) == "设备已有 3.2 小时没有消息。"


@pytest.mark.parametrize(("key", "reader"), [("spo2.low", Reader.CAREGIVER), ("sos.pressed", Reader.DOCTOR)])
def test_what_is_not_translated_yet_or_doubtful_is_not_said(key: str, reader: Reader) -> None:
    with pytest.raises(UnknownSentenceError):
        Catalogue.read("zh", CHINESE.encode()).say(Message(key, LOW.facts), reader)


def test_a_fact_that_is_missing_is_noticed_and_one_too_many_is_not() -> None:
    with pytest.raises(KeyError, match="minutes"):
        ENGLISH.say(Message("spo2.low", {"vital": "spo2", "limit": 92, "value": 90}), Reader.DOCTOR)
    assert ENGLISH.say(Message("sos.pressed", {"room": "hall"}), Reader.DOCTOR) == "The SOS button was pressed."


def test_a_catalogue_is_read_the_same_each_time() -> None:
    assert load("en") == ENGLISH
