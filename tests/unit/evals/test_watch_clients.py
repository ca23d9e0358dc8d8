"""The clients as the watcher needs them: one build in one cycle, models, sources, a whole index."""

import json
import shlex
import sys

import httpx
import pytest
from pydantic import SecretStr
from tests.fakes.scripted_layers import EMBEDDER, LLM

from contracts.index import ChunkPayload, CollectionSpec, DocumentManifest
from contracts.probe import PROBE_CYCLE
from contracts.status import AuditReport, Pin, RawDocument
from evals.clients.application import Application
from evals.clients.ingestion import Sources
from evals.clients.models import Models, differences
from evals.clients.qdrant import content
from evals.errors import SyncFailed, Unavailable, Unreachable
from evals.settings import Settings

SETTINGS = Settings(
    llm_url="http://llm/v1", llm_api_key=SecretStr("llm-key"), embed_url="http://embedder"
)
AT = "2026-11-23T16:00:00Z"


def test_a_question_goes_to_the_build_that_is_named_within_its_cycle(answer):
    seen = []

    def reply(request):
        seen.append((request.url.host, request.headers.get(PROBE_CYCLE)))
        return httpx.Response(200, text=answer().model_dump_json())

    transport = httpx.MockTransport(reply)
    for named in ({"url": "http://reference", "cycle": "c1"}, {}):
        with Application(SETTINGS, "i", transport, **named) as application:
            application.ask("?")
    assert seen == [("reference", "c1"), ("127.0.0.1", None)]


def test_an_application_that_is_not_there_is_told_from_one_that_fails():
    def refuse(request):
        raise httpx.ConnectError("refused")

    for reply, is_there in ((refuse, False), (lambda request: httpx.Response(500), True)):
        transport = httpx.MockTransport(reply)
        with Application(SETTINGS, "i", transport) as stack, pytest.raises(Unavailable) as told:
            stack.ask("?")
        assert isinstance(told.value, Unreachable) is not is_there


def models(reply, **settings):
    return Models(SETTINGS.model_copy(update=settings), httpx.MockTransport(reply))


def test_a_replayed_request_comes_back_in_one_piece():
    sent = []

    def reply(request):
        sent.append((str(request.url), request.headers["Authorization"], request.content))
        return httpx.Response(200, json={"choices": [{"message": {"content": "28 days"}}]})

    request = {"messages": [], "stream": True, "stream_options": {"include_usage": True}}
    assert models(reply).reply("http://llm/v1", request) == "28 days"
    ((url, key, body),) = sent
    assert (url, key) == ("http://llm/v1/chat/completions", "Bearer llm-key")
    assert json.loads(body) == {"messages": [], "stream": False}


def test_manifests_are_those_of_the_replica_and_the_embedder():
    by_host = {"b": LLM, "embedder": EMBEDDER}

    def reply(request):
        return httpx.Response(200, text=by_host[request.url.host].model_dump_json())

    assert (models(reply).llm("http://b"), models(reply).embedder()) == (LLM, EMBEDDER)


@pytest.mark.parametrize(
    "reply",
    [httpx.Response(503, text=LLM.model_dump_json()), httpx.Response(200, text="{}")],
    ids=["a refusal", "another form"],
)
def test_a_server_that_has_no_manifest_for_us_does_not_answer(reply):
    with pytest.raises(Unavailable, match="http://b"):
        models(lambda request: reply).llm("http://b")


def test_without_named_replicas_there_is_the_one():
    assert models(None).replicas == ["http://llm/v1"]
    named = ["http://a", "http://b"]
    assert models(None, llm_replicas=named).replicas == named


def command(tmp_path, printed, code=0):
    """A command that prints this, and keeps its arguments."""
    script = tmp_path / "command.py"
    kept = f"pathlib.Path({str(tmp_path / 'arguments')!r}).write_text(json.dumps(sys.argv[1:]))"
    script.write_text(f"import json, pathlib, sys\n{kept}\nprint({printed!r})\nsys.exit({code})\n")
    return shlex.join([sys.executable, str(script)])


def arguments(tmp_path):
    return json.loads((tmp_path / "arguments").read_text())


def test_what_differs_between_manifests_is_said_by_serving(tmp_path):
    other = LLM.model_copy(update={"template_sha256": "other"})
    said = differences(command(tmp_path, '["Another template."]'), LLM, other)
    assert said == ["Another template."]
    word, *files, flag = arguments(tmp_path)
    assert (word, len(files), flag) == ("diff", 2, "--json")


@pytest.mark.parametrize("serving", ["/no/such/command", None], ids=["missing", "no words"])
def test_a_serving_that_says_nothing_is_no_lack_of_differences(tmp_path, serving):
    with pytest.raises(Unavailable, match="EVALS_SERVING_COMMAND"):
        differences(serving or command(tmp_path, "oops"), LLM, LLM)


def test_an_audit_names_the_index_the_size_and_the_seed(tmp_path):
    report = AuditReport(source="hr", index="live", documents=9, checked=3, findings=[])
    sources = Sources(command(tmp_path, report.model_dump_json()), "live")
    assert sources.audit("hr", 3, 41) == report
    flags = ["--sample", "3", "--seed", "41", "--index", "live", "--json"]
    assert arguments(tmp_path) == ["audit", "hr", *flags]


def test_documents_are_read_from_their_sources_by_id_and_none_costs_no_command(tmp_path):
    found = RawDocument(document_id="hr/a.md", found=True, version="v1", text="t")
    sources = Sources(command(tmp_path, f"[{found.model_dump_json()}]"), "live")
    assert sources.raw([]) == {}
    assert not (tmp_path / "arguments").exists()
    assert sources.raw(["hr/a.md"]) == {"hr/a.md": found}
    assert arguments(tmp_path) == ["raw", "hr/a.md", "--json"]


def test_a_copy_is_made_and_removed_of_the_index_that_is_named(tmp_path):
    fields = {"name": "p", "index": "p", "of": "live", "collection": "c", "created_at": AT}
    pin = Pin(**fields, documents=1, chunks=1)
    sources = Sources(command(tmp_path, pin.model_dump_json()), "live")
    assert sources.pin("p") == pin
    assert arguments(tmp_path) == ["pin", "p", "--index", "live", "--json"]
    sources.unpin("p")
    assert arguments(tmp_path) == ["unpin", "p", "--index", "live"]


def test_a_source_whose_run_fails_is_told_by_its_command(tmp_path):
    with pytest.raises(SyncFailed, match="ended with 1"):
        Sources(command(tmp_path, "", code=1), "live").run("canary")


def payload(version="v1", **changed):
    fields = {"tenant": "t", "source": "s", "document_id": "s/a", "version": version, "start": 0}
    fields |= {"ordinal": 0, "text": "words", "end": 5, "headings": [], "run_id": "r"}
    return ChunkPayload(**fields | changed).model_dump(mode="json")


def read(points, *, manifests):
    """The content of an index whose points and manifests are these."""
    served = {"i-manifest": [{"payload": each} for each in manifests], "i": points}

    def reply(request):
        with_vector = json.loads(request.content)["with_vector"]
        found = [
            {"id": number, **(point if with_vector else {"payload": point["payload"]})}
            for number, point in enumerate(served[request.url.path.split("/")[2]])
        ]
        return httpx.Response(200, json={"result": {"points": found, "next_page_offset": None}})

    return content(SETTINGS, "i", httpx.MockTransport(reply))


def test_a_whole_index_has_its_spec_its_vectors_and_a_count_of_what_is_unreadable():
    spec = CollectionSpec(
        embedder=EMBEDDER.fingerprint, precision="p", backend="b", sparse="s", chunker="c"
    )
    document = DocumentManifest(
        tenant="t",
        source="s",
        document_id="s/a",
        path="a",
        title="a",
        format="markdown",
        version="v1",
        text_sha256="0",
        characters=5,
        chunks=1,
        raw_bytes=5,
        run_id="r",
        committed_at=AT,
    ).model_dump(mode="json")
    vector = {"dense": [1.0, 0.0], "sparse": {"indices": [1], "values": [1.0]}}
    points = [{"payload": payload(), "vector": vector}, {"payload": {"text": "by hand"}}]
    found = read(points, manifests=[spec.model_dump(mode="json"), document])
    assert (found.spec, found.dense, found.unreadable) == (spec, {"0": [1.0, 0.0]}, 1)
    assert [chunk.text for chunk in found.chunks.values()] == ["words"]

    same = read([{"payload": payload(run_id="another")}], manifests=[document])
    other = read([{"payload": payload(text="lies")}], manifests=[document])
    nothing = read([], manifests=[document])
    assert same.digest == found.digest != other.digest
    assert found.digest_without({"s/a"}) == nothing.digest
