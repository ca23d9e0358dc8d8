"""The scorecard as a page: figures, who was taken for whom, every drill, what was left out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from jinja2 import Template

from evals.drill.recording import Recording
from evals.drill.scorecard import FLIPS, HIGH, MEDIUM, SEEDS, is_exact, severity
from evals.drill.simulate import AFTER, BENIGN, ROUNDS, Run
from evals.drill.trial import HARM
from evals.results import Result, table
from evals.watch.model import LAYERS

COLUMNS = (*LAYERS, "several", "UNSURE", "nothing")
_TEMPLATE = Template(  # Markdown of our own figures and titles: nothing to escape
    Path(__file__).with_name("scorecard.md.j2").read_text(encoding="utf-8"),
    keep_trailing_newline=True,
)
SEVERITIES = ("high", "medium", "low")


def page(
    figures: Sequence[Result],
    runs: Sequence[Run],
    recordings: Sequence[Recording],
    real: Sequence[Run],
    pairs: Sequence[tuple[str, str]],
) -> str:
    """Markdown, written whole: nothing in it is typed by hand. `pairs` are names of look-alikes."""
    told: str = _TEMPLATE.render(
        figures=table(figures),
        seeds=SEEDS,
        flips=f"{FLIPS:.0%}",
        rounds=ROUNDS,
        benign=f"{BENIGN:.0%}",
        after=AFTER,
        medium=MEDIUM,
        high=HIGH,
        real_confusion=_confusion([each for each in real if len(each.layers) == 1]),
        confusion=_confusion([each for each in runs if len(each.layers) == 1]),
        by_severity=_by_severity(runs),
        pairs=_pairs(pairs, runs, recordings),
        drills=_drills(runs, recordings),
        left_out=_left_out(recordings),
    )
    return told


def _confusion(cases: Sequence[Run]) -> str:
    counts = Counter((each.layers[0], _named(each)) for each in cases)
    rows = [
        [f"**{layer}**", *(str(counts[layer, column] or "") for column in COLUMNS)]
        for layer in LAYERS
    ]
    return _table(["at fault", *(f"named: {column}" for column in COLUMNS)], rows)


def _named(each: Run) -> str:
    if len(each.named) > 1:
        return "several"
    if each.named:
        return each.named[0]
    return "UNSURE" if each.status == "UNSURE" else "nothing"


def _by_severity(runs: Sequence[Run]) -> str:
    rows = []
    for layer in LAYERS:
        row = [f"**{layer}**"]
        for wanted in SEVERITIES:
            these = [r for r in runs if r.layers == (layer,) and severity(r.harm) == wanted]
            share = f"{sum(map(is_exact, these)) / len(these):.2f} of {len(these)}" if these else ""
            row.append(share)
        rows.append(row)
    return _table(["at fault", *(f"{each} harm" for each in SEVERITIES)], rows)


def _pairs(
    pairs: Sequence[tuple[str, str]], runs: Sequence[Run], recordings: Sequence[Recording]
) -> str:
    by_name = {each.drill: each for each in recordings}
    rows = []
    for pair in pairs:
        row = []
        for name in pair:
            these = [run for run in runs if run.drill == name]
            if these:
                layer = " + ".join(by_name[name].layers)
                exact = f"{sum(map(is_exact, these))} of {len(these)}"
                row += [by_name[name].title, layer, exact]
        if len(row) == 6:
            rows.append(row)
    return _table(["fault", "layer", "exact", "looks like", "layer", "exact"], rows)


def _drills(runs: Sequence[Run], recordings: Sequence[Recording]) -> str:
    rows = []
    for drill in recordings:
        these = [run for run in runs if run.drill == drill.drill]
        if these:
            named = [run.cycles for run in these if run.named]
            others = sorted({layer for run in these for layer in run.named} - {*drill.layers})
            rows.append(
                [
                    drill.title,
                    " + ".join(drill.layers),
                    f"{drill.harm:.2f}",
                    "yes" if drill.harm_held is not None else "",
                    f"{sum(map(is_exact, these))} of {len(these)}",
                    f"{median(named):g}" if named else "",
                    ", ".join(others),
                ]
            )
    heads = ["fault", "layer", "harm", "stopped by a guard", "exact", "cycles", "wrongly named"]
    return _table(heads, rows)


def _left_out(recordings: Sequence[Recording]) -> str:
    """Faults that did no harm on the real engine, which is no fault of the watcher's."""
    lines = [
        f"- {each.title}: harm {each.harm:.3f}, below {HARM}; without effect on this model and"
        " corpus.\n"
        for each in recordings
        if each.harm < HARM
    ]
    return "".join(lines) or "Nothing: every drill did harm.\n"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
