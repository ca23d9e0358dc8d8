"""schemathesis against every route of the three services, in all its phases: nothing may fail."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import ROOT
from tests.fakes.vectorstore_server import KEY, Server
from tests.security import vectorstore_schema
from tests.security.conftest import EMBED_KEY, World, program
from tests.security.noted import note

PHASES = "examples,coverage,fuzzing,stateful"
SHORT, LONG = 10, 150  # most examples of a route
STORE_SECONDS = {SHORT: 60, LONG: 1200}  # of the vector store's run, which repeats until then
DOCUMENTED = {
    "application": "from application.bootstrap import create_app as create;"
    "from application.settings import Settings",
    "embed": "from serving.embed_app import create_app as create;"
    "from serving.settings import Settings",
}
# `positive_data_acceptance` and its opposite ask that a schema says everything that is refused. A
# filter's depth, a name that is taken and a model of another name are told by the service alone.
TOLD_BY_THE_SERVICE = "positive_data_acceptance,negative_data_rejection"


def schema_of(environment: str) -> dict[str, Any]:
    """The OpenAPI document of a FastAPI application, made in its own environment."""
    code = (
        f"import json; {DOCUMENTED[environment]}; print(json.dumps(create(Settings()).openapi()))"
    )
    made = subprocess.run(
        [program(environment, "python"), "-c", code], capture_output=True, text=True, check=True
    )
    document: dict[str, Any] = json.loads(made.stdout)
    return document


def linked(document: dict[str, Any], route: tuple[str, str], **links: Any) -> dict[str, Any]:
    """The document with links from this route's reply to other routes: the stateful phase."""
    method, path = route
    document["paths"][path][method]["responses"]["200"]["links"] = links
    return document


def link(document: dict[str, Any], route: tuple[str, str], **parameters: str) -> dict[str, Any]:
    """A link to `route`, with its parameters taken from the request or reply before."""
    method, path = route
    operation = document["paths"][path][method]
    operation.setdefault("operationId", f"{method} {path}")
    return {"operationId": operation["operationId"], "parameters": parameters}


def tried(
    schema: dict[str, Any], url: str, header: str, examples: int, folder: Path, *more: str
) -> tuple[int, str]:
    """How many checks failed, and what schemathesis printed."""
    (folder / "schema.json").write_text(json.dumps(schema))
    report = folder / "report.json"
    command = [
        program("dev", "st"), "--no-color", "run", str(folder / "schema.json"), "--url", url,
        "--header", header, "--phases", PHASES, "--max-examples", str(examples), "--seed", "19",
        "--exclude-checks", TOLD_BY_THE_SERVICE, "--warnings", "off", "--request-timeout", "20",
        "--suppress-health-check", "all", "--generation-database", "none",
        "--continue-on-failure", "--report-json-path", str(report),
        *more,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=os.environ, timeout=1800
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def expect_no_failure(result: tuple[int, str]) -> None:
    failed, said = result
    count = int(found[1]) if (found := re.search(r"(\d+) unique failures?", said)) else failed
    cases = int(found[1]) if (found := re.search(r"(\d+) generated", said)) else 0
    note("schemathesis_failures", "failed checks of schemathesis, every route", count, cases)
    assert count == 0, said
    assert cases > 0, said


@pytest.fixture(params=[SHORT, pytest.param(LONG, marks=pytest.mark.long)], ids=["short", "long"])
def examples(request: pytest.FixtureRequest) -> int:
    """Most examples of a route."""
    chosen: int = request.param
    return chosen


def test_no_request_breaks_the_application(world: World, examples: int, tmp_path: Path) -> None:
    folder = ROOT / "evals" / "datasets" / "sample" / "r2" / "support"
    world.sync(folder)
    header = f"Authorization: Bearer {world.key()}"
    schema = schema_of("application")
    found = link(
        schema,
        ("get", "/v1/documents/{document_id}"),
        document_id="$response.body#/passages/0/document_id",
    )
    schema = linked(schema, ("get", "/v1/search"), cited=found)
    result = tried(schema, world.url, header, examples, tmp_path)
    expect_no_failure(result)


def test_no_request_breaks_the_embedder(embedder_url: str, examples: int, tmp_path: Path) -> None:
    header = f"Authorization: Bearer {EMBED_KEY}"
    result = tried(schema_of("embed"), embedder_url, header, examples, tmp_path)
    expect_no_failure(result)


def test_no_request_breaks_the_vector_store(examples: int, tmp_path: Path) -> None:
    program("vectorstore", "vectorstore")
    server = Server(tmp_path / "vectors").start()
    try:
        size = vectorstore_schema.DIMENSIONS
        body = {
            "vectors": {"dense": {"size": size, "distance": "Cosine"}},
            "sparse_vectors": {"sparse": {}},
        }
        url = f"{server.url}/collections/{vectorstore_schema.COLLECTION}"
        httpx.put(url, json=body, headers={"api-key": KEY}, timeout=60).raise_for_status()
        schema = vectorstore_schema.document()
        # The coverage phase writes all its cases down before it sends the first. Of nested filters
        # and searches there are so many that only a limit of time brings it to an end.
        limit = ("--max-time", str(STORE_SECONDS[examples]))
        result = tried(schema, server.url, f"api-key: {KEY}", examples, tmp_path, *limit)
    finally:
        server.stop()
    expect_no_failure(result)
    assert "Traceback" not in server.output
    assert "panicked" not in server.output


def test_the_document_of_the_vector_store_has_every_route_that_it_serves() -> None:
    code = (
        "from vectorstore.app import ON_COLLECTION, ON_STORE, COLLECTION;"
        "print(*[f'{o.method.lower()} {p + o.path}' for p, os in"
        " [('', ON_STORE), (COLLECTION, ON_COLLECTION)] for o in os], sep='\\n')"
    )
    served = subprocess.run(
        [program("vectorstore", "python"), "-c", code], capture_output=True, text=True, check=True
    )
    documented = {f"{method} {path}" for method, path in vectorstore_schema.ROUTES}
    assert set(served.stdout.splitlines()) <= documented
