"""`ports.Retriever`: embed the question, search the index, keep what the caller may read."""

import asyncio
import time
from dataclasses import replace

from application.access import Scope
from application.adapters.embedder import Embedder
from application.adapters.index import Index, passage_of
from application.adapters.reranker import Reranker
from application.ports import Query, Retrieved
from application.upstream import Deadline
from contracts.answer import DocumentView


class IndexRetriever:
    """Hybrid, dense or sparse search over committed chunks, put in order by a reranker if any."""

    def __init__(self, embedder: Embedder, index: Index, reranker: Reranker | None = None) -> None:
        self._embedder = embedder
        self._index = index
        self._reranker = reranker

    async def search(self, query: Query) -> Retrieved:
        """At most `query.limit` passages, best first."""
        began = time.perf_counter()
        (dense, sparse), collections = await asyncio.gather(
            self._embedder.embed(query.text, query.mode, query.deadline),
            self._index.resolve(query.index, query.deadline),
        )
        embedded = time.perf_counter()
        hits, lexical = await asyncio.gather(
            self._index.search(self._wider(query), collections, dense, sparse),
            self._index.best_lexical_score(query, collections, sparse),
        )
        allowed = [
            (hit, manifest)
            for hit, manifest in hits
            if query.scope.permits(hit.chunk.tenant, hit.chunk.namespace)
        ]
        passages, by = [passage_of(hit, manifest) for hit, manifest in allowed], "none"
        if self._reranker:
            passages, by = await self._reranker.ordered(query.text, passages, query.deadline)
        return Retrieved(
            passages=passages[: query.limit],
            reranker=by,
            dates={m.document_id: m.modified_at for _, m in allowed if m.modified_at},
            lexical=lexical,
            collection=collections.chunks,
            embed_ms=(embedded - began) * 1000,
            search_ms=(time.perf_counter() - embedded) * 1000,
        )

    def _wider(self, query: Query) -> Query:
        """The query for as many passages as the reranker reads."""
        if not self._reranker:
            return query
        return replace(query, limit=max(query.limit, self._reranker.candidates))

    async def document(
        self, document_id: str, scope: Scope, index: str, deadline: Deadline
    ) -> DocumentView:
        """The committed text of one document."""
        return await self._index.document(document_id, scope, index, deadline)
