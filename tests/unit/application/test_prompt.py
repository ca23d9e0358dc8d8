from pathlib import Path

from pydantic import SecretStr
from tests.fakes.application import BUNDLE, LEAVE, passage

from application.adapters.prompt import ChatPrompt, marker_key
from application.excerpts import ranked_excerpts

QUESTION = "How long is parental leave?"
RENDERED = """\
Context 918ac5:
- Parental leave is 26 weeks at full pay.
- Ask your manager for form P-17 by 1 March.

Question: How long is parental leave?"""


def user_message(text: str = LEAVE, key: bytes = b"key") -> str:
    excerpts = ranked_excerpts(QUESTION, [passage(text)])
    return ChatPrompt(key).render(BUNDLE, QUESTION, excerpts)[-1]["content"]


def test_the_rendered_prompt_is_this() -> None:
    messages = ChatPrompt(b"key").render(BUNDLE, QUESTION, ranked_excerpts(QUESTION, [passage()]))
    assert [message["role"] for message in messages] == [
        "system",
        *["user", "assistant"] * 3,
        "user",
    ]
    assert messages[-1]["content"] == RENDERED


def test_what_stands_before_the_passages_is_the_same_for_every_question() -> None:
    one = ChatPrompt(b"key").render(BUNDLE, QUESTION, ranked_excerpts(QUESTION, [passage()]))
    two = ChatPrompt(b"key").render(BUNDLE, "Who?", ranked_excerpts("Who?", [passage("Ann.")]))
    assert one[:-1] == two[:-1]


def test_equal_passages_have_an_equal_marker_that_another_installation_does_not_share() -> None:
    assert user_message() == user_message()
    assert user_message() != user_message(key=b"another")


def test_characters_that_no_reader_sees_do_not_reach_the_model() -> None:
    hidden = "Leave is 26 weeks.\u200b\u202e\ufeff\U000e0041 Ask\u00ad Ann."
    assert "\u200b" not in user_message(hidden)
    assert user_message(hidden).count("Leave is 26 weeks.") == 1
    assert all(ord(character) < 0x2000 for character in user_message(hidden))


def test_braces_in_a_passage_are_text_and_no_variables() -> None:
    assert "{question}" in user_message("Leave is {question} weeks.")


def test_the_secret_behind_markers_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "marker.key"
    assert marker_key(None, path) == marker_key(None, path)
    assert path.stat().st_mode & 0o077 == 0


def test_a_secret_that_is_given_is_used_and_none_is_made(tmp_path: Path) -> None:
    assert marker_key(SecretStr("theirs"), tmp_path / "marker.key") == b"theirs"
    assert not [*tmp_path.iterdir()]
