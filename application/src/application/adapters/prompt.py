"""`ports.PromptRenderer`: a prompt file and the context become chat messages, by LangChain.

The passages stand between two lines with the same code, which their authors cannot guess: it
depends on a secret and on those words alone. So a question asked twice makes the same request, and
the text before the question stays the same for the engine's prefix cache.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from pydantic import SecretStr

from application.bundle import Bundle
from application.context import Block
from application.ports import Message
from contracts.answer import Turn

PROMPT, REWRITE, VERIFY = "answer", "rewrite", "verify"  # by their names in the bundle
SPEAKERS = {"user": "User", "assistant": "Assistant"}
LONGEST_TURN = 600  # characters that the rewriting model reads of one
ROLES = {"system": "system", "human": "user", "ai": "assistant"}  # LangChain's names: OpenAI's
# Zero-width and bidirectional controls, variation selectors and tags: text that no reader sees.
INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]"
)
# What tokenizers of chat models read as a role or a control token: <|im_end|>, </s>, [INST], ...
ROLE_TOKENS = re.compile(r"<(?=[|｜/]?\s*[A-Za-z_|｜<])|\[(?=/?[A-Z]{3,}(?:_[A-Z]+)*\])")
WITHOUT_ROLE = {"<": "‹", "[": "［"}


class ChatPrompt:
    """Renders the bundle's answer prompt."""

    def __init__(self, marker_key: bytes) -> None:
        self._marker_key = marker_key

    def variables(self, bundle: Bundle, question: str, context: Sequence[Block]) -> dict[str, str]:
        """What fills the messages' templates."""
        template = PromptTemplate.from_template(bundle.prompts[PROMPT].passage)
        passages = "\n".join(
            " ".join(template.format(**_filled(number, block)).split())
            for number, block in enumerate(context, start=1)
        )
        marker = hmac.new(self._marker_key, passages.encode(), hashlib.sha256).hexdigest()[:8]
        return {"marker": marker, "passages": passages, "question": without_role_tokens(question)}

    def template(self, bundle: Bundle, name: str = PROMPT) -> ChatPromptTemplate:
        """The prompt as a Runnable of its variables."""
        return ChatPromptTemplate.from_messages(
            [(message.role, message.text) for message in bundle.prompts[name].messages]
        )

    def render(self, bundle: Bundle, question: str, context: Sequence[Block]) -> list[Message]:
        """The messages to send."""
        filled = self.template(bundle).format_messages(**self.variables(bundle, question, context))
        return [Message(role=ROLES[m.type], content=str(m.content)) for m in filled]

    def render_rewrite(
        self, bundle: Bundle, question: str, history: Sequence[Turn]
    ) -> list[Message]:
        """The messages that ask for `question` in words that need no history."""
        told = "\n".join(f"{SPEAKERS[turn.role]}: {_one_line(turn.content)}" for turn in history)
        variables = {"history": told, "question": _one_line(question)}
        filled = self.template(bundle, REWRITE).format_messages(**variables)
        return [Message(role=ROLES[m.type], content=str(m.content)) for m in filled]

    def render_verification(
        self, bundle: Bundle, question: str, answer: str, blocks: Sequence[Block]
    ) -> list[Message]:
        """The messages that ask whether `blocks` say `answer` to `question`: Yes or No."""
        excerpt = " ".join(f"{block.title}: {block.text}" for block in blocks)
        said = {"excerpt": excerpt, "question": question, "answer": answer}
        variables = {
            name: " ".join(without_role_tokens(text).split()) for name, text in said.items()
        }
        filled = self.template(bundle, VERIFY).format_messages(**variables)
        return [Message(role=ROLES[m.type], content=str(m.content)) for m in filled]


def marker_key(given: SecretStr | None, path: Path) -> bytes:
    """The secret behind the markers: the one given, or the state's, made at the first start."""
    if given:
        return given.get_secret_value().encode()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def without_role_tokens(text: str) -> str:
    """`text` without invisible characters, and with no words that a tokenizer reads as a role."""
    return ROLE_TOKENS.sub(lambda match: WITHOUT_ROLE[match[0]], INVISIBLE.sub("", text))


def _one_line(text: str) -> str:
    return " ".join(without_role_tokens(text).split())[:LONGEST_TURN]


def _filled(number: int, block: Block) -> dict[str, str]:
    words = {"title": block.title, "text": block.text}
    safe = {name: without_role_tokens(text) for name, text in words.items()}
    return safe | {"number": str(number), "lead": ""}  # `text` holds the lead since prompt v2
