"""A model hub with one model, as the hub's own client asks for it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "Own/Tiny"
COMMIT = "c" * 40
FILES = {
    "config.json": b'{"max_position_embeddings": 64}',
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"the same weights, pickled",
    "tokenizer.json": b"{}",
}


@contextmanager
def running() -> Iterator[str]:
    """The base URL of a hub that answers until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Hub(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def _answer(self, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        if path.startswith(f"/api/models/{MODEL}/tree/"):
            files = [
                {"type": "file", "path": n, "size": len(b), "oid": n} for n, b in FILES.items()
            ]
            self._reply(200, json.dumps(files).encode(), with_body)
        elif path in (f"/api/models/{MODEL}", f"/api/models/{MODEL}/revision/v1"):
            self._reply(200, json.dumps({"id": MODEL, "sha": COMMIT}).encode(), with_body)
        elif path.startswith(f"/{MODEL}/resolve/{COMMIT}/"):
            self._reply(200, FILES[path.rpartition("/")[2]], with_body)
        elif path.startswith(f"/api/models/{MODEL}/"):
            self._reply(404, b"", with_body, "RevisionNotFound")
        else:
            self._reply(404, b"", with_body, "RepoNotFound")

    def _reply(self, status: int, body: bytes, with_body: bool, error: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if error:
            self.send_header("X-Error-Code", error)
        self.end_headers()
        if with_body:
            self.wfile.write(body)
