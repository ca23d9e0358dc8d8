"""What the commands print: errors as a sentence, progress, and reports for a person."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import get_args

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from contracts.status import AuditReport, Outcome, Pin, RunReport, SourceStatus
from ingestion.errors import IngestionError, StateUnusable, UsageError
from ingestion.index.held import hold_text
from ingestion.operate.freshness import age
from ingestion.sync.order import OnProgress

FAILED, USAGE, PARTIAL, HELD, OVER_LIMIT = 1, 2, 3, 4, 5  # exit codes
INTERRUPTED = 130  # as a shell says of Ctrl-C
EXIT_CODES = {"complete": 0, "partial": PARTIAL, "held": HELD, "failed": FAILED}
SHOWN_IN_QUARANTINE = 20
TYPED = ("Settings", "SyncRequest", "SourceSettings")  # models of what a person wrote

stderr = Console(stderr=True)


def tell(text: str) -> None:
    """A message for a person, as it is: a path may look like markup, and is never broken in two."""
    stderr.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def usage_errors() -> Iterator[None]:
    """Errors as one sentence and an exit code."""
    try:
        yield
    except SettingsError as error:
        tell('INGESTION_SOURCES is not JSON: write it as {"handbook": "docs/"}, with the quotes.')
        raise typer.Exit(USAGE) from error
    except ValidationError as error:
        tell(_mistake(error))
        raise typer.Exit(USAGE if error.title in TYPED else FAILED) from error
    except IngestionError as error:
        tell(str(error))
        raise typer.Exit(USAGE if isinstance(error, UsageError) else FAILED) from error
    except OSError as error:
        tell(str(StateUnusable.of(error)))
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt as error:
        tell("Interrupted. What was committed stays; the same command goes on from there.")
        raise typer.Exit(INTERRUPTED) from error


def _mistake(error: ValidationError) -> str:
    """The first thing that is wrong, by the name of its setting or option, and what it may be."""
    first = error.errors()[0]
    field, *inner = map(str, first["loc"])
    name = f"INGESTION_{field.upper()}" if error.title == "Settings" else field
    where = ".".join([name, *inner])
    if first["type"] == "string_pattern_mismatch":
        by = ": give it one with --name" if field == "source" else ""
        return (
            f"{where} is {first['input']!r}, and a name has letters, digits, '.', '_' and '-', "
            f"a letter or digit first{by}."
        )
    return f"{where} is {first['input']!r}: {first['msg'].removeprefix('Value error, ')}."


@contextmanager
def progress_bar() -> Iterator[OnProgress]:
    """A bar on a terminal, nothing elsewhere."""
    columns = (TextColumn("indexing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("indexing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def run_text(report: RunReport) -> str:
    """The closing report for a person: every path is in one of its counts."""
    counts = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in get_args(Outcome))
    lines = [
        f"{report.source} -> {report.index}: {report.status} in {report.seconds:.1f} s",
        f"  {report.paths} paths: {counts}; {len(report.moves)} moved by content",
        f"  chunks: {report.chunks_embedded} embedded, {report.chunks_written} written, "
        f"{report.chunks_swept} swept; collection {report.collection or 'none'}",
        f"  run {report.run_id}"
        + (f", flow run {report.flow_run_id}" if report.flow_run_id else ""),
    ]
    if report.exact_duplicates or report.near_duplicates:
        lines.append(
            f"  duplicates: {report.exact_duplicates} documents repeat another's text, "
            f"{report.near_duplicates} of those written nearly do"
        )
    shown = report.quarantined[:SHOWN_IN_QUARANTINE]
    lines += [f"  quarantined {entry.path}: {entry.reason}" for entry in shown]
    if len(report.quarantined) > len(shown):
        more = len(report.quarantined) - len(shown)
        lines.append(f"  and {more} more: `ingestion quarantine list` shows all")
    if report.hold:
        lines.append(f"  {hold_text(report.hold)}")
    if report.error:
        lines.append(f"  {report.error}")
        lines.append("  What was committed stays; sync again to go on from there.")
    return "\n".join(lines)


def status_line(status: SourceStatus) -> str:
    """One source's freshness for a person."""
    if status.lag_seconds is None:
        ago = "never in sync"
    else:
        lag = timedelta(seconds=status.lag_seconds)
        ago = f"in sync {age(lag)} ago (run {status.last_good_run})"
    line = (
        f"{status.source} in {status.index}: {status.documents} documents, {status.chunks} chunks, "
        f"{status.quarantined} in quarantine, {ago}"
    )
    if status.undeclared:
        line += (
            "; no longer declared, still answering: declare it again, or `ingestion remove "
            f"{status.source} --tenant {status.tenant}`"
        )
    over = "OVER ITS LIMIT, " if status.over_limit else ""
    return f"{line}; {over}{status.reason}: {status.detail}" if status.reason else line


def pin_line(pin: Pin) -> str:
    """One pin for a person."""
    return (
        f"{pin.name}: {pin.documents} documents, {pin.chunks} chunks of {pin.of} "
        f"({pin.collection}) at {pin.created_at:%Y-%m-%d %H:%M:%S} UTC; read it as {pin.index}"
    )


def audit_text(report: AuditReport) -> str:
    """An audit for a person: a line per finding."""
    if report.error:
        return f"{report.source} in {report.index}: not audited. {report.error}"
    return "\n".join(
        [
            f"{report.source} in {report.index}: {report.documents} documents, "
            f"{report.checked} compared with their source, {len(report.findings)} findings",
            *(f"  {each.kind}: {each.document_id}: {each.detail}" for each in report.findings),
        ]
    )
