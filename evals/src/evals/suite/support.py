"""The support check on labelled pairs: altered statements that it accepts, true ones it rejects."""

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from evals.errors import DatasetError
from evals.machine import Origin
from evals.results import Result, result
from evals.suite.metrics import Part, ratio

COMMAND = "application support evals/datasets/support/pairs.jsonl --json | evals support --write"
NAMES = {
    "accept": "support check: altered statements taken for supported",
    "reject": "support check: true paraphrases not taken for supported",
}
SPLITS = {
    "test": ("", "three texts kept as the score, two of them looked at once"),
    "dev": ("_dev", "texts that the rules were written by"),
}


class Judged(BaseModel):
    """A pair of the data set, and the label that the check gave it."""

    id: str
    split: Literal["dev", "test"]
    way: str
    supported: bool
    label: Literal["supported", "unsupported", "contradicted"]

    @property
    def wrong(self) -> bool:
        """Whether the check got it wrong."""
        return (self.label == "supported") != self.supported


_JUDGED = TypeAdapter(list[Judged])


def figures(judged: str, here: Origin) -> list[Result]:
    """The rates of both errors in both splits, from the output of `application support --json`.

    Raises: DatasetError when that is something else.
    """
    try:
        pairs = _JUDGED.validate_json(judged)
    except ValidationError as error:
        raise DatasetError(f"This is no output of `application support --json`: {error}") from error
    rows = []
    for split, (ending, texts) in SPLITS.items():
        for kind, what in NAMES.items():
            chosen = [p for p in pairs if p.split == split and p.supported == (kind == "reject")]
            measured = ratio(Part(pair.id[:-2], float(pair.wrong), 1.0) for pair in chosen)
            if measured is not None:
                id = f"support_false_{kind}{ending}"
                rows.append(
                    result(id, f"{what}, {texts}", measured, replace(here, command=COMMAND))
                )
    return rows
