"""What the stock client does not show: keys, errors in Qdrant's form, faults, one process."""

import random
import signal
import subprocess
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse
from qdrant_client.qdrant_remote import QdrantRemote
from tests.fakes.vectorstore_server import Server

VECTORS = {"vectors": {"dense": {"size": 4, "distance": "Cosine"}}}
POINT = {"id": 1, "vector": {"dense": [1, 0, 0, 0]}, "payload": {}}


@pytest.fixture
def points(http: httpx.Client, name: str) -> str:
    """Path of the points of a new collection."""
    assert http.put(f"/collections/{name}", json=VECTORS).status_code == 200
    return f"/collections/{name}/points"


def error_of(response: httpx.Response) -> str:
    return response.json()["status"]["error"]


def test_the_version_is_one_that_the_stock_client_accepts_and_the_engine_is_named(server) -> None:
    version = httpx.get(server.url).json()
    assert version["version"].startswith("1.")
    assert version["engine"] == "qdrant-edge 0.9.0"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        QdrantRemote._check_compatibility(server.url, {}, None, 5)


@pytest.mark.parametrize("path", ["/", "/healthz", "/livez", "/readyz"])
def test_health_needs_no_key(server, path: str) -> None:
    assert httpx.get(server.url + path).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"api-key": "wrong"}, {"api-key": "ключ".encode()}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/collections"), ("PUT", "/collections/x"), ("POST", "/collections/x/points/query")],
)
def test_a_wrong_or_missing_key_is_refused(
    server, headers: dict[str, str], method: str, path: str
) -> None:
    response = httpx.request(method, server.url + path, headers=headers, content=b"not json")
    assert response.status_code == 401
    assert "api-key" in error_of(response)


def test_a_read_only_key_may_read(server, http: httpx.Client, points: str) -> None:
    http.put(points, json={"points": [POINT]})
    reader = {"api-key": "the-read-only-key"}
    response = httpx.post(server.url + points + "/query", json={"limit": 1}, headers=reader)
    assert response.json()["result"]["points"][0]["id"] == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/collections/new"),
        ("DELETE", "/collections/new"),
        ("POST", "/collections/aliases"),
        ("PUT", "/collections/new/index"),
        ("PUT", "/collections/new/points"),
        ("POST", "/collections/new/points/delete"),
        ("POST", "/collections/new/points/payload"),
    ],
)
def test_a_read_only_key_may_not_write(server, method: str, path: str) -> None:
    reader = {"api-key": "the-read-only-key"}
    response = httpx.request(method, server.url + path, headers=reader, content=b"{}")
    assert response.status_code == 403
    assert "only read" in error_of(response)


BAD_BODIES = {
    "a word for an id": ("", {"points": [POINT | {"id": "one"}]}, "points[0].id"),
    "a negative id": ("", {"points": [POINT, POINT | {"id": -1}]}, "points[1].id"),
    "no id": ("", {"points": [{"vector": {}}]}, "id"),
    "words for a vector": ("", {"points": [POINT | {"vector": {"dense": ["a"]}}]}, "vector.dense"),
    "an endless number": ("", b'{"points": [{"id": 1, "vector": {"dense": [1e999]}}]}', "dense"),
    "unequal sparse lists": (
        "",
        {"points": [POINT | {"vector": {"s": {"indices": [1], "values": []}}}]},
        "vector.s",
    ),
    "one sparse index twice": (
        "",
        {"points": [POINT | {"vector": {"s": {"indices": [1, 1], "values": [1, 1]}}}]},
        "vector.s",
    ),
    "a list for a payload": ("", {"points": [POINT | {"payload": [1]}]}, "payload"),
    "an unknown field": ("", {"points": [], "pionts": []}, "pionts"),
    "points that are no list": ("", {"points": POINT}, "points"),
    "a body that is no object": ("", [1], "object"),
    "an unknown condition": ("/count", {"filter": {"must": [{"nope": 1}]}}, "filter.must[0]"),
    "two matches at once": (
        "/count",
        {"filter": {"must": [{"key": "a", "match": {"value": 1, "any": [1]}}]}},
        "filter.must[0].match",
    ),
    "a word for a bound": (
        "/count",
        {"filter": {"must": [{"key": "a", "range": {"gt": "soon"}}]}},
        "filter.must[0].range",
    ),
    "an unfinished key": (
        "/count",
        {"filter": {"must": [{"key": "a[", "match": {"value": 1}}]}},
        "filter.must[0]",
    ),
    "a limit of nothing": ("/scroll", {"limit": 0}, "limit"),
    "a limit without end": ("/query", {"limit": 10**12}, "limit"),
    "a negative offset": ("/query", {"offset": -1}, "offset"),
    "an unknown kind of query": ("/query", {"query": {"recommend": {}}}, "query"),
    "an unknown fusion": ("/query", {"query": {"fusion": "sum"}}, "query.fusion"),
    "a point id as a query": ("/query", {"query": 1}, "query"),
    "neither ids nor filter": ("/delete", {}, "points, filter"),
    "both ids and filter": ("/delete", {"points": [1], "filter": {}}, "points, filter"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_bad_body_is_refused_and_its_field_named(
    http: httpx.Client, points: str, case: str
) -> None:
    path, body, field = BAD_BODIES[case]
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    response = http.request("POST" if path else "PUT", points + path, **content)
    assert response.status_code in (400, 422), response.text
    assert field in error_of(response)
    assert response.json()["time"] >= 0


@pytest.mark.parametrize("body", [b"", b"{", b'{"points": [NaN]}', b"\xff"])
def test_what_is_no_json_is_refused(http: httpx.Client, points: str, body: bytes) -> None:
    response = http.put(points, content=body)
    assert response.status_code == 422
    assert "JSON body" in error_of(response)


@pytest.mark.parametrize(
    "body",
    [
        {"vectors": {"dense": {"size": 0, "distance": "Cosine"}}},
        {"vectors": {"dense": {"size": 4, "distance": "Hamming"}}},
        {"vectors": {"dense": {"size": 4}}},
        {"vectors": {"dense": {"size": 4, "distance": "Dot", "multivector_config": {}}}},
        {"vectors": {"dense": 4}},
        {"vectors": []},
        {"sparse_vectors": {"dense": {"modifier": "tf"}}},
        {"sparse_vectors": 3},
        [],
    ],
)
def test_a_collection_that_cannot_be_is_refused(
    http: httpx.Client, name: str, body: object
) -> None:
    response = http.put(f"/collections/{name}", json=body)
    assert response.status_code in (400, 422), response.text
    assert not http.get(f"/collections/{name}/exists").json()["result"]["exists"]


@pytest.mark.parametrize("name", ["..", "%2e%2e", ".hidden", "a%2Fb", "a:b", "x" * 200])
def test_a_name_that_is_no_name_for_a_folder_is_refused(http: httpx.Client, name: str) -> None:
    assert http.put(f"/collections/{name}", json=VECTORS).status_code in (404, 405, 409)


def test_a_method_that_is_not_served_is_told_which_are(http: httpx.Client) -> None:
    response = http.options("/collections/x")
    assert response.status_code == 405
    assert {"DELETE", "GET", "PUT"} <= set(response.headers["Allow"].split(", "))


def test_a_route_that_is_not_served_is_refused_in_the_same_form(http: httpx.Client) -> None:
    response = http.post("/collections/x/points/recommend", json={})
    assert response.status_code == 404
    assert "Not Found" in error_of(response)


def test_without_a_key_no_web_page_may_ask(tmp_path: Path, new_server) -> None:
    server = new_server(tmp_path, VECTORSTORE_API_KEY="", VECTORSTORE_READ_ONLY_API_KEY="")
    url = server.url + "/collections/planted"
    for headers in ({"Origin": "http://evil.example"}, {"Host": "rebound.example:6333"}):
        refused = httpx.put(url, json=VECTORS, headers=headers)
        assert (refused.status_code, "no web page" in error_of(refused)) == (403, True)
    assert httpx.put(url, json=VECTORS).status_code == 200


def test_a_body_over_the_limit_is_refused(tmp_path: Path, new_server) -> None:
    server = new_server(tmp_path, VECTORSTORE_MAX_BODY_MB="1")
    headers = {"api-key": "the-key"}
    body = b" " * (2**20 + 1)
    response = httpx.put(server.url + "/collections/x/points", content=body, headers=headers)
    assert response.status_code == 413


def test_writes_are_refused_on_a_full_disk_and_deletes_are_not(tmp_path: Path, new_server) -> None:
    server = new_server(tmp_path)
    headers = {"api-key": "the-key"}
    with httpx.Client(base_url=server.url, headers=headers) as http:
        http.put("/collections/x", json=VECTORS)
        http.put("/collections/x/points", json={"points": [POINT]})
    server.stop()
    full = new_server(tmp_path, VECTORSTORE_MIN_FREE_MB=str(2**40))
    with httpx.Client(base_url=full.url, headers=headers) as http:
        refused = http.put("/collections/x/points", json={"points": [POINT]})
        assert (refused.status_code, "No space left" in error_of(refused)) == (507, True)
        delete = {"points": [1]}
        assert http.post("/collections/x/points/delete", json=delete).status_code == 200


def test_a_second_process_on_the_same_directory_is_told_whose_it_is(
    tmp_path: Path, new_server
) -> None:
    first = new_server(tmp_path)
    with pytest.raises(RuntimeError, match=f"{tmp_path} is in use .* {first.process.pid}"):
        new_server(tmp_path)


def test_a_directory_is_free_again_after_a_kill(tmp_path: Path, new_server) -> None:
    new_server(tmp_path).stop(signal.SIGKILL)
    assert httpx.get(new_server(tmp_path).url + "/readyz").status_code == 200


def test_a_port_in_use_is_named(server, tmp_path: Path, new_server) -> None:
    with pytest.raises(RuntimeError, match=f"{server.port} cannot be used .*in use"):
        new_server(tmp_path, VECTORSTORE_PORT=str(server.port))


def test_without_a_key_only_this_machine_is_served(tmp_path: Path, new_server) -> None:
    with pytest.raises(RuntimeError, match="set VECTORSTORE_API_KEY"):
        new_server(
            tmp_path,
            VECTORSTORE_HOST="0.0.0.0",
            VECTORSTORE_API_KEY="",
            VECTORSTORE_READ_ONLY_API_KEY="",
        )


def test_on_this_machine_no_key_is_needed(tmp_path: Path, new_server) -> None:
    server = new_server(tmp_path, VECTORSTORE_API_KEY="", VECTORSTORE_READ_ONLY_API_KEY="")
    assert httpx.get(server.url + "/collections").status_code == 200


def test_sigterm_closes_the_store_and_everything_is_there_afterwards(
    tmp_path: Path, new_server
) -> None:
    server = new_server(tmp_path)
    client = server.client()
    client.create_collection("x", {"dense": models.VectorParams(size=4, distance="Cosine")})
    client.create_payload_index("x", "n", models.PayloadSchemaType.INTEGER)
    client.upsert("x", [models.PointStruct(id=7, vector={"dense": [1, 2, 3, 4]}, payload={"n": 1})])
    alias = models.CreateAlias(collection_name="x", alias_name="y")
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
    before = client.retrieve("y", [7], with_vectors=True)
    server.stop(signal.SIGTERM)
    assert "Traceback" not in server.output
    again = new_server(tmp_path).client()
    assert again.retrieve("y", [7], with_vectors=True) == before
    assert again.get_collection("x").payload_schema["n"].points == 1


def test_deleted_collections_stay_deleted(tmp_path: Path, new_server) -> None:
    server = new_server(tmp_path)
    client = server.client()
    client.create_collection("x", {})
    client.delete_collection("x")
    server.stop(signal.SIGKILL)
    assert not new_server(tmp_path).client().collection_exists("x")
    assert not (tmp_path / "collections" / "x").exists()


@pytest.mark.parametrize("seed", range(5))
def test_every_acknowledged_write_survives_a_kill_and_no_batch_is_torn(
    tmp_path: Path, new_server, seed: int
) -> None:
    """Kill at a random moment while batches overwrite the same points; some kills meet a flush."""
    rng = random.Random(seed)
    server = new_server(tmp_path)
    client = server.client()
    client.create_collection("x", {"dense": models.VectorParams(size=4, distance="Dot")})
    acknowledged = 0
    begun = threading.Event()

    def write() -> None:
        nonlocal acknowledged
        for batch in range(1, 10**6):
            points = [
                models.PointStruct(
                    id=i,
                    vector={"dense": [batch, i, 0, 0]},
                    payload={"batch": batch, "x": "y" * 300},
                )
                for i in range(40)
            ]
            points.append(models.PointStruct(id=1000 + batch, vector={}, payload={"batch": batch}))
            try:
                client.upsert("x", points, wait=True)
            except ApiException:
                return
            acknowledged = batch
            begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(60)  # however busy the machine is
    with pytest.raises(subprocess.TimeoutExpired):
        server.process.wait(rng.uniform(0.3, 2.0))
    server.stop(signal.SIGKILL)
    writer.join()

    records, _ = new_server(tmp_path).client().scroll("x", limit=100_000, with_vectors=True)
    batches = {r.payload["batch"] for r in records if r.id < 1000}
    marks = [r.id - 1000 for r in records if r.id > 1000]
    assert acknowledged > 0
    assert len(batches) == 1
    [last] = batches
    assert last >= acknowledged
    assert marks == list(range(1, last + 1))
    assert all(r.vector["dense"] == [last, r.id, 0, 0] for r in records if r.id < 1000)


def test_an_alias_always_leads_to_one_of_its_two_collections_while_it_is_switched(
    server, name: str
) -> None:
    """Readers of an alias under 200 switches: the old or the new collection, never nothing."""
    client = server.client()
    for side, points in (("a", 1), ("b", 2)):
        client.create_collection(f"{name}-{side}", {})
        client.upsert(
            f"{name}-{side}", [models.PointStruct(id=i, vector={}) for i in range(points)]
        )
    point_alias(client, name, f"{name}-a")
    seen, done = set(), threading.Event()

    def read() -> None:
        reader = server.client("the-read-only-key")
        while not done.is_set():
            seen.add(reader.count(name).count)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for i in range(200):
        point_alias(client, name, f"{name}-{'ab'[i % 2]}")
    done.set()
    for reader in readers:
        reader.join()
    assert seen == {1, 2}


def point_alias(client: QdrantClient, alias: str, target: str) -> None:
    delete = models.DeleteAlias(alias_name=alias)
    create = models.CreateAlias(alias_name=alias, collection_name=target)
    client.update_collection_aliases(
        [
            models.DeleteAliasOperation(delete_alias=delete),
            models.CreateAliasOperation(create_alias=create),
        ]
    )


def test_many_readers_and_writers_get_no_error(server, name: str) -> None:
    client = server.client()
    client.create_collection(name, {"dense": models.VectorParams(size=4, distance="Cosine")})
    errors = []

    def work(worker: int) -> None:
        rng = random.Random(worker)
        try:
            for round_ in range(30):
                vector = {"dense": [rng.random() for _ in range(4)]}
                point = models.PointStruct(id=worker * 100 + round_, vector=vector)
                client.upsert(name, [point], wait=True)
                client.query_points(name, query=vector["dense"], using="dense", limit=5)
                if round_ % 5 == 0:
                    client.delete(name, [worker * 100 + round_], wait=True)
        except ApiException as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    assert client.count(name).count == 8 * 24


@pytest.mark.parametrize("strict", ["true", "false"])
def test_a_strict_store_serves_a_filter_once_its_field_has_an_index(
    new_server: Callable[..., Server], tmp_path: Path, strict: str
) -> None:
    store = new_server(tmp_path, VECTORSTORE_STRICT=strict).client()
    store.create_collection("x", models.VectorParams(size=1, distance=models.Distance.DOT))
    red = models.Filter(
        must=[models.FieldCondition(key="colour", match=models.MatchValue(value="red"))]
    )
    calls = (
        lambda: store.count("x", red),
        lambda: store.scroll("x", red),
        lambda: store.delete("x", models.FilterSelector(filter=red)),
        lambda: store.query_points("x", [1.0], query_filter=red),
    )
    for call in calls if strict == "true" else ():
        with pytest.raises(UnexpectedResponse, match="Index required but not found"):
            call()
    if strict == "true":
        store.create_payload_index("x", "colour", models.PayloadSchemaType.KEYWORD)
    for call in calls:
        call()
