"""Prompts are Markdown files, one per released version; a prompt that is not whole is refused."""

import re
from pathlib import Path
from typing import Self

import frontmatter
from pydantic import Field, model_validator

from application.errors import Misconfigured
from contracts import Contract

FILE_NAME = re.compile(r"(?P<name>[a-z_]+)\.(?P<version>v\d+)\.md")
SECTION = re.compile(r"^# (system|passage|user)\n", re.MULTILINE)
VARIABLE = re.compile(r"\{(\w+)\}")


class Prompt(Contract):
    """One version of one prompt: three templates, with variables as `{name}`."""

    name: str
    version: str
    purpose: str = Field(min_length=1)
    variables: list[str]
    changed: str = Field(min_length=1)  # against the version before, and why
    system: str = Field(min_length=1)
    passage: str = Field(min_length=1)  # rendered once for each passage
    user: str = Field(min_length=1)

    @model_validator(mode="after")
    def _declares_its_variables(self) -> Self:
        used = set(VARIABLE.findall(self.system + self.passage + self.user))
        if used != set(self.variables):
            odd = ", ".join(sorted(used ^ set(self.variables)))
            raise ValueError(f"prompt {self.name}.{self.version}: used or declared only: {odd}")
        return self


def load_prompt(directory: Path, name: str, version: str) -> Prompt:
    """The prompt in `directory`/`name`.`version`.md; raises Misconfigured, never falls back."""
    path = directory / f"{name}.{version}.md"
    if not FILE_NAME.fullmatch(path.name) or not path.is_file():
        raise Misconfigured(f"There is no prompt file {path}; name one that exists in bundle.toml.")
    document = frontmatter.loads(path.read_text())
    _, *parts = SECTION.split(document.content + "\n")
    sections = dict(zip(parts[::2], (text.strip() for text in parts[1::2]), strict=True))
    try:
        return Prompt.model_validate(
            {**document.metadata, **sections, "name": name, "version": version}
        )
    except ValueError as error:
        raise Misconfigured(f"{path} is not a whole prompt: {error}") from error
