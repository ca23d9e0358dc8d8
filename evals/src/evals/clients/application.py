"""The application's HTTP API, as a probe: contracts 3 and 4."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from contracts.answer import Answer, AskRequest, Passage, Problem, SearchResponse, Turn
from contracts.probe import PROBE_CYCLE, PROBE_INDEX, PROBE_KEY
from contracts.status import BundleStatus
from contracts.urls import authorization, without_credentials
from evals.errors import Unavailable, Unreachable
from evals.settings import Settings
from evals.suite.ports import Heard, Mode

F = TypeVar("F", bound=BaseModel)


class Application:
    """Searches and asks one index; safe to share between threads.

    Raises: Unavailable, from every call, with what to do next.
    """

    def __init__(
        self,
        settings: Settings,
        index: str,
        transport: httpx.BaseTransport | None = None,
        *,
        url: str | None = None,
        cycle: str | None = None,
    ) -> None:
        """Every request carries the probe key and reads `index`.

        `url` is of another build than the live one; a `cycle` shares its generations.
        """
        url = url or settings.application_url
        headers = {PROBE_INDEX: index} | ({PROBE_CYCLE: cycle} if cycle else {})
        if settings.probe_key:
            headers[PROBE_KEY] = settings.probe_key.get_secret_value()
        headers |= authorization(
            url, settings.api_key.get_secret_value() if settings.api_key else None
        )
        self._http = httpx.Client(
            base_url=without_credentials(url),
            headers=headers,
            timeout=settings.timeout_seconds,
            transport=transport,
        )

    def __enter__(self) -> Self:
        """Connections are opened on demand."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close them."""
        self._http.close()

    def search(self, question: str, limit: int, mode: Mode = "hybrid") -> list[Passage]:
        """Passages, best first."""
        query = {"q": question, "limit": limit, "mode": mode}
        reply = self._request("GET", "/v1/search", params=query)
        return _parsed(SearchResponse, reply).passages

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """One whole answer."""
        body = _body(AskRequest(question=question, history=list(history)))
        return _parsed(Answer, self._request("POST", "/v1/ask", json=body))

    def listen(self, question: str) -> Heard:
        """One answer, streamed: what the model said, and when its first word came."""
        body = _body(AskRequest(question=question, stream=True))
        began, pieces, first_token_ms = time.perf_counter(), [], None
        with self._stream("/v1/ask", body) as reply:
            for event, data in _events(reply.iter_lines()):
                if event == "token":
                    first_token_ms = first_token_ms or _ms_since(began)
                    pieces.append(json.loads(data)["text"])
                elif event == "answer":
                    answer = _validated(Answer, data, "/v1/ask")
                    return Heard(answer, "".join(pieces), first_token_ms, _ms_since(began))
                elif event == "error":
                    raise Unavailable(
                        f"/v1/ask failed: {_validated(Problem, data, '/v1/ask').detail}"
                    )
        raise Unavailable("The application's stream ended without an answer: look at its log.")

    def status(self) -> BundleStatus:
        """Its build and its bundle."""
        return _parsed(BundleStatus, self._request("GET", "/v1/status"))

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        with self._reachable():
            reply = self._http.request(method, path, **options)
        _check(reply)
        return reply

    @contextmanager
    def _stream(self, path: str, body: dict[str, Any]) -> Iterator[httpx.Response]:
        with self._reachable(), self._http.stream("POST", path, json=body) as reply:
            if reply.is_error:
                reply.read()
            _check(reply)
            yield reply

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise Unreachable(
                f"The application does not answer at {self._http.base_url} ({error}): "
                "start it with `make demo`, or set EVALS_APPLICATION_URL."
            ) from error


def _body(request: AskRequest) -> dict[str, Any]:
    """The request; an empty history is left out, since the accepted build may not know it yet."""
    return request.model_dump(exclude=None if request.history else {"history"})


def _check(reply: httpx.Response) -> None:
    if reply.status_code == HTTPStatus.UNAUTHORIZED:
        raise Unavailable(
            "The application refused our key: set EVALS_PROBE_KEY to the key whose digest it "
            "was given, and EVALS_API_KEY where it asks users for one."
        )
    if reply.is_error:
        asked = f"{reply.request.method} {reply.request.url.path}"
        raise Unavailable(f"{asked} ended with {reply.status_code}: {_detail(reply)}")


def _events(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Name and data of each server-sent event; the application writes data on one line."""
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, value


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _parsed(form: type[F], reply: httpx.Response) -> F:
    return _validated(form, reply.content, reply.request.url.path)


def _validated(form: type[F], content: str | bytes, path: str) -> F:
    try:
        return form.model_validate_json(content)
    except ValidationError as error:
        raise Unavailable(f"{path} is not in this version's form: {error}") from error


def _detail(reply: httpx.Response) -> str:
    try:
        return Problem.model_validate_json(reply.content).detail
    except ValidationError:
        return reply.text[:200]
