"""Whether users ask other questions than before the last accept, told from their events' numbers.

`told` is pure and reads no text, which events rarely have; `read` fetches what it compares.
"""

import logging
import re
from bisect import bisect, bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import asin, inf, sqrt
from pathlib import Path
from statistics import fmean, pvariance
from typing import BinaryIO

from contracts.answer import AnswerEvent
from evals.watch.model import Verdict

EFFECT = 0.5  # Cohen's h of a rate, Cohen's d of a mean
LEAST = 100  # events with a value, on either side: with 50, one unchanged week in 14 looked moved
KEPT = 500  # newest events on either side
SPAN = 32 * 2**20  # bytes read, at most, before the accept and at the file's end
WELL = ("OK", "WORKLOAD")

Value = Callable[[AnswerEvent], float | None]
# By the form of its figures, "%" for rates. `top_score` is comparable within one response only.
ASKED: dict[str, tuple[str, Value]] = {
    "the characters of a question": (".0f", lambda e: e.features.question_characters),
}
ANSWERED: dict[str, tuple[str, Value]] = {
    "the evidence of their answers": (".2f", lambda e: e.features.evidence),
    "the tokens of a prompt": (".0f", lambda e: e.features.prompt_tokens),
    "the share of abstentions": (".0%", lambda e: e.status == "abstained"),
}

_AT = re.compile(rb'"at":"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))"')
_NEVER = datetime.max.replace(tzinfo=UTC)
_log = logging.getLogger(__name__)


def told(
    before: Sequence[AnswerEvent], now: Sequence[AnswerEvent], verdicts: Sequence[Verdict] = ()
) -> list[str]:
    """A clause for everything that moved, for `decide`; all three oldest first.

    Events beside a cycle that was not well are left out: a fault's answers are no workload. What
    the layers decide too is compared between answers of one bundle, model and embedder only.
    """
    before, now = _calm(before, verdicts), _calm(now, verdicts)
    clauses = [_moved(what, *feature, before, now) for what, feature in ASKED.items()]
    made = next((by for e in reversed(now) if "unknown" not in (by := _made_by(e))), None)
    before, now = ([e for e in side if _made_by(e) == made] for side in (before, now))
    features = dict(ANSWERED)
    # A source on one side only came or went, which is the data's news.
    for source in sorted({_source(e) for e in before} & {_source(e) for e in now} - {""}):
        features[f"the share of answers led by source {source}"] = ".0%", _is_led_by(source)
    clauses += [_moved(what, *feature, before, now) for what, feature in features.items()]
    return [clause for clause in clauses if clause]


def read(path: Path, accepted: datetime) -> tuple[list[AnswerEvent], list[AnswerEvent]]:
    """Users' newest events from before the accept, and from since then; none without a file."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            split = bisect_left(range(size), accepted, key=lambda offset: _time(file, offset))
            before = _newest(file, max(0, split - SPAN), split)
            return before, _newest(file, max(split, size - SPAN), size)
    except (OSError, ValueError) as error:
        _log.info("Users' questions are not compared: %s", error)
        return [], []


def _moved(
    what: str, form: str, value: Value, before: Sequence[AnswerEvent], now: Sequence[AnswerEvent]
) -> str | None:
    old, new = ([v for e in side if (v := value(e)) is not None] for side in (before, now))
    if min(len(old), len(new)) < LEAST:
        return None
    was, is_now = fmean(old), fmean(new)
    if form.endswith("%"):
        effect = 2 * asin(sqrt(is_now)) - 2 * asin(sqrt(was))
    elif spread := sqrt((pvariance(old) + pvariance(new)) / 2):
        effect = (is_now - was) / spread
    else:
        effect = inf if is_now != was else 0.0
    if abs(effect) < EFFECT:
        return None
    return (
        f"{what} {'rose' if is_now > was else 'fell'} from {was:{form}} to {is_now:{form}} "
        f"in {len(new)} questions since {now[0].at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    )


def _calm(events: Sequence[AnswerEvent], verdicts: Sequence[Verdict]) -> list[AnswerEvent]:
    """Those whose last cycle before and first cycle after were well, where there were such."""
    times = [verdict.at for verdict in verdicts]
    after = [bisect(times, event.at.astimezone(UTC)) for event in events]
    return [
        event
        for event, n in zip(events, after, strict=True)
        if all(verdict.status in WELL for verdict in verdicts[max(0, n - 1) : n + 1])
    ]


def _made_by(event: AnswerEvent) -> tuple[str, str, str]:
    return event.provenance.bundle, event.provenance.model, event.provenance.embedder


def _source(event: AnswerEvent) -> str:
    return event.documents[0].partition("/")[0] if event.documents else ""


def _is_led_by(source: str) -> Value:
    return lambda event: _source(event) == source


def _time(file: BinaryIO, offset: int) -> datetime:
    """The first time at the offset or later, in a file whose lines are in order."""
    file.seek(offset)
    found = next(filter(None, map(_AT.search, file)), None)
    return datetime.fromisoformat(found[1].decode()) if found else _NEVER


def _newest(file: BinaryIO, start: int, end: int) -> list[AnswerEvent]:
    """Users' newest events among the lines that begin there; what does not parse is passed over."""
    file.seek(start)
    lines: deque[bytes] = deque(maxlen=KEPT)
    for line in file:
        if start >= end:
            break
        start += len(line)
        if b'"probe":true' not in line:  # in a text its quotes would be escaped
            lines.append(line)
    events = []
    for line in lines:
        with suppress(ValueError):
            events.append(AnswerEvent.model_validate_json(line))
    return [event for event in events if not event.probe]
