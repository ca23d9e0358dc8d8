"""A scripted OpenAI-compatible server: chat (whole and streamed) and embeddings, and its faults.

A stand-in for hosted endpoints in tests; it holds no model and is never part of a running stack.
Replies repeat what they were asked, vectors are hashes of words, and the last user message (or
the first input) chooses a fault by naming it, e.g. "FAULT:hang", so that clients need no hook.
DIALECTS are streams as some servers send them; a fault may name one of those too.

Run it: python tests/fakes/openai_server.py --port 9000 [--key secret]   (standard library only)
"""

import argparse
import base64
import hashlib
import json
import re
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "scripted-model"
DIMENSIONS = 64
FAULTS = {
    "500": "an internal error",
    "429": "too many requests, with Retry-After",
    "401": "as if the key were wrong",
    "hang": "takes the request and never answers",
    "drip": "streams one token every 0.2 s",
    "stall": "streams one token and then nothing",
    "reset": "cuts the connection in the middle of the reply",
    "garbage": "200, and a body that is no JSON",
    "utf8": "200, and bytes that are no UTF-8",
    "empty": "200, and no choice or vector in the reply",
}
_SAID = (
    '{"choices": [{"index": 0, "delta": {"content": "26 "}}]}',
    '{"choices": [{"index": 0, "delta": {"content": "weeks."}, "finish_reason": "stop"}]}',
)


def _events(*chunks: str, prefix: str = "data: ", end: str = "\n\n", done: bool = True) -> bytes:
    return "".join(f"{prefix}{one}{end}" for one in (*chunks, *["[DONE]"] * done)).encode()


DIALECTS = {  # each says "26 weeks."
    "no_space": _events(*_SAID, prefix="data:"),
    "crlf": _events(*_SAID, end="\r\n\r\n"),
    "cr": _events(*_SAID, end="\r\r"),
    "event_lines": b": ping\n\n" + _events(*_SAID, prefix="event: message\nid: 7\ndata: "),
    "several_data_lines": _events(*_SAID).replace(b'"choices": ', b'"choices":\ndata: '),
    "no_delta": _events('{"choices": [{"index": 0, "finish_reason": null}]}', *_SAID),
    "delta_null": _events(_SAID[0], '{"choices": [{"index": 0, "delta": null}]}', _SAID[1]),
    "choices_null": _events('{"choices": null}', *_SAID, '{"usage": {"total_tokens": 9}}'),
    "think": _events('{"choices": [{"delta": {"content": "<think>42 days</think>"}}]}', *_SAID),
    "reasoning": _events('{"choices": [{"delta": {"reasoning_content": "42 days"}}]}', *_SAID),
    "no_done": _events(*_SAID, done=False),
}
BROKEN = {  # each ends without an answer
    "error_chunk": _events('{"error": {"message": "out of memory", "code": 500}}'),
    "only_thoughts": _events(
        '{"choices": [{"delta": {"reasoning_content": "Hm"}, "finish_reason": "length"}]}'
    ),
    "broken_json": _events(_SAID[0], '{"choices": [{', done=False),
    "broken_utf8": b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n',
}
REFUSALS: dict[str, tuple[int, str]] = {
    "max_tokens": (400, "Unsupported parameter: 'max_tokens'; use 'max_completion_tokens'."),
    "temperature": (400, "temperature must be 1 for this model."),
    "system_role": (400, "System role not supported"),
    "no_route": (404, "Not Found"),
}


@dataclass
class Script:
    """What a test sets, and what it reads back. `replies` are used up first, in order."""

    key: str | None = None
    replies: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # one per request to come; "" is none
    raw: list[bytes] = field(default_factory=list)  # a streamed reply, byte for byte, in writes
    raw_type: str = "text/event-stream"
    refusals: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)  # status, body
    hanging: list[str] = field(default_factory=list)  # paths whose GET is never answered
    longest_input: int | None = None  # characters; a longer text to embed is a 413
    requests: list[dict[str, Any]] = field(default_factory=list)  # path, headers and body of each
    reply: Callable[[dict[str, Any]], str] | None = None  # what a chat gets; None repeats it
    model: str = MODEL
    cancelled: int = 0  # streams whose client went away
    drip_seconds: float = 0.2  # between two tokens of the fault "drip"
    work_seconds: float = 0.0  # before a chat's reply begins, as a model works
    hold: threading.Event | None = None  # streams wait for it after their first token
    served: Counter[str] = field(default_factory=Counter)  # replies to chats, by fault
    under_way: int = 0  # chats that are being replied to
    news: threading.Condition = field(default_factory=threading.Condition)  # of `under_way`
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, under_way: int, seconds: float) -> bool:
        """Whether exactly so many chats are being replied to, now or within `seconds`."""
        with self.news:
            return self.news.wait_for(lambda: self.under_way == under_way, seconds)

    @contextmanager
    def counted(self, fault: str) -> Iterator[None]:
        """One chat that is being replied to."""
        with self.news:
            self.served[fault] += 1
            self.under_way += 1
            self.news.notify_all()
        try:
            yield
        finally:
            with self.news:
                self.under_way -= 1
                self.news.notify_all()


class Server(ThreadingHTTPServer):
    """Takes hundreds of connections at once; five may wait by default."""

    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *_: object) -> None:
        """A client that went away is no news."""


@dataclass(frozen=True)
class Running:
    """A server in this process, on a port of its own."""

    url: str
    script: Script


@contextmanager
def running(port: int = 0, **script: Any) -> Iterator[Running]:
    """Serve from a thread: `with running(key="k", replies=["12 days"]) as server:`."""
    state = Script(**script)
    server = Server(("127.0.0.1", port), _handler(state))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Running(f"http://127.0.0.1:{server.server_port}", state)
    finally:
        state.stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


def vector_of(text: str) -> list[float]:
    """A unit vector in which texts that share words are near one another."""
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()) or [text]:
        digest = hashlib.sha256(word.encode()).digest()
        vector[digest[0] % DIMENSIONS] += 1 if digest[1] % 2 else -1
        vector[digest[2] % DIMENSIONS] += 0.5
    norm = sum(value * value for value in vector) ** 0.5 or 1.0
    return [value / norm for value in vector]


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Tests read `script.requests` instead."""

        def do_GET(self) -> None:
            with script.lock:
                headers = {name.lower(): value for name, value in self.headers.items()}
                script.requests.append({"path": self.path, "headers": headers, "body": None})
            if self.path in script.hanging:
                script.stop.wait()
                self.close_connection = True
            elif self.path == "/health":
                self.reply({"status": "ok"})
            elif not self.has_key():
                self.reply({"error": {"message": "wrong key"}}, 401)
            elif self.path == "/v1/models":
                self.reply({"object": "list", "data": [{"id": script.model, "object": "model"}]})
            else:
                self.reply({"error": {"message": "not found"}}, 404)

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(raw)
            with script.lock:
                headers = {name.lower(): value for name, value in self.headers.items()}
                script.requests.append({"path": self.path, "headers": headers, "body": body})
                fault = script.faults.pop(0) if script.faults else _named_fault(body)
                refusal = script.refusals.pop(0) if script.refusals else None
            if not refusal and fault in REFUSALS:
                status, reason = REFUSALS[fault]
                refusal = status, {"error": {"message": reason}}, {}
            if self.path == "/v1/chat/completions":
                with script.counted(fault):
                    self.answer(body, fault, refusal)
            else:
                self.answer(body, fault, refusal)

        def answer(
            self, body: dict[str, Any], fault: str, refusal: tuple[int, Any, dict[str, str]] | None
        ) -> None:
            if refusal:
                status, told, sent = refusal
                content = told if isinstance(told, str) else json.dumps(told)
                self.send(content.encode(), status, sent)
            elif not self.has_key():
                self.reply({"error": {"message": "wrong key"}}, 401)
            elif fault in ("500", "429", "401"):
                self.reply({"error": {"message": FAULTS[fault]}}, int(fault))
            elif fault == "hang":
                script.stop.wait()
                self.close_connection = True
            elif fault in ("garbage", "utf8"):
                self.send(b"<html>" if fault == "garbage" else b'{"\xff\xfe": 1}')
            elif self.path == "/v1/chat/completions":
                self.chat(body, fault)
            elif self.path == "/v1/embeddings":
                self.embeddings(body, fault)
            else:
                self.reply({"error": {"message": "not found"}}, 404)

        def chat(self, body: dict[str, Any], fault: str) -> None:
            with script.lock:
                text = script.replies.pop(0) if script.replies else (script.reply or _echo)(body)
            if script.work_seconds:
                script.stop.wait(script.work_seconds)
            dialect = DIALECTS.get(fault) or BROKEN.get(fault)
            if script.raw or dialect:
                self.raw([dialect] if dialect else script.raw)
            elif fault == "empty":
                self.reply({"id": "chat-1", "model": script.model, "choices": []})
            elif body.get("stream"):
                self.stream(body, text, fault)
            elif fault == "reset":
                self.cut(b'{"id": "chat-1", "cho')
            else:
                self.reply(_completion(body, text, script.model))

        def stream(self, body: dict[str, Any], text: str, fault: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            tokens = re.findall(r"\s*\S+", text)
            try:
                for number, token in enumerate(tokens):
                    if fault == "reset" and number == len(tokens) // 2:
                        return
                    if fault == "stall" and number:
                        script.stop.wait()
                        return
                    if fault == "drip":
                        script.stop.wait(script.drip_seconds)
                    if number == 1 and script.hold:
                        script.hold.wait()
                    choice = {"delta": {"content": token}, "index": 0, "finish_reason": None}
                    self.event({"choices": [choice]})
                self.event({"choices": [{"delta": {}, "index": 0, "finish_reason": "stop"}]})
                if (body.get("stream_options") or {}).get("include_usage"):
                    self.event(
                        {"choices": [], "usage": _completion(body, text, script.model)["usage"]}
                    )
                self.wfile.write(b"data: [DONE]\n\n")
            except OSError:
                with script.lock:
                    script.cancelled += 1

        def raw(self, pieces: list[bytes]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", script.raw_type)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()

        def event(self, part: dict[str, Any]) -> None:
            data = {"id": "chat-1", "object": "chat.completion.chunk", "model": script.model} | part
            self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
            self.wfile.flush()

        def embeddings(self, body: dict[str, Any], fault: str) -> None:
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            if fault == "reset":
                self.cut(b'{"object": "list", "da')
                return
            if script.longest_input and max(map(len, texts)) > script.longest_input:
                self.reply({"error": {"message": "an input is too long"}}, 413)
                return
            data = [
                {"object": "embedding", "index": i, "embedding": _encoded(text, body)}
                for i, text in enumerate([] if fault == "empty" else texts)
            ]
            tokens = sum(len(text.split()) for text in texts)
            usage = {"prompt_tokens": tokens, "total_tokens": tokens}
            self.reply({"object": "list", "data": data, "model": script.model, "usage": usage})

        def has_key(self) -> bool:
            sent = self.headers.get("Authorization")
            return script.key is None or sent == f"Bearer {script.key}"

        def reply(self, value: dict[str, Any], status: int = 200) -> None:
            self.send(json.dumps(value).encode(), status)

        def send(
            self, content: bytes, status: int = 200, headers: dict[str, str] | None = None
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            sent = headers if headers is not None else {"Retry-After": "1"} if status == 429 else {}
            for name, value in sent.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def cut(self, start: bytes) -> None:
            """Promise more than is sent, and close."""
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "10000")
            self.end_headers()
            self.wfile.write(start)
            self.close_connection = True

    return Handler


def _named_fault(body: dict[str, Any]) -> str:
    first = body.get("input") or (body.get("messages") or [{}])[-1].get("content", "")
    text = first if isinstance(first, str) else first[0]
    named = re.search(r"FAULT:(\w+)", text)
    return named.group(1) if named else ""


def _echo(body: dict[str, Any]) -> str:
    return "You said: " + str(body["messages"][-1]["content"])


def _completion(body: dict[str, Any], text: str, model: str) -> dict[str, Any]:
    prompt = sum(len(str(message["content"]).split()) for message in body["messages"])
    tokens = len(text.split())
    message = {"role": "assistant", "content": text}
    return {
        "id": "chat-1",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": tokens,
            "total_tokens": prompt + tokens,
        },
    }


def _encoded(text: str, body: dict[str, Any]) -> list[float] | str:
    vector = vector_of(text)
    if body.get("encoding_format") == "base64":
        return base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *vector)).decode()
    return vector


def main(wait: Callable[[], object] = threading.Event().wait) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--key")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--say", help="the reply to every chat")
    options = parser.parse_args()
    reply = (lambda _: options.say) if options.say else None
    with running(options.port, key=options.key, model=options.model, reply=reply) as server:
        print(f"scripted OpenAI-compatible server at {server.url}", flush=True)
        wait()


if __name__ == "__main__":
    main()
