"""Errors as RFC 9457 problem documents; what a library raised never reaches the caller."""

import logging
import traceback

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from application.doors.openai_form import OPENAI_ROUTES, error_of
from application.errors import ApplicationError, NotAuthenticated
from contracts.answer import Problem

log = logging.getLogger("application")

UNEXPECTED = "Something went wrong here; the log has the details under this request id."


def problem_of(error: Exception, request_id: str | None) -> Problem:
    """The problem document of any error."""
    if isinstance(error, ApplicationError):
        status, title, detail = error.status, error.title, str(error)
    elif isinstance(error, HTTPException):
        status, title, detail = (
            error.status_code,
            error.detail,
            f"{error.detail}; the routes are in the application's README.",
        )
    elif isinstance(error, RequestValidationError):
        status, title, detail = 422, "Invalid request", _validation_sentence(error)
    else:
        log_unexpected(error, request_id)
        status, title, detail = 500, "Internal error", UNEXPECTED
    return Problem(title=title, status=status, detail=detail, request_id=request_id)


def problem_response(error: Exception, request_id: str | None, path: str = "") -> Response:
    """The same as a response, with the headers that its kind calls for.

    On a `path` of OpenAI's API it has the form of OpenAI's errors, which its clients can read.
    """
    problem = problem_of(error, request_id)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if isinstance(error, ApplicationError) and error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if path.startswith(OPENAI_ROUTES):
        body, status = error_of(problem)
        return Response(body, status, headers, "application/json")
    return Response(problem.model_dump_json(), problem.status, headers, "application/problem+json")


def add_problem_handlers(app: FastAPI) -> None:
    """Every error that a route raises becomes a problem document; the envelope does the rest."""

    async def handle(request: Request, error: Exception) -> Response:
        if isinstance(error.__cause__, ApplicationError):
            error = error.__cause__  # FastAPI makes a 400 of what reading the body raised
        request_id = getattr(request.state, "request_id", None)
        return problem_response(error, request_id, request.url.path)

    for kind in (ApplicationError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, handle)


def log_unexpected(error: BaseException, request_id: str | None) -> None:
    """Logs where `error` arose, and not its message, which may hold a text or a key."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        parts += [*traceback.format_tb(cause.__traceback__), f"{type(cause).__qualname__}\n"]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    log.error("request %s failed\n%s", request_id, "".join(parts))


def _validation_sentence(error: RequestValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}."
