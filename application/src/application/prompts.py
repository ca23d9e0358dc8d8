"""Prompts are Markdown files, one per released version; a prompt that is not whole is refused."""

import re
from string import Formatter
from typing import Literal, Self

import frontmatter
from pydantic import Field, model_validator

from application.errors import Misconfigured
from contracts import Contract

SECTION = re.compile(r"^# (system|user|assistant|passage)\n", re.MULTILINE)
IN_PASSAGE = {"number", "title", "lead", "text"}  # what `adapters/prompt.py` can fill
IN_MESSAGES = {"marker", "passages", "question", "history", "excerpt", "answer"}


class Template(Contract):
    """One chat message, with variables as `{name}`."""

    role: Literal["system", "user", "assistant"]
    text: str = Field(min_length=1)


class Prompt(Contract):
    """One version of one prompt: its messages, and how each passage is written into the last."""

    name: str
    version: str
    purpose: str = Field(min_length=1)
    variables: list[str]
    changed: str = Field(min_length=1)  # against the version before, and why
    messages: list[Template] = Field(min_length=1)
    passage: str = ""  # of the prompt that answers; others show no passages

    @model_validator(mode="after")
    def _declares_its_variables(self) -> Self:
        passage = _used(self.passage)
        messages = _used(*(message.text for message in self.messages))
        if not self.passage and self.name == "answer":
            raise ValueError("it has no # passage section, which says how a passage is shown")
        odd = (passage | messages) ^ set(self.variables)
        if odd:
            raise ValueError(f"only declared, or only used: {', '.join(sorted(odd))}")
        odd = (passage - IN_PASSAGE) | (messages - IN_MESSAGES)
        if odd:
            raise ValueError(f"nothing fills {', '.join(sorted(odd))}; write a plain brace as {{{{")
        return self


def _used(*texts: str) -> set[str]:
    fields = [field for text in texts for field in Formatter().parse(text)]
    if any(spec or conversion for _, _, spec, conversion in fields):
        raise ValueError("a variable is written {name}, without a format")
    return {name for _, name, _, _ in fields if name is not None}


def parse_prompt(text: str, name: str, version: str) -> Prompt:
    """The prompt in the `text` of its file; raises Misconfigured, never falls back."""
    try:
        document = frontmatter.loads(text)
        _, *parts = SECTION.split(document.content + "\n")
        pairs = zip(parts[::2], parts[1::2], strict=True)
        sections = [(part, body.strip()) for part, body in pairs]
        return Prompt.model_validate(
            {
                **document.metadata,
                "name": name,
                "version": version,
                "messages": [{"role": r, "text": t} for r, t in sections if r != "passage"],
                "passage": "".join(text for part, text in sections if part == "passage"),
            }
        )
    except Exception as error:  # YAML raises what it likes, and a typo must be no outage
        raise Misconfigured(f"{name}.{version}.md is not a whole prompt: {error}") from error
