"""Prompts are Markdown files, one per released version; a prompt that is not whole is refused."""

import re
from pathlib import Path
from typing import Literal, Self

import frontmatter
from pydantic import Field, model_validator

from application.errors import Misconfigured
from contracts import Contract

SECTION = re.compile(r"^# (system|user|assistant|passage)\n", re.MULTILINE)
VARIABLE = re.compile(r"\{(\w+)\}")


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
    passage: str = Field(min_length=1)

    @model_validator(mode="after")
    def _declares_its_variables(self) -> Self:
        texts = [self.passage, *(message.text for message in self.messages)]
        odd = set(VARIABLE.findall(" ".join(texts))) ^ set(self.variables)
        if odd:
            raise ValueError(f"only declared, or only used: {', '.join(sorted(odd))}")
        return self


def load_prompt(directory: Path, name: str, version: str) -> Prompt:
    """The prompt in `directory`/`name`.`version`.md; raises Misconfigured, never falls back."""
    path = directory / f"{name}.{version}.md"
    if not path.is_file():
        raise Misconfigured(f"There is no prompt file {path}; name one that exists in bundle.toml.")
    document = frontmatter.loads(path.read_text())
    _, *parts = SECTION.split(document.content + "\n")
    sections = [(part, text.strip()) for part, text in zip(parts[::2], parts[1::2], strict=True)]
    try:
        return Prompt.model_validate(
            {
                **document.metadata,
                "name": name,
                "version": version,
                "messages": [{"role": r, "text": t} for r, t in sections if r != "passage"],
                "passage": "".join(text for part, text in sections if part == "passage"),
            }
        )
    except ValueError as error:
        raise Misconfigured(f"{path} is not a whole prompt: {error}") from error
