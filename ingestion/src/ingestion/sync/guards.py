"""The guards of a sync: what it would take from readers is judged before anything is changed.

Volume: too many documents are gone. Shape: too many that changed or came anew look like a broken
export, beside what readers see of the same documents now (docs/adr/0014).
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TypeVar

from contracts.endpoints import digest_of
from contracts.index import DocumentManifest
from contracts.status import Hold
from ingestion.compare import Indexed, losses
from ingestion.errors import DocumentError, Held
from ingestion.index.records import SourceRecord, SourceRecords
from ingestion.index.writer import Index
from ingestion.sources import Found
from ingestion.state.runs import Run
from ingestion.sync.guard_memory import Memory, loss_of, since
from ingestion.sync.plan import Plan

FEW = 4  # documents may always go, or come damaged, however small the source
SAMPLE = 200  # documents that a guard reads at most of each kind; of more, a share is estimated
EXAMPLES = 3
SHARED_TEXT = 0.9  # of a document's text in lines that others have too: then it is boilerplate
MOVED_TEXT = 0.5  # of a gone document's word sequences found elsewhere: then it has moved
SEQUENCE_WORDS = 5
BROKEN = "indexed, but it looks like a broken export: {}"

T = TypeVar("T")


@dataclass(frozen=True)
class Guard:
    """Judges the plans of one source; `max_dropped` and `max_damaged` are shares of it."""

    index: Index
    read: Callable[[Found], str]  # the text of a document as the source has it; DocumentError
    records: SourceRecords
    max_dropped: float
    max_damaged: float
    allow_empty: bool

    def check(self, plan: Plan, known: dict[str, DocumentManifest], run: Run) -> None:
        """Return if the plan may be carried out; what it damages, but not too much, is noted.

        Raises: Held. An approval holds for the source exactly as it was when the run was held.
        """
        digest = self._digest(plan, known)
        record = self.records.read()
        last = record.hold
        if last and last.digest == digest:
            if last.approved_at:
                run.hold = last
                self.records.change(lost=[], damaged=[])  # what is left is the measure now
                return
            if not self.allow_empty:
                raise Held(last)
        memory, reasons = self._judged(plan, known, record, run)
        if not reasons:
            self.records.change(lost=memory.lost, damaged=memory.damaged)
            return
        if last and last.approved_at:
            reasons.append(f"the source has changed since run {last.run_id} was approved")
        raise Held(Hold(run_id=run.run_id, since=datetime.now(UTC), digest=digest, reasons=reasons))

    def reasons(self, plan: Plan, known: dict[str, DocumentManifest], run: Run) -> list[str]:
        """Why a run would be held now, in clauses; nothing is kept of the question."""
        record = self.records.read()
        last = record.hold
        if last and last.approved_at and last.digest == self._digest(plan, known):
            return []
        return self._judged(plan, known, record, run)[1]

    def _judged(
        self, plan: Plan, known: dict[str, DocumentManifest], record: SourceRecord, run: Run
    ) -> tuple[Memory, list[str]]:
        history = self._history(known)
        memory = Memory.of(record, plan, history, datetime.now(UTC))
        changed = _changed(plan, history) if history else []
        now = dict(self._readable(_sample(changed)))
        return memory, [
            *self._volume(plan, history, now, memory, run.source),
            *self._shape(changed, history, now, memory, run),
        ]

    def first_look(self, run: Run) -> None:
        """Note what looks broken in a source that was never there before: it has no history."""
        texts = self._texts(_sample(list(self.index.manifests().values())))
        run.notes.extend(map(BROKEN.format, _told(damages({}, texts))))

    def _digest(self, plan: Plan, known: dict[str, DocumentManifest]) -> str:
        """Names what the source holds, and the limits: however far a killed run has come."""
        found = {item.found.path: item.found.sha256 for item in plan.pending}
        found |= {item.path: item.sha256 for item in plan.problems}
        found |= {path: known[path].version for path in plan.unchanged}
        return digest_of([self.max_dropped, self.max_damaged, sorted(found.items())])

    def _history(self, known: dict[str, DocumentManifest]) -> dict[str, DocumentManifest]:
        """The documents that readers see; another collection's while this one is being built."""
        live = self.index.live_collection()
        return known if live in (None, self.index.collection) else self.index.manifests(live)

    def _volume(
        self,
        plan: Plan,
        history: dict[str, DocumentManifest],
        now: Mapping[str, str],
        memory: Memory,
        source: str,
    ) -> Iterator[str]:
        gone = gone_from(plan, history)
        if self.allow_empty:
            memory.lost.clear()
            return
        if not gone:
            return
        before = len(memory.lost)  # documents that earlier runs took
        whole = len(history) + before
        if len(gone) == len(history) and not plan.pending:
            yield f"0 of {len(history)} documents of {source} are left in the source"
            return
        lost: Sequence[DocumentManifest] = gone
        is_much = self._too_many(len(gone) + before, self.max_dropped, whole)
        if is_much or (len(gone) > FEW and len(plan.pending) <= SAMPLE):
            chosen = _sample(gone)
            moved = self._moved(chosen, plan, now)
            lost = [manifest for manifest in chosen if manifest.path not in moved]
            dropped = len(lost) * len(gone) // len(chosen) + before
            if lost and self._too_many(dropped, self.max_dropped, whole):
                paths = ", ".join(manifest.path for manifest in lost[:EXAMPLES])
                added = f" {since(memory.lost)}" if before else ""
                yield (
                    f"{dropped} of {whole} documents of {source} are gone{added}, and their text "
                    f"is nowhere else in it (at most {self.max_dropped:.0%} may go), e.g. {paths}"
                )
                return
            if len(chosen) < len(gone):
                lost = [manifest for manifest in gone if manifest.path not in moved]
        memory.lost.extend(loss_of(manifest.path, manifest.version) for manifest in lost)

    def _moved(
        self, gone: Sequence[DocumentManifest], plan: Plan, now: Mapping[str, str]
    ) -> set[str]:
        """Paths of those whose text is found again in documents that are added or modified."""
        wanted = {path: sequences(text) for path, text in self._texts(gone).items()}
        every = set().union(*wanted.values())
        found: set[int] = set()
        rest = (item.found for item in plan.pending if item.found.path not in now)
        for _, text in chain(now.items(), self._readable(rest)):
            found |= every & sequences(text)
        return {
            path
            for path, own in wanted.items()
            if own and len(own & found) >= MOVED_TEXT * len(own)
        }

    def _shape(
        self,
        changed: Sequence[Found],
        history: dict[str, DocumentManifest],
        now: Mapping[str, str],
        memory: Memory,
        run: Run,
    ) -> Iterator[str]:
        if not now:
            return
        before = [history[path] for path in now if path in history]
        if len(now) - len(before) > FEW:  # what is usual in this source, for those that are new
            before += _sample([old for path, old in history.items() if path not in now])
        damaged = damages(self._texts(before), now)
        told = _told(damaged)
        memory.forget_damage_of(now)
        earlier = len(memory.damaged)
        estimate = len(damaged) * len(changed) // len(now) + earlier
        few = len(damaged) + earlier <= FEW
        if damaged and not few and self._too_many(estimate, self.max_damaged, len(history)):
            added = f", with those {since(memory.damaged)}," if earlier else ""
            yield (
                f"{estimate} of the {len(changed) + earlier} documents of {run.source} that "
                f"changed{added} look like a broken export (at most {self.max_damaged:.0%} of "
                f"{len(history)} may): {'; '.join(told)}"
            )
            return
        run.notes.extend(map(BROKEN.format, told))
        versions = {item.path: item.sha256 for item in changed}
        memory.damaged.extend(loss_of(path, versions[path]) for path in damaged)

    def _too_many(self, count: int, share: float, documents: int) -> bool:
        return count > max(FEW, share * documents)

    def _readable(self, every: Iterable[Found]) -> Iterator[tuple[str, str]]:
        """Texts with their paths, of what can be read: the rest keeps its last good version."""
        for found in every:
            with suppress(DocumentError):
                yield found.path, self.read(found)

    def _texts(self, manifests: Iterable[DocumentManifest]) -> dict[str, str]:
        """Text of documents as readers see it now, by path."""
        seen = self.index.reader(self.index.live_collection() or self.index.collection)
        return {
            manifest.path: Indexed(manifest, chunks).text
            for manifest, chunks in seen.with_chunks(list(manifests))
        }


def _changed(plan: Plan, history: Mapping[str, DocumentManifest]) -> list[Found]:
    """What came anew or with another content; what moved as it was is neither."""
    versions = {manifest.version for manifest in history.values()}
    return [item.found for item in plan.pending if item.found.sha256 not in versions]


def gone_from(plan: Plan, history: Mapping[str, DocumentManifest]) -> list[DocumentManifest]:
    """Documents of `history` that the source has neither by path nor, to the byte, by content."""
    here = plan.paths - {manifest.path for manifest in plan.deleted}
    contents = {item.found.sha256 for item in plan.pending}
    contents |= {history[path].version for path in plan.unchanged if path in history}
    return [
        history[path]
        for path in sorted(history.keys() - here)
        if history[path].version not in contents
    ]


def sequences(text: str) -> set[int]:
    """Every run of five words of a text, hashed; of a shorter text the one that it is."""
    words = re.findall(r"\w+", text.casefold())
    last = max(1, len(words) - SEQUENCE_WORDS + 1) if words else 0
    return {hash(tuple(words[start : start + SEQUENCE_WORDS])) for start in range(last)}


def damages(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What looks broken among texts by path: a kind and a clause for each.

    `before` has what the same documents were, and may have others of the source.
    """
    alike = boilerplate(before, now)
    found = {
        path: next(losses(before.get(path, ""), text), None)
        for path, text in now.items()
        if path not in alike
    }
    clause = "nearly all of its lines stand in other documents too"
    return dict.fromkeys(sorted(alike), ("boilerplate", clause)) | {
        path: loss for path, loss in found.items() if loss
    }


def boilerplate(before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    """Paths of texts in `now` that consist of lines which many share, as none did `before`."""
    new = _common(now.values()) - _common(before.values())
    return {
        path
        for path, lines in ((path, _lines(text)) for path, text in now.items())
        if lines
        and sum(len(line) for line in lines if line in new) >= SHARED_TEXT * sum(map(len, lines))
    }


def _common(texts: Iterable[str]) -> set[str]:
    counts = Counter(line for text in texts for line in set(_lines(text)))
    return {line for line, count in counts.items() if count > FEW}


def _lines(text: str) -> list[str]:
    return [line for line in map(str.strip, text.splitlines()) if line]


def _told(damaged: Mapping[str, tuple[str, str]]) -> list[str]:
    """A clause for each kind of damage, with its count and an example."""
    by_kind = defaultdict(list)
    for path, (kind, clause) in damaged.items():
        by_kind[kind].append(f"{path}: {clause}")
    return [f"{len(found)} x {kind}, e.g. {found[0]}" for kind, found in by_kind.items()]


def _sample(items: Sequence[T]) -> Sequence[T]:
    chosen = random.Random(0)  # noqa: S311  # no secret, and the same choice for the same source
    return chosen.sample(items, SAMPLE) if len(items) > SAMPLE else items
