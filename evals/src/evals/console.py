"""How a command ends badly: one sentence on standard error, and an exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from evals.errors import DatasetError, EvalsError


@contextmanager
def sentences() -> Iterator[None]:
    """Turn our errors into one sentence: 2 for a file that is not in its form, else 1."""
    try:
        yield
    except DatasetError as error:
        fail(str(error), code=2)
    except EvalsError as error:
        fail(str(error))


def fail(sentence: str, code: int = 1) -> NoReturn:
    """End the command."""
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)
