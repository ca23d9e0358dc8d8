"""The real page over recorded answers: each question is the name of a state to show.

Run it: python -P tests/fakes/replay_app.py [port]   (in the application's environment)
"""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

sys.path.append(str(Path(__file__).parents[2]))  # last: its neighbours there bear the layers' names

from tests.fakes.sample_answers import SAMPLE_ANSWERS, SOURCE
from tests.fakes.sample_answers import view as sample_view

from application.web.routes import router, static_files
from contracts.answer import (
    Answer,
    AskRequest,
    Citation,
    DocumentView,
    FeedbackRequest,
    Passage,
    Problem,
    Provenance,
    Timings,
)
from contracts.status import Check, Readiness

API_KEY = "replay-key"
PAYLOADS = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror=window.ran=1>",
    "<img src=https://outside.example/pixel>",
    "<svg onload=window.ran=1>",
    "<iframe src=https://outside.example></iframe>",
    "<a href=javascript:window.ran=1>click</a>",
    "[click](javascript:window.ran=1)",
    "![pixel](https://outside.example/pixel.png)",
    "<link rel=stylesheet href=https://outside.example/a.css>",
    "<style>@import 'https://outside.example/a.css'</style>",
    "<meta http-equiv=refresh content='0;url=https://outside.example'>",
    "<base href=https://outside.example/>",
    "<form action=https://outside.example><button>go</button></form>",
    "<details open ontoggle=window.ran=1>",
    "<video><source onerror=window.ran=1></video>",
    "<body onload=window.ran=1>",
    "<math><mi xlink:href=javascript:window.ran=1>x</mi></math>",
    "<object data=https://outside.example></object>",
    "<embed src=https://outside.example>",
    "<input autofocus onfocus=window.ran=1>",
    "<template><script>window.ran = 1</script></template>",
    "</pre><script>window.ran = 1</script>",
    "</textarea><script>window.ran = 1</script>",
    "'\"><script>window.ran = 1</script>",
    "{{constructor.constructor('window.ran=1')()}}",
    "${window.ran = 1}",
    "javascript:window.ran=1",
    "data:text/html,<script>window.ran=1</script>",
    "&lt;script&gt;window.ran = 1&lt;/script&gt;",
    "\u202e<script>window.ran = 1</script>\u202c",
    "<noscript><p title='</noscript><img src=x onerror=window.ran=1>'>",
    "<a href='https://outside.example' ping='https://outside.example/ping'>go</a>",
    "%3Cscript%3Ewindow.ran=1%3C/script%3E",
    "<isindex action=javascript:window.ran=1 type=image>",
]

QUOTE = "Full-time staff take up to 26 weeks of paid parental leave"
TEXT = (
    "# Parental leave 🍼\n\nValid from 1 March 2026. Owner: People team 👩‍💻.\n\n"
    + "This page applies to every office. It was last reviewed by the works council. " * 12
    + f"\n\n## How much leave\n\n{QUOTE}, in one or two blocks within 18 months of the birth or"
    " adoption. Part-time staff take the same number of weeks.\n\n"
    "| office | weeks paid | notice |\n| --- | --- | --- |\n"
    "| Zürich | 26 | 8 weeks |\n| Porto | 26 | 6 weeks |\n\n"
    + "Ask your manager for the form, and keep a copy of what you hand in. "
    * 30
)
START = TEXT.index(QUOTE)
VERSION = "9f2b6a0c4d1e" + "0" * 52


def passage(number: int, **changes: Any) -> Passage:
    fields = {
        "chunk_id": f"chunk-{number}",
        "document_id": "handbook/people/parental leave.md",
        "version": VERSION,
        "title": "Parental leave",
        "path": "people/parental leave.md",
        "source": "handbook",
        "headings": ["Parental leave", "How much leave"],
        "text": TEXT[START : START + 300],
        "start": START,
        "end": START + 300,
        "score": 1 / number,
        "run_id": "run-2026-11-22",
    }
    return Passage.model_validate(fields | changes)


def citation(number: int, **changes: Any) -> Citation:
    fields = {
        "number": number,
        "chunk_id": f"chunk-{number}",
        "document_id": "handbook/people/parental leave.md",
        "version": VERSION,
        "title": "Parental leave",
        "path": "people/parental leave.md",
        "start": START,
        "end": START + len(QUOTE),
        "quote": QUOTE,
    }
    return Citation.model_validate(fields | changes)


def answer(**changes: Any) -> Answer:
    provenance = {
        "request_id": "01JD9Q4XW7",
        "ingestion_runs": ["run-2026-11-22"],
        "index": "faultline-5d0c1e7a9b3f2468",
        "embedder": "1b2c3d4e5f607182",
        "model": "smollm2-135m-instruct",
        "model_manifest": "a1b2c3d4e5f60718",
        "endpoint": "http://127.0.0.1:8000",
        "application_build": "0.1.0+replay",
        "bundle": "77c1e0d9a2b34f56",
        "sampling": {"temperature": 0.0, "max_tokens": 256},
    }
    fields = {
        "request_id": "01JD9Q4XW7",
        "status": "answered",
        "text": f"{QUOTE} [1]. They give eight weeks of notice in Zürich and six in Porto [2].",
        "evidence": 0.91,
        "citations": [
            citation(1),
            citation(
                2,
                start=TEXT.index("| Zürich"),
                end=TEXT.index("\n\nAsk your"),
                quote=TEXT[TEXT.index("| Zürich") : TEXT.index("\n\nAsk your")],
            ),
        ],
        "passages": [passage(number, page=number) for number in (1, 2, 3)],
        "provenance": Provenance.model_validate(provenance),
        "timings": Timings(embed_ms=8.4, search_ms=5.1, first_token_ms=420, total_ms=1930),
    }
    return Answer.model_validate(fields | changes)


def hostile() -> Answer:
    """Every payload in every part of one answer; `document` is served by `/v1/documents`."""
    places = [
        {"document_id": f"hostile/{number}", "title": payload, "path": payload}
        for number, payload in enumerate(PAYLOADS, start=1)
    ]
    return answer(
        text="\n".join(f"{payload} [{n}]" for n, payload in enumerate(PAYLOADS, start=1)),
        reason=" ".join(PAYLOADS),
        citations=[citation(n, quote=p["title"], **p) for n, p in enumerate(places, start=1)],
        passages=[
            passage(n, text=p["title"], headings=[p["title"]], **p)
            for n, p in enumerate(places, start=1)
        ],
        provenance=answer().provenance.model_copy(update={"model": " ".join(PAYLOADS)}),
    )


NOT_SAID = "The documents do not say how many moons Saturn has."
ANSWERS = {
    "answered": answer(),
    "abstained": answer(
        status="abstained",
        text=NOT_SAID,
        citations=[],
        evidence=0.06,
        reason="No passage supports an answer: the best evidence is 6%, below the bar of 35%.",
    ),
    "empty": answer(
        status="abstained",
        text=NOT_SAID,
        citations=[],
        passages=[],
        evidence=0,
        reason="The search found nothing.",
    ),
    "degraded": answer(
        status="degraded",
        evidence=0.91,
        text="The model is not available; these passages match the question best. [1]",
        citations=[citation(1)],
        reason="The chat model did not reply within 10 s.",
    ),
    "hostile": hostile(),
    "thanks": answer(
        text="You are welcome.",
        reason="Nothing was asked, so nothing was searched.",
        citations=[],
        passages=[],
        evidence=1,
        provenance=answer().provenance.model_copy(update={"rewriting": "courtesy"}),
    ),
    **SAMPLE_ANSWERS,
}
PROBLEMS = {
    "error": Problem(
        title="Retrieval unavailable", status=503,
        detail="The vector store does not reply: start it, then ask again.",
    ),
    "busy": Problem(
        title="Too many questions", status=429,
        detail="This key has used its 30 questions a minute.",
    ),
    "hostile error": Problem(title=PAYLOADS[0], status=500, detail=" ".join(PAYLOADS)),
}  # fmt: skip

app = FastAPI()
app.state.settings = SimpleNamespace(layers_url="http://127.0.0.1:8090/layers")
app.state.histories = []  # what each question was sent with
app.state.feedback = []
app.state.stopped = asyncio.Event()  # set once a browser has closed a stream before its end
app.include_router(router)
app.mount("/static", static_files)


def problem(found: Problem, **headers: str) -> Response:
    return JSONResponse(found.model_dump(), found.status, headers, "application/problem+json")


@app.post("/v1/ask")
async def ask(body: AskRequest, request: Request) -> Response:
    name = body.question
    app.state.histories.append([turn.content for turn in body.history])
    if name == "locked" and request.headers.get("Authorization") != f"Bearer {API_KEY}":
        return problem(Problem(title="Not authenticated", status=401, detail="Send a valid key."))
    if name in PROBLEMS:
        return problem(PROBLEMS[name], **{"Retry-After": "12"})
    return StreamingResponse(events(name), media_type="text/event-stream")


async def events(name: str) -> AsyncIterator[str]:
    """The stream; "slow" never ends, "cut" ends early, "late error" fails after two tokens."""
    found = ANSWERS.get(name, ANSWERS["answered"])
    try:
        yield event("passages", [passage.model_dump() for passage in found.passages])
        for piece in found.text.split(" "):
            yield event("token", {"text": piece + " "})
            await asyncio.sleep(0)
            if name in ("cut", "late error", "slow") and piece == "of":
                break
        if name == "slow":
            await asyncio.Event().wait()
        if name == "late error":
            yield event("error", PROBLEMS["error"].model_dump())
        elif name != "cut":
            yield event("answer", found.model_dump())
    except asyncio.CancelledError:
        app.state.stopped.set()
        raise


def event(name: str, data: object) -> str:
    return f"event: {name}\r\ndata: {json.dumps(data)}\r\n\r\n"


@app.get("/v1/documents/{document_id:path}")
def document(document_id: str) -> Response:
    view = {"document_id": document_id, "version": VERSION, "source": "handbook"}
    source, _, name = document_id.partition("/")
    if source == SOURCE:
        return JSONResponse(sample_view(name).model_dump())
    if source == "hostile":
        payload = PAYLOADS[int(name) - 1]
        view |= {"title": payload, "path": payload, "format": payload, "text": " ".join(PAYLOADS)}
    elif document_id == "handbook/people/parental leave.md":
        view |= {"title": "Parental leave", "path": "people/parental leave.md",
                 "format": "markdown", "text": TEXT}  # fmt: skip
    else:
        detail = "The index holds no such document: it may have been deleted since."
        return problem(Problem(title="Not found", status=404, detail=detail))
    return JSONResponse(DocumentView.model_validate(view).model_dump())


@app.get("/health/ready")
def ready() -> Readiness:
    checks = {
        "embedder": Check(ok=True, detail="all-MiniLM-L6-v2 answers"),
        "index": Check(ok=True, detail="faultline is built with the embedder that serves"),
        "model": Check(ok=False, detail="No usable answer; is it running?"),
    }
    return Readiness(status="degraded", checks=checks)


@app.post("/v1/feedback")
def feedback(body: FeedbackRequest) -> Response:
    app.state.feedback.append(body)
    return JSONResponse({"status": "kept"})


@app.get("/received")
def received() -> dict[str, Any]:
    """What the page has sent so far."""
    return {"histories": app.state.histories, "feedback": app.state.feedback}


@app.get("/stopped")
async def stopped() -> bool:
    return await app.state.stopped.wait()


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
