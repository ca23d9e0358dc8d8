"""One suite, three backends: our server in its own process, local mode, and a real server."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("qdrant_client")
import httpx
from qdrant_client import QdrantClient, models
from tests.fakes.vectorstore_server import KEY, Server

IGNORED = (
    "ignore:Api key is used with an insecure connection",  # a loopback address
    "ignore:Payload indexes have no effect in the local Qdrant",  # the second oracle's limit
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "memory_differs(reason): local mode is no oracle for this case"
    )
    for line in IGNORED:
        config.addinivalue_line("filterwarnings", line)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("vectorstore")).start()
    yield server
    server.stop()


@pytest.fixture
def new_server() -> Iterator[Callable[..., Server]]:
    """Starts a vector store on a directory; all are stopped at the end."""
    started: list[Server] = []

    def start(path: Path, **settings: str) -> Server:
        server = Server(path, **settings)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"api-key": KEY}) as client:
        yield client


@pytest.fixture(params=["vectorstore", "memory", "real"])
def client(request: pytest.FixtureRequest) -> Iterator[QdrantClient]:
    if request.param == "vectorstore":
        client = request.getfixturevalue("server").client()
    elif request.param == "memory":
        if marker := request.node.get_closest_marker("memory_differs"):
            pytest.skip(f"local mode differs: {marker.args[0]}")
        client = QdrantClient(":memory:")
    else:
        if not (url := os.environ.get("QDRANT_URL")):
            pytest.skip("QDRANT_URL not set: not run against a real server")
        client = QdrantClient(url=url, api_key=os.environ.get("QDRANT_API_KEY"))
    yield client
    client.close()


@pytest.fixture
def name() -> str:
    return f"c-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def empty(client: QdrantClient, name: str) -> Iterator[str]:
    """A collection with a dense and a sparse vector, and nothing in it."""
    client.create_collection(
        name,
        vectors_config={"dense": models.VectorParams(size=4, distance=models.Distance.COSINE)},
        sparse_vectors_config={"sparse": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    yield name
    client.delete_collection(name)


COLOURS = {
    1: {"colour": "red", "size": 1, "tags": ["a", "b"], "when": "2026-01-01T00:00:00Z"},
    2: {"colour": "red", "size": 2, "tags": ["b"], "when": "2026-02-01T00:00:00Z"},
    3: {"colour": "green", "size": 3, "tags": [], "note": None, "when": "2026-03-01T00:00:00Z"},
    4: {
        "colour": "blue",
        "size": 4.5,
        "flag": True,
        "when": None,
        "nested": {"deep": {"key": "x"}},
    },
    5: {"colour": "blue", "size": 5, "flag": False, "nested": {"deep": {"key": "y"}}},
    6: {
        "text": "the quick brown fox",
        "parts": [{"kind": "lid", "count": 1}, {"kind": "box", "count": 2}],
    },
}
DENSE = {
    1: [1.0, 0.0, 0.0, 0.0],
    2: [0.9, 0.1, 0.0, 0.0],
    3: [0.0, 1.0, 0.0, 0.0],
    4: [0.0, 0.9, 0.3, 0.0],
    5: [0.0, 0.0, 1.0, 0.0],
    6: [0.0, 0.0, 0.1, 1.0],
}
SPARSE = {
    1: models.SparseVector(indices=[1, 7], values=[1.0, 0.5]),
    2: models.SparseVector(indices=[1], values=[0.4]),
    3: models.SparseVector(indices=[7, 9], values=[0.6, 2.0]),
    4: models.SparseVector(indices=[9], values=[1.5]),
    5: models.SparseVector(indices=[3], values=[1.0]),
    6: models.SparseVector(indices=[1, 3, 9], values=[0.2, 0.2, 0.2]),
}


@pytest.fixture
def filled(client: QdrantClient, empty: str) -> str:
    """The same collection with six points."""
    client.upsert(
        empty,
        [
            models.PointStruct(
                id=i, vector={"dense": DENSE[i], "sparse": SPARSE[i]}, payload=COLOURS[i]
            )
            for i in COLOURS
        ],
        wait=True,
    )
    return empty
