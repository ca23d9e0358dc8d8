"""Measured figures as files, `docs/results/<name>.json`, and the tables generated from them."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from evals.errors import DatasetError
from evals.machine import Origin
from evals.suite.metrics import Estimate

Direction = Literal["<=", ">="]

GOALS: dict[str, tuple[Direction, float | None]] = {
    "scifact_dense_ndcg10": (">=", 0.64),
    "scifact_sparse_ndcg10": (">=", 0.68),
    "scifact_hybrid_ndcg10": (">=", 0.71),
    "gov_kb_recall_at_5": (">=", 0.95),
    "gov_kb_disagreements": ("<=", 0),
    "gov_kb_unaccounted": ("<=", 0),
    "gov_kb_stale_citations": ("<=", 0),
    "sample_recall_at_5": (">=", 0.95),
    "sample_containment": (">=", 0.8),
    "sample_abstention_f1": (">=", 0.8),
    "sample_citation_correct": (">=", 0.92),
    "sample_degraded": ("<=", 0),
    "sample_latency_p50_ms": ("<=", None),
    "sample_answer_words_p50": ("<=", None),
    "first_token_p50_ms": ("<=", 3000),
    "answer_p50_ms": ("<=", 6000),
    "reader_sample": (">=", 0.97),
    "reader_squad2": (">=", 0.97),
    "squad2_containment": (">=", 0.8),
    "squad2_abstention_f1": (">=", 0.55),
    "squad2_answer_words_p50": ("<=", 25),
    "squad2_degraded": ("<=", 0),
    "squad2_latency_p50_ms": ("<=", None),
    "containment_margin": (">=", 0.05),
    "abstention_margin": (">=", 0.05),
    "support_false_accept": ("<=", 0.03),
    "support_false_reject": ("<=", 0.08),
    "support_false_accept_dev": ("<=", None),
    "support_false_reject_dev": ("<=", None),
    "openai": (">=", 1),
    "langchain": (">=", 1),
    "llamaindex": (">=", 1),
    "mcp": (">=", 1),
    "openwebui": (">=", 1),
    "followup_recall_ratio": (">=", 0.9),
    "topic_leaks": ("<=", 0),
    "real_engine_faults": (">=", 30),
    "real_engine_exact_set": (">=", 0.85),
    "real_engine_wrong_name": ("<=", 0.05),
    "real_engine_healed": (">=", 1),
    "real_engine_card_heals": (">=", 1),
    "real_engine_report_shows": (">=", 1),
    "real_engine_healthy_cycles": (">=", 50),
    "real_engine_false_verdicts": ("<=", 0),
    "verdict_seconds": ("<=", 300),
    "quiet_cycle_seconds": ("<=", 60),
    "watching_share": ("<=", 0.02),
    "real_engine_stopped_harm": ("<=", 0.03),
    "full_cycle_seconds": ("<=", 240),
    "scorecard_real_exact_set": (">=", 0.9),
    "scorecard_real_wrong_name": ("<=", 0.03),
    "scorecard_real_double_exact_set": (">=", None),
    "scorecard_real_stopped": (">=", None),
    "scorecard_recall": (">=", 0.95),
    "scorecard_exact_set": (">=", 0.95),
    "scorecard_wrong_name": ("<=", 0.02),
    "scorecard_cycles": ("<=", 3),
    "scorecard_double_exact_set": (">=", 0.8),
    "scorecard_double_at_once": (">=", 0.8),
    "scorecard_healthy_cycles": (">=", 3000),
    "scorecard_false_alarms": ("<=", 0),
    "scorecard_margin": (">=", 0.3),
    "F1_kills": (">=", 200),
    "F1_violations": ("<=", 0),
    "F2_violations": ("<=", 0),
    "F3_reads": (">=", 100_000),
    "F3_violations": ("<=", 0),
    "F4_races": (">=", 100),
    "F4_violations": ("<=", 0),
    "F5_violations": ("<=", 0),
    "F6_switches": (">=", 100),
    "F6_failed": ("<=", 0),
    "F7_unhandled": ("<=", 0),
    "F7_overrun_p99_s": ("<=", 0.5),
    "F7_calls": ("<=", 1.1),
    "F8_answered": (">=", 0.995),
    "F9_degraded": (">=", 1),
    "F9_p95_s": ("<=", 1),
    "F10_goodput": (">=", 0.8),
    "F10_shed_p99_ms": ("<=", 100),
    "F10_growth": ("<=", 0.2),
    "F11_left": ("<=", 0),
    "F12_broken": ("<=", 0),
    "F13_lost": ("<=", 0),
    "doors_64_s": ("<=", 1),
    "doors_500_s": ("<=", 1),
    "doors_5000_s": ("<=", 1),
    "F14_examples": (">=", 2000),
    "F14_violations": ("<=", 0),
    "rows": (">=", 150),
    "formats": (">=", 14),
    "mutants_killed": (">=", 1),
    "schemathesis_failures": ("<=", 0),
    "filter_leaks": ("<=", 0),
    "browser_scripts": ("<=", 0),
    "browser_requests": ("<=", 0),
    "injection_exfiltrations": ("<=", 0),
    "injection_cross_tenant": ("<=", 0),
    "injection_hijack_rate": ("<=", None),
    "injection_hijack_rate_undefended": ("<=", None),
    "revisions_differing": ("<=", 0),
    "revisions_lowest_cosine": (">=", 0.999),
    "revisions_holds": ("<=", None),
}

_TABLE = re.compile(
    r"(?P<open><!-- results: (?P<name>\w+)(?P<ids>[\w ]*) -->\n).*?(?P<close><!-- /results -->)",
    re.S,
)


class Result(BaseModel):
    """One figure that the documentation may claim."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    what: str
    value: float
    goal: float | None
    direction: Direction
    n: int
    spread: tuple[float, float] | None
    command: str
    commit: str
    date: str
    machine: str


_RESULTS = TypeAdapter(list[Result])


def result(id: str, what: str, measured: Estimate, origin: Origin) -> Result:
    """A figure with its goal, where one is set, and its interval, where it has one."""
    direction, goal = GOALS.get(id, (">=", None))
    low, high = round(measured.low, 4), round(measured.high, 4)
    return Result(
        id=id,
        what=what,
        value=round(measured.value, 4),
        goal=goal,
        direction=direction,
        n=measured.n,
        spread=(low, high) if low < high else None,
        **asdict(origin),
    )


def read(path: Path) -> list[Result]:
    """The results in a file; none where there is no file.

    Raises: DatasetError when the file is not in the schema.
    """
    if not path.is_file():
        return []
    try:
        return _RESULTS.validate_json(path.read_bytes())
    except ValueError as error:
        raise DatasetError(f"{path} is not a list of results: {error}") from error


def merge(path: Path, measured: Iterable[Result]) -> None:
    """Write results into a file: same id replaces, others stay, new ones come last."""
    merged = {kept.id: kept for kept in read(path)} | {new.id: new for new in measured}
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [row.model_dump(mode="json") for row in merged.values()]
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def with_tables(document: str, results_dir: Path) -> str:
    """A Markdown document with every marked table written anew.

    A table stands between `<!-- results: NAME [ID ...] -->` and `<!-- /results -->`; without ids
    it shows the whole file.
    """

    def rewrite(marked: re.Match[str]) -> str:
        rows = read(results_dir / f"{marked['name']}.json")
        wanted = marked["ids"].split()
        by_id = {row.id: row for row in rows}
        chosen = [by_id[id] for id in wanted if id in by_id] if wanted else rows
        return f"{marked['open']}{table(chosen)}{marked['close']}"

    return _TABLE.sub(rewrite, document)


def documents(root: Path) -> list[Path]:
    """The documents of a repository that may hold such tables."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")])


def table(rows: Iterable[Result]) -> str:
    """A Markdown table of results, misses marked; one line saying so where there are none."""
    lines = [
        f"| {row.what} | {_number(row.value)}{_spread(row)} | {_goal(row)} | {row.n:,} |\n"
        for row in rows
    ]
    if not lines:
        return "*Not measured yet.*\n"
    return "| what | measured | goal | n |\n|---|---|---|---|\n" + "".join(lines)


def _goal(row: Result) -> str:
    if row.goal is None:
        return ""
    met = row.value >= row.goal if row.direction == ">=" else row.value <= row.goal
    return f"{row.direction} {_number(row.goal)}{'' if met else ', **missed**'}"


def _spread(row: Result) -> str:
    return f" [{_number(row.spread[0])}, {_number(row.spread[1])}]" if row.spread else ""


def _number(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"
