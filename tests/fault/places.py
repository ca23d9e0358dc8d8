"""The same corpus as each kind of source, so that a fault test can run over all of them."""

import gzip
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from ingestion.sources.settings import SourceSettings

KINDS = ("folder", "jsonl", "jsonl.gz", "git", "http")
Publish = Callable[[], SourceSettings]  # shows the folder as it is now; where the source is


class Pages(SimpleHTTPRequestHandler):
    """A web site of a folder's files, which logs nothing."""

    extensions_map: ClassVar = {".md": "text/markdown", ".xml": "application/xml"}

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def publisher(kind: str, folder: Path) -> Iterator[Publish]:
    """Publishes a folder of Markdown files as a source of this kind."""
    if kind == "http":
        handler = partial(Pages, directory=str(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield partial(_site, folder, f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
    else:
        places = {"folder": _folder, "jsonl": _rows, "jsonl.gz": _zipped, "git": _repository}
        yield partial(places[kind], folder)


def _folder(folder: Path) -> SourceSettings:
    return SourceSettings.model_validate(folder)


def _rows(folder: Path) -> SourceSettings:
    file = folder.with_suffix(".jsonl")
    rows = [
        json.dumps({"_id": page.name, "title": page.stem, "text": page.read_text()})
        for page in sorted(folder.glob("*.md"))
    ]
    file.write_text("\n".join(rows))
    return SourceSettings.model_validate(file)


def _zipped(folder: Path) -> SourceSettings:
    rows = Path(_rows(folder).location)
    file = folder.with_suffix(".jsonl.gz")
    file.write_bytes(gzip.compress(rows.read_bytes()))
    return SourceSettings.model_validate(file)


def _repository(folder: Path) -> SourceSettings:
    git = ("git", "-C", str(folder), "-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    commit = ("commit", "--quiet", "--allow-empty", "--message", "Edit")
    for words in (("init", "--quiet", "--initial-branch=main"), ("add", "--all"), commit):
        subprocess.run([*git, *words], check=True, capture_output=True)
    return SourceSettings.model_validate({"kind": "git", "location": f"file://{folder}"})


def _site(folder: Path, url: str) -> SourceSettings:
    where = "".join(f"<url><loc>{url}/{page.name}</loc></url>" for page in folder.glob("*.md"))
    (folder / "sitemap.xml").write_text(f"<urlset>{where}</urlset>")
    return SourceSettings.model_validate(
        {"location": f"{url}/sitemap.xml", "hosts": ["127.0.0.1"], "private_addresses": True}
    )
