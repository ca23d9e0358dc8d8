"""`ports.PromptRenderer`: a prompt file and passages become chat messages, by LangChain.

The passages' words stand behind a marker that their authors cannot guess. It depends on a secret
and on those words alone: a question asked twice makes the same request, and gets the same answer.
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
from application.excerpts import Excerpt
from application.ports import Message

PROMPT = "answer"  # the one prompt of this pipeline, by its name in the bundle
ROLES = {"system": "system", "human": "user", "ai": "assistant"}  # LangChain's names: OpenAI's
# Zero-width and bidirectional controls, variation selectors and tags: text that no reader sees.
INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]"
)


class ChatPrompt:
    """Renders the bundle's answer prompt."""

    def __init__(self, marker_key: bytes) -> None:
        self._marker_key = marker_key

    def variables(
        self, bundle: Bundle, question: str, excerpts: Sequence[Excerpt]
    ) -> dict[str, str]:
        """What fills the messages' templates."""
        template = PromptTemplate.from_template(bundle.prompts[PROMPT].passage)
        passages = "\n".join(
            " ".join(template.format(lead=_seen(e.lead), text=_seen(e.text)).split())
            for e in excerpts
        )
        marker = hmac.new(self._marker_key, passages.encode(), hashlib.sha256).hexdigest()[:6]
        return {"marker": marker, "passages": passages, "question": _seen(question)}

    def template(self, bundle: Bundle) -> ChatPromptTemplate:
        """The prompt as a Runnable of `variables`."""
        return ChatPromptTemplate.from_messages(
            [(message.role, message.text) for message in bundle.prompts[PROMPT].messages]
        )

    def render(self, bundle: Bundle, question: str, excerpts: Sequence[Excerpt]) -> list[Message]:
        """The messages to send."""
        filled = self.template(bundle).format_messages(**self.variables(bundle, question, excerpts))
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


def _seen(text: str) -> str:
    return INVISIBLE.sub("", text)
