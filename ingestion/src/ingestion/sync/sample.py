"""Chunks that a run wrote, chosen at random, each beside the raw source that it was cut from.

Kept in `samples/`, not in the run reports, which are read by the dozen and hold no one's text.
"""

import hashlib
import random
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import groupby, islice, zip_longest
from pathlib import Path

from pydantic import BaseModel

from contracts.index import (
    ChunkPayload,
    DocumentManifest,
    chunk_point_id,
)
from ingestion.errors import DocumentError, IngestionError
from ingestion.index.writer import Index
from ingestion.parsers import PLAIN_TEXT
from ingestion.sources import Source
from ingestion.state.files import read_whole, write_whole
from ingestion.state.runs import Run, entries
from ingestion.text import decoded

CHUNKS = 20
RUNS_KEPT = 20  # of a source; older samples are removed
MARGIN_CHARACTERS = 120  # of raw text before and after the span
MOST_CHARACTERS = 4000  # of a text that is kept
SEARCHED_CHARACTERS = 100_000  # of raw text before and after where a chunk should be
OPENING_WORDS = 60  # of a chunk, which are looked for
LEAST_WORDS = 4  # of them in a row


class SampledChunk(BaseModel):
    """A chunk as the store holds it, and the part of its raw document that says the same."""

    chunk_id: str
    document_id: str
    ordinal: int
    start: int
    end: int
    page: int | None
    headings: list[str]
    text: str
    raw: str  # "" where there is nothing to show; `note` then says why
    note: str


class Sample(BaseModel):
    """What was sampled of one run."""

    run_id: str
    source: str
    tenant: str
    index: str
    collection: str
    chunks_written: int
    chunks: list[SampledChunk]


class Samples:
    """Samples of past runs: one file each, in a folder per index, tenant and source."""

    def __init__(self, state_dir: Path) -> None:
        self._root = state_dir / "samples"

    def save(self, sample: Sample) -> None:
        """Keep a sample, and of older ones the newest."""
        folder = self._root / sample.index / sample.tenant / sample.source
        write_whole(folder / f"{sample.run_id}.json", sample.model_dump_json().encode())
        for old in sorted(folder.glob("*.json"))[:-RUNS_KEPT]:
            old.unlink(missing_ok=True)

    def newest(self, index: str, source: str | None) -> Sample | None:
        """The newest sample of a source, or of any; a run that wrote nothing has none."""
        files = (
            file
            for file in entries(self._root / index, depth=3)
            if file.suffix == ".json" and source in (None, file.parent.name)
        )
        newest = max(files, key=lambda file: file.name, default=None)  # run ids sort by time
        return read_whole(Sample, newest) if newest else None


def keep_sample(index: Index, source: Source, run: Run, state_dir: Path) -> None:
    """Sample what a run wrote; where that fails, a note of the run says so, and the run goes on."""
    written = sorted(path for path, what in run.outcomes.items() if what in ("added", "modified"))
    if not written:
        return
    try:
        chunks = _sampled(index, source, run, written)
        sample = Sample(
            run_id=run.run_id,
            source=run.source,
            tenant=run.tenant,
            index=run.index,
            collection=run.collection,
            chunks_written=run.chunks_embedded,
            chunks=chunks,
        )
        Samples(state_dir).save(sample)
    except (IngestionError, OSError) as error:
        run.notes.append(f"no chunks were sampled: {error}")


def _sampled(index: Index, source: Source, run: Run, written: list[str]) -> list[SampledChunk]:
    """Documents are chosen first, so that a long one does not take the places of the others."""
    choose = random.Random(run.run_id)  # noqa: S311  # no secret
    paths = choose.sample(written, min(CHUNKS, len(written)))
    reader = index.reader(index.collection)
    of_run = reader.manifests_of((run.tenant, f"{run.source}/{path}") for path in paths)
    manifests = sorted(of_run.values(), key=lambda manifest: manifest.path)
    choose.shuffle(manifests)
    orders = [choose.sample(range(m.chunks), min(CHUNKS, m.chunks)) for m in manifests]
    turns = zip_longest(*orders)  # one chunk of each document, then another of each, and so on
    chosen = (
        (m, i) for turn in turns for m, i in zip(manifests, turn, strict=True) if i is not None
    )
    wanted = [
        (chunk_point_id(*_identity(m), index.spec.digest, ordinal, m.namespace), m)
        for m, ordinal in sorted(islice(chosen, CHUNKS), key=lambda pair: (pair[0].path, pair[1]))
    ]
    found = reader.chunks_at([*dict(wanted)])
    sampled = []
    for manifest, group in groupby(wanted, key=lambda pair: pair[1]):  # a raw document at a time
        raw, note = _raw(source, manifest)
        for chunk_id, _ in group:
            if chunk_id in found:
                sampled.append(_beside(chunk_id, found[chunk_id], manifest, raw, note))
    return sampled


def _identity(manifest: DocumentManifest) -> tuple[str, str, str]:
    return manifest.tenant, manifest.document_id, manifest.version


def _raw(source: Source, manifest: DocumentManifest) -> tuple[str, str]:
    """The raw document as it was indexed; or "", and why it cannot be shown."""
    if manifest.format not in PLAIN_TEXT:
        return "", f"a {manifest.format} file is not plain text: open {manifest.path} beside it"
    try:
        raw = source.read(manifest.path)
        if hashlib.sha256(raw).hexdigest() != manifest.version:
            return "", "the raw document has changed since"
        return decoded(raw), ""
    except DocumentError as error:
        return "", f"the raw document: {error}"


def _beside(
    chunk_id: str, chunk: ChunkPayload, manifest: DocumentManifest, raw: str, note: str
) -> SampledChunk:
    excerpt = _excerpt(_around(raw, chunk.start / max(1, manifest.characters)), chunk.text)
    if raw and not excerpt:
        note = "its words do not stand in a row in the raw document: is its parser right?"
    if chunk.page:
        note += f", at page {chunk.page}"
    return SampledChunk(
        chunk_id=chunk_id,
        document_id=chunk.document_id,
        ordinal=chunk.ordinal,
        start=chunk.start,
        end=chunk.end,
        page=chunk.page,
        headings=chunk.headings,
        text=_cut(chunk.text),
        raw=_cut(excerpt),
        note=note,
    )


def _around(raw: str, share: float) -> str:
    """The part of a large raw text around where a chunk should be, so that finding it is quick."""
    middle = int(share * len(raw))
    return raw[max(0, middle - SEARCHED_CHARACTERS) : middle + SEARCHED_CHARACTERS]


def _excerpt(raw: str, text: str) -> str:
    """What a raw text has, markup and all, around what a chunk says; "" if it says nothing of it.

    Spans count characters of the parsed text, so the place is found by words in a row.
    """
    places = list(_words(raw))
    words = [raw[start:end].casefold() for start, end in places]
    wanted = [text[start:end].casefold() for start, end in _words(text)]
    opening = wanted[:OPENING_WORDS]
    match = SequenceMatcher(None, words, opening, autojunk=False).find_longest_match()
    if match.size < min(LEAST_WORDS, len(wanted)) or not match.size:
        return ""
    first = max(0, match.a - match.b)
    last = min(len(places), first + len(wanted)) - 1
    start = max(0, places[first][0] - MARGIN_CHARACTERS)
    return raw[start : places[last][1] + MARGIN_CHARACTERS]


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Where each word stands; tags hold none."""
    for found in re.finditer(r"</?[a-zA-Z!][^<>]*>|(\w+)", text):
        if found[1]:
            yield found.span()


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} …"
