"""`ports.PromptRenderer`: a prompt file and passages become chat messages, by LangChain.

Passages stand behind a marker that their authors cannot guess. It depends on a secret and on the
passages alone, so equal passages give equal requests: the engine's prefix cache keeps working and
a question asked twice is answered twice the same.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from langchain_core.prompts import ChatPromptTemplate, PromptTemplate

from application.bundle import Bundle
from application.ports import Message
from application.prompts import Prompt
from contracts.answer import Passage

PROMPT = "answer"  # the one prompt of this pipeline, by its name in the bundle
ROLES = {"system": "system", "human": "user"}
# Zero-width and bidirectional controls, variation selectors and tags: text that no reader sees.
INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]"
)


@lru_cache(maxsize=16)
def chat_template(system: str, user: str) -> ChatPromptTemplate:
    """The messages of a prompt, as LangChain composes them."""
    return ChatPromptTemplate.from_messages([("system", system), ("human", user)])


class ChatPrompt:
    """Renders the bundle's answer prompt."""

    def __init__(self, marker_key: bytes) -> None:
        self._marker_key = marker_key

    def variables(
        self, bundle: Bundle, question: str, passages: Sequence[Passage]
    ) -> dict[str, str]:
        """What fills the prompt's templates: the question and the rendered passages."""
        prompt, longest = bundle.prompts[PROMPT], bundle.retrieval.passage_characters
        texts = [INVISIBLE.sub("", passage.text)[:longest] for passage in passages]
        marker = hmac.new(self._marker_key, "\0".join(texts).encode(), hashlib.sha256).hexdigest()
        template = PromptTemplate.from_template(prompt.passage)
        rendered = [
            template.format(marker=marker[:6], title=_heading(passage), text=text)
            for passage, text in zip(passages, texts, strict=True)
        ]
        return {"passages": "\n\n".join(rendered), "question": question}

    def template(self, bundle: Bundle) -> ChatPromptTemplate:
        """The prompt as a Runnable of `variables`."""
        prompt: Prompt = bundle.prompts[PROMPT]
        return chat_template(prompt.system, prompt.user)

    def render(self, bundle: Bundle, question: str, passages: Sequence[Passage]) -> list[Message]:
        """The messages to send."""
        filled = self.template(bundle).format_messages(**self.variables(bundle, question, passages))
        return [Message(role=ROLES[m.type], content=str(m.content)) for m in filled]


def marker_key(path: Path) -> bytes:
    """This installation's secret behind the markers, made at the first start."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def _heading(passage: Passage) -> str:
    names = dict.fromkeys([passage.title, *passage.headings])
    return INVISIBLE.sub("", " > ".join(name for name in names if name))
