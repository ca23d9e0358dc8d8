"""Fixed sentences: every key has every language, and an unknown one is answered in English."""

from application.language import language_of
from application.phrases import PHRASES, phrase


def test_every_key_has_the_same_languages() -> None:
    assert len({frozenset(sentences) for sentences in PHRASES.values()}) == 1


def test_the_sentence_is_in_the_language_of_the_question() -> None:
    question = "Wie lange ist die Kündigungsfrist für den Mieter?"
    assert phrase("abstained", language_of(question)).startswith("Dazu habe ich")


def test_a_language_without_a_sentence_is_answered_in_english() -> None:
    assert phrase("abstained", "hi") == phrase("abstained", "en")


def test_each_sentence_is_told_to_be_in_its_own_language() -> None:
    for key in ("abstained", "degraded", "unsupported_note"):
        for language, sentence in PHRASES[key].items():  # type: ignore[index]
            assert language_of(sentence) == language, sentence
