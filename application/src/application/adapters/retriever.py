"""`ports.Retriever`: embed the question, search the index, keep what the caller may read."""

import asyncio
import time

from application.access import Scope
from application.adapters.embedder import Embedder
from application.adapters.index import Index, passage_of
from application.ports import Query, Retrieved
from application.upstream import Deadline
from contracts.answer import DocumentView


class IndexRetriever:
    """Hybrid, dense or sparse search over committed chunks."""

    def __init__(self, embedder: Embedder, index: Index) -> None:
        self._embedder = embedder
        self._index = index

    async def search(self, query: Query) -> Retrieved:
        """At most `query.limit` passages, best first."""
        began = time.perf_counter()
        (dense, sparse), collections = await asyncio.gather(
            self._embedder.embed(query.text, query.mode, query.deadline),
            self._index.resolve(query.index, query.deadline),
        )
        embedded = time.perf_counter()
        hits, lexical = await asyncio.gather(
            self._index.search(query, collections, dense, sparse),
            self._index.best_lexical_score(query, collections, sparse),
        )
        allowed = [
            (hit, manifest)
            for hit, manifest in hits
            if query.scope.permits(hit.chunk.tenant, hit.chunk.namespace)
        ]
        return Retrieved(
            passages=[passage_of(hit, manifest) for hit, manifest in allowed[: query.limit]],
            dates={m.document_id: m.modified_at for _, m in allowed if m.modified_at},
            lexical=lexical,
            collection=collections.chunks,
            embed_ms=(embedded - began) * 1000,
            search_ms=(time.perf_counter() - embedded) * 1000,
        )

    async def document(
        self, document_id: str, scope: Scope, index: str, deadline: Deadline
    ) -> DocumentView:
        """The committed text of one document."""
        return await self._index.document(document_id, scope, index, deadline)
