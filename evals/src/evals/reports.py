"""Drift at each boundary as evidently reports (0.7.23).

Our numbers go in as plain columns. Tests are effect sizes, not p-values, which any large sample
makes small: Wasserstein's distance in standard deviations of the reference for numbers, Jensen
and Shannon's for categories. Reports lie in a workspace that `evals reports-page` shows.
"""

# mypy: disable-error-code="import-untyped"
# evidently and pandas ship no types.

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from evidently import DataDefinition, Dataset, Report, Run
from evidently.metrics import MeanValue, MissingValueCount, RowCount, ValueDrift
from evidently.sdk.models import PanelMetric
from evidently.sdk.panels import line_plot_panel
from evidently.tests import gt, lte
from evidently.ui.workspace import Project, Workspace

from contracts.answer import AnswerEvent
from evals.clients.qdrant import IndexedChunk
from evals.kept import Kept
from evals.suite.labels import words

PROJECT = "Faultline"
KEPT = 3 * 24 * 7  # reports in the workspace: a week of hourly cycles, half a megabyte each
MORE_MISSING = 0.2  # share of rows by which a column may lack more values than in the reference
LEAST_ROWS = 0.8  # of the reference's

_MOJIBAKE = re.compile("Ã[\u0080-\u00bf]|â€|\ufffd")  # UTF-8 read as Latin-1, or undecodable
_TABLE_ROW = re.compile(r"^\s*\|.+\|\s*$", re.M)


@dataclass(frozen=True)
class Boundary:
    """What is watched where one layer hands over to the next, and how far it may move."""

    name: str
    numbers: dict[str, float]  # column -> largest distance, in standard deviations
    categories: dict[str, float]  # column -> largest distance, 0 (same) to 0.83 (disjoint)
    limits: dict[str, float] = field(default_factory=dict)  # column -> largest mean, whatever was


DATA = Boundary(
    "data to application",
    numbers={"characters": 0.3, "non_letter_share": 0.3, "chunks_of_document": 0.3},
    categories={"format": 0.2, "table": 0.1, "heading_depth": 0.2},
    limits={"mojibake": 0.0, "empty": 0.0, "duplicate": 0.05},
)
SERVING = Boundary(
    "serving to application",
    numbers={"prompt_tokens": 0.5, "completion_tokens": 0.5}
    | {"embed_ms": 1.0, "first_token_ms": 1.0, "ms_per_token": 1.0},
    categories={"finish_reason": 0.2, "model_manifest": 0.1, "embedder": 0.1},
)
USER = Boundary(
    "application to user",
    numbers={"evidence": 0.3, "top_score": 0.5, "passages": 0.5, "citations": 0.5}
    | {"answer_characters": 0.5, "total_ms": 1.0},
    categories={"status": 0.2, "bundle": 0.1, "application_build": 0.1},
    limits={"degraded": 0.0, "uncited": 0.0},
)
SHARE = 0.05  # of the harm, on average over documents or probes

# The boundaries with the watcher's own numbers: chunks that no sync wrote, a probe's score, and
# each layer's share of the harm.
INDEXED = replace(DATA, limits=DATA.limits | {"written_by_no_sync": 0.0, "data_share": SHARE})
SERVED = replace(SERVING, limits={"serving_share": SHARE})
ASKED = replace(
    USER, numbers=USER.numbers | {"score": 0.3}, limits=USER.limits | {"application_share": SHARE}
)


@dataclass(frozen=True)
class BoundaryReport:
    """How many tests a boundary's report ran, and what failed, in evidently's words."""

    boundary: str
    tests: int
    failed: list[str]


def chunk_rows(
    chunks: Sequence[IndexedChunk],
    marks: Mapping[tuple[str, int], Mapping[str, float]] | None = None,
) -> pd.DataFrame:
    """One row a chunk, with the columns of DATA.

    With `marks`, by document and position, those of INDEXED too.
    """
    sizes = Counter(found.path for found in chunks)
    copies = Counter(tuple(words(found.chunk.text)) for found in chunks)
    return pd.DataFrame(
        {
            "characters": float(len(found.chunk.text)),
            "non_letter_share": _non_letter_share(found.chunk.text),
            "chunks_of_document": float(sizes[found.path]),
            "format": found.format,
            "table": str(bool(_TABLE_ROW.search(found.chunk.text))),
            "heading_depth": str(len(found.chunk.headings)),
            "mojibake": float(bool(_MOJIBAKE.search(found.chunk.text))),
            "empty": float(not found.chunk.text.strip()),
            "duplicate": float(copies[tuple(words(found.chunk.text))] > 1),
        }
        | dict((marks or {}).get((found.chunk.document_id, found.chunk.ordinal), {}))
        for found in chunks
    )


def answer_rows(
    events: Sequence[AnswerEvent], marks: Mapping[str, Mapping[str, float]] | None = None
) -> pd.DataFrame:
    """One row an answer, with the columns of SERVING and USER; milliseconds and tokens.

    With `marks`, by question, those of SERVED and ASKED too.
    """
    return pd.DataFrame(
        event.provenance.model_dump()
        | event.timings.model_dump()
        | event.features.model_dump()
        | {
            "finish_reason": event.features.finish_reason or "none",
            "ms_per_token": _ms_per_token(event),
            "status": event.status,
            "degraded": event.status == "degraded",
            "uncited": event.status == "answered" and event.features.citations == 0,
        }
        | dict((marks or {}).get(event.question or "", {}))
        for event in events
    )


def compare(boundary: Boundary, reference: pd.DataFrame, current: pd.DataFrame, name: str) -> Run:
    """A boundary's report on two sets of rows; a column that lost its values fails a test."""
    numbers = [*boundary.numbers, *boundary.limits]
    definition = DataDefinition(
        numerical_columns=numbers, categorical_columns=list(boundary.categories)
    )
    before, after = (
        rows[[*numbers, *boundary.categories]].astype(dict.fromkeys(numbers, float))
        for rows in (reference, current)
    )
    seen = [c for c in boundary.numbers if before[c].notna().any() and after[c].notna().any()]
    drifts = [
        ValueDrift(column=c, method="wasserstein", threshold=boundary.numbers[c]) for c in seen
    ] + [
        ValueDrift(column=c, method="jensenshannon", threshold=most)
        for c, most in boundary.categories.items()
    ]
    means = [MeanValue(column=c, tests=[]) for c in seen]
    limits = [MeanValue(column=c, tests=[lte(most)]) for c, most in boundary.limits.items()]
    missing = [
        MissingValueCount(column=c, share_tests=[lte(before[c].isna().mean() + MORE_MISSING)])
        for c in boundary.numbers
    ]
    rows = RowCount(tests=[gt(LEAST_ROWS * len(before))])
    metrics = [rows, *drifts, *limits, *means, *missing]
    report = Report(metrics, tags=[boundary.name], include_tests=True)
    datasets = (Dataset.from_pandas(rows, data_definition=definition) for rows in (after, before))
    return report.run(*datasets, name=name)


def write(workspace: Path, name: str, reference: Kept, current: Kept) -> list[BoundaryReport]:
    """Report every boundary of two revisions into a workspace, and say what failed."""
    answers = answer_rows(reference.events), answer_rows(current.events)
    chunks = chunk_rows(reference.chunks), chunk_rows(current.chunks)
    return write_all(workspace, name, [(DATA, *chunks), (SERVING, *answers), (USER, *answers)])


def write_all(
    workspace: Path,
    name: str,
    compared: Sequence[tuple[Boundary, pd.DataFrame, pd.DataFrame]],
    keep: int = KEPT,
) -> list[BoundaryReport]:
    """Report boundaries, each with its rows before and after; the workspace keeps the newest."""
    store = _store(workspace)
    (project,) = store.search_project(PROJECT)
    written = []
    for boundary, before, after in compared:
        run = compare(boundary, before, after, name=f"{boundary.name}: {name}")
        store.add_run(project.id, run)
        written.append(BoundaryReport(boundary.name, len(run.tests_results), failures(run)))
    for oldest in sorted(store.list_runs(project.id), key=str)[:-keep]:  # ids are UUIDv7, by time
        store.delete_run(project.id, oldest)
    return written


def failures(run: Run) -> list[str]:
    """The tests of a report that failed, each with its column and its value."""
    failed = [test for test in run.tests_results if test.status.value == "FAIL"]
    return [f"{test.name}. {test.description}" for test in failed]


def _store(workspace: Path) -> Workspace:
    """The workspace, with our project in it.

    A new project is moved in whole: evidently's UI, which watches the folder, dies of half a file.
    """
    store = Workspace.create(str(workspace))
    if store.search_project(PROJECT):
        return store
    with TemporaryDirectory(dir=workspace.parent) as staging:
        project = str(_new_project(Workspace.create(staging)).id)
        Path(staging, project).rename(workspace / project)
    return Workspace(str(workspace))


def _new_project(store: Workspace) -> Project:
    """The project with its dashboard: for each boundary, how far columns moved, and their means."""
    project = store.create_project(
        PROJECT, "What moved at each boundary between the layers; reports are tagged with it."
    )
    for boundary in (DATA, SERVING, USER):
        drift = PanelMetric(metric="ValueDrift", tags=[boundary.name])
        project.dashboard.add_panel(line_plot_panel(f"{boundary.name}: drift", [drift]))
        for column in boundary.numbers:
            labels = {"column": column}
            mean = PanelMetric(metric="MeanValue", metric_labels=labels, tags=[boundary.name])
            title = f"{boundary.name}: mean {column}"
            project.dashboard.add_panel(line_plot_panel(title, [mean], size="half"))
    return project


def _non_letter_share(text: str) -> float:
    visible = [character for character in text if not character.isspace()]
    return sum(not c.isalpha() for c in visible) / len(visible) if visible else 1.0


def _ms_per_token(event: AnswerEvent) -> float | None:
    spent, tokens = event.timings.generate_ms, event.features.completion_tokens
    return spent / tokens if spent is not None and tokens else None
