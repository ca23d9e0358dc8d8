"""What a run has to do: the source as found against the index as committed. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from contracts.index import DocumentManifest
from contracts.status import Move, Outcome
from ingestion.sources import Found

DOCUMENTS_PER_BATCH = 256  # however small each of them is


@dataclass(frozen=True)
class Pending:
    """A document to index: where it is and what it replaces, never its text."""

    found: Found
    replaces: DocumentManifest | None = None

    @property
    def outcome(self) -> Outcome:
        """What to call it once it is committed."""
        return "modified" if self.replaces else "added"


@dataclass(frozen=True)
class Plan:
    """Every path of the source and of the index, each in exactly one of the lists."""

    pending: list[Pending]
    unchanged: list[str]
    deleted: list[DocumentManifest]
    problems: list[Found]  # entries that cannot become documents
    moves: list[Move]

    @property
    def paths(self) -> set[str]:
        """Every path that the run has to account for."""
        return {
            *(pending.found.path for pending in self.pending),
            *self.unchanged,
            *(manifest.path for manifest in self.deleted),
            *(found.path for found in self.problems),
        }


def make_plan(
    found: Iterable[Found],
    known: Mapping[str, DocumentManifest],
    namespace: str | None,
    anew: Collection[str] = (),
) -> Plan:
    """Compare by content hash; those of `anew` (by id) are indexed anew whatever their hash."""
    pending, unchanged, problems = [], [], []
    seen = set()
    for item in found:
        seen.add(item.path)
        manifest = known.get(item.path)
        if item.problem:
            problems.append(item)
        elif manifest is None:
            pending.append(Pending(item))
        elif (
            manifest.version == item.sha256
            and namespace in (None, manifest.namespace)
            and manifest.document_id not in anew
        ):
            unchanged.append(item.path)
        else:
            pending.append(Pending(item, manifest))
    deleted = [manifest for path, manifest in known.items() if path not in seen]
    return Plan(pending, unchanged, deleted, problems, _moves(pending, deleted))


def _moves(pending: Iterable[Pending], deleted: Iterable[DocumentManifest]) -> list[Move]:
    """Pair what is gone with what is new by content, each at most once."""
    new_paths = defaultdict(list)
    for item in pending:
        if not item.replaces:
            new_paths[item.found.sha256].append(item.found.path)
    moves = []
    for manifest in deleted:
        if new_paths[manifest.version]:
            new_path = new_paths[manifest.version].pop(0)
            moves.append(Move(old_path=manifest.path, new_path=new_path))
    return moves


def batches(pending: Iterable[Pending], batch_bytes: int) -> Iterable[list[Pending]]:
    """Pending documents in groups of about `batch_bytes` raw bytes, none of them too many."""
    batch: list[Pending] = []
    size = 0
    for item in pending:
        batch.append(item)
        size += item.found.raw_bytes
        if size >= batch_bytes or len(batch) == DOCUMENTS_PER_BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
