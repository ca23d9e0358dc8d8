"""`POST /v1/feedback`: what a person thinks of an answer."""

from fastapi import APIRouter

from application.dependencies import CallerDep, ServicesDep
from contracts.answer import FeedbackRequest

router = APIRouter()


@router.post("/v1/feedback", status_code=204)
async def feedback(body: FeedbackRequest, caller: CallerDep, services: ServicesDep) -> None:
    """Keeps a vote, a comment or the right passage with the provenance of the answer."""
    await services.feedback.put(body, caller.scope, caller.index, caller.deadline)
