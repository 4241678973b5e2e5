"""All that is said of medicine can be said in Chinese, of the same facts."""

from string import Formatter

import pytest

from services.medication import adherence, notices, sayings
from services.sentences.catalogue import ENGLISH, Reader, load

CHINESE = load("zh")
KEYS = (*sayings.MESSAGES, *adherence.MESSAGES, *notices.MESSAGES)


def facts_in(sentence: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("reader", Reader)
@pytest.mark.parametrize("key", KEYS)
def test_a_sentence_of_medicine_has_its_chinese(key: str, reader: Reader) -> None:
    english, chinese = ENGLISH.sentences[str(reader), key], CHINESE.sentences[str(reader), key]

    assert facts_in(chinese) <= facts_in(english)
    assert chinese.endswith("。")
    assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese)


def test_no_sentence_of_another_key_stands_there() -> None:
    assert {key for _, key in CHINESE.sentences} == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_caregivers_are_named_no_drug_in_either_language(key: str) -> None:
    for catalogue in (ENGLISH, CHINESE):
        assert "drug" not in facts_in(catalogue.sentences[str(Reader.CAREGIVER), key])
