"""Files that grow by one JSON line at a time."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)


def read(file: Path, model: type[T]) -> list[T]:
    """Every line of `file` as `model`, the first one first; none where there is no file.

    A line that is no `model` is skipped: a kill leaves half of one, and later releases write more.
    Only a line feed ends a line, since texts may hold other separators.
    """
    found = []
    for line in file.read_bytes().split(b"\n") if file.exists() else ():
        try:
            found.append(model.model_validate_json(line))
        except ValidationError:
            continue
    return found
