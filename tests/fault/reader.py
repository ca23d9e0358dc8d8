"""Reads an index as the application does while others write it, and counts what must not be.

A process of its own, in the application's environment:
    python tests/fault/reader.py URL INDEX STOP_FILE LEAST_READS
"""

import asyncio
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from application.access import OPEN_SCOPE
from application.adapters.index import Index, connect
from application.bundle import load_bundle
from application.errors import NotFound, RetrievalUnavailable
from application.ports import Query
from application.settings import Settings
from application.upstream import Deadline, Upstream
from contracts.endpoints import SparseVector

KEY = "the-key"
STABLE = 20


def sparse(text: str) -> SparseVector:
    """As tests/fakes/hash_embedder.py has it, which this environment cannot import."""
    counts = Counter(re.findall(r"\w+", text.lower()))
    weights = {
        int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big"): float(count)
        for word, count in counts.items()
    }
    return SparseVector(indices=sorted(weights), values=[weights[i] for i in sorted(weights)])


def editions(text: str) -> set[int]:
    """Editions that a text mixes; one is right."""
    return {int(number) for number in re.findall(r"edition(\d+)", text)}


async def read(url: str, name: str, is_over: Callable[[], bool], least: int) -> dict[str, object]:
    """Read until it is over and so many reads are done."""
    index = Index(
        connect(url, KEY),
        Upstream("vector store", RetrievalUnavailable, (ApiException, QdrantException)),
    )
    bundle = load_bundle(Settings().bundle)
    newest: dict[str, int] = {}
    reads, found, wrong = 0, 0, []
    while reads < least or not is_over():
        deadline = Deadline(30)
        wanted = f"stable{reads % STABLE}" if reads % 2 else f"page{reads % 200}"
        query = Query(wanted, OPEN_SCOPE, name, "lexical", 4, bundle, deadline)
        collections = await index.resolve(name, deadline)
        hits = await index.search(query, collections, None, sparse(wanted))
        reads += 1
        texts: dict[str, str] = {}
        for hit, _ in hits:
            texts[hit.chunk.document_id] = texts.get(hit.chunk.document_id, "") + hit.chunk.text
        if wanted.startswith("stable") and f"docs/{wanted}.md" not in texts:
            wrong.append(f"read {reads}: {wanted} was committed and not found")
        for document, text in texts.items():
            seen = editions(text)
            if len(seen) != 1 or min(seen) < newest.get(document, 0):
                wrong.append(f"read {reads}: {document} shows editions {seen}")
            newest[document] = max(seen)
        if texts and reads % 4 == 0:
            document = min(texts)
            try:
                view = await index.document(document, OPEN_SCOPE, name, deadline)
            except NotFound:
                continue  # deleted meanwhile
            found += 1
            if len(editions(view.text)) != 1:
                wrong.append(f"read {reads}: {document} reads as {view.text[:80]!r}")
    return {"reads": reads + found, "violations": wrong}


if __name__ == "__main__":
    url, name, stop, least = sys.argv[1:]
    print(json.dumps(asyncio.run(read(url, name, Path(stop).exists, int(least)))))
