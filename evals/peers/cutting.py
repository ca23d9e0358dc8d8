"""An `/v1/embeddings` in front of ours that cuts long inputs, as sentence-transformers does.

Our embedder refuses a text that it cannot read whole; the peers' quickstarts cut by characters or
words and rely on the embedder to cut the rest. Nothing else is changed.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

SPARE = 0.98  # words differ in tokens, so cut a little more than the share says


def embedded(body: dict[str, Any], upstream: httpx.Client) -> httpx.Response:
    """The embedder's reply to a body whose inputs were cut as far as it asks."""
    texts = [body["input"]] if isinstance(body["input"], str) else list(body["input"])
    while True:
        reply = upstream.post("/v1/embeddings", json=body | {"input": texts})
        if reply.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE or "tokens" not in reply.json():
            return reply
        told = reply.json()
        long = texts[told["index"]]
        texts[told["index"]] = long[: int(len(long) * SPARE * told["limit"] / told["tokens"])]


@contextmanager
def running(url: str, key: str | None) -> Iterator[str]:
    """Serve in front of the embedder at `url`; yields the address, with /v1."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, headers=headers, timeout=600) as upstream:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(upstream))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(upstream: httpx.Client) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """The peers print their own errors."""

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            reply = embedded(json.loads(self.rfile.read(length)), upstream)
            self.send_response(reply.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

    return Handler
