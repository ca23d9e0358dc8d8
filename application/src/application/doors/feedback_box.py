"""What people think of answers: kept beside the answers' events, with the provenance of each."""

import asyncio
from datetime import UTC, datetime

from application.access import Scope
from application.adapters.events import AnswerEvents
from application.errors import InvalidRequest, NotFound
from application.ports import Retriever
from application.upstream import Deadline
from contracts.answer import FeedbackEvent, FeedbackRequest, Place


class FeedbackBox:
    """Ties feedback to the event of its answer, and appends it to a file that evals read."""

    def __init__(self, answers: AnswerEvents, box: AnswerEvents, retriever: Retriever) -> None:
        self._answers = answers
        self._box = box
        self._retriever = retriever

    async def put(
        self, said: FeedbackRequest, scope: Scope, index: str, deadline: Deadline
    ) -> None:
        """Keeps `said`; raises NotFound or InvalidRequest where it speaks of nothing known."""
        if not (said.vote or said.comment.strip() or said.passage):
            raise InvalidRequest("Send a vote, a comment or a passage.")
        answer = await asyncio.to_thread(self._answers.find, said.request_id)
        if answer is None or answer.tenant != scope.tenant:
            raise NotFound(f"No answer of yours has the request id {said.request_id!r}.")
        path, span = "", ""
        if said.passage:
            path, span = await self._span(said.passage, scope, index, deadline)
        self._box.append(
            FeedbackEvent(
                at=datetime.now(UTC),
                tenant=scope.tenant,
                vote=said.vote,
                comment=said.comment.strip(),
                question=said.question.strip(),
                document_id=said.passage.document_id if said.passage else "",
                path=path,
                span=span,
                status=answer.status,
                provenance=answer.provenance,
            )
        )

    async def _span(
        self, place: Place, scope: Scope, index: str, deadline: Deadline
    ) -> tuple[str, str]:
        view = await self._retriever.document(place.document_id, scope, index, deadline)
        span = view.text[place.start : place.end]
        if not span.strip():
            raise InvalidRequest("The passage holds no text; check its start and end.")
        return view.path, span
