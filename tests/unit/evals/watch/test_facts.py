"""What changed is said in words, layer by layer; what broke a contract is an indicator."""

from datetime import UTC, datetime

import pytest

from contracts.endpoints import EmbedderFingerprint, EmbedderManifest, LlmManifest
from contracts.index import ChunkPayload, CollectionSpec, DocumentManifest
from contracts.status import BundleStatus
from evals.clients.qdrant import IndexContent
from evals.watch.facts import (
    Facts,
    application_changes,
    broken_contracts,
    data_changes,
    serving_changes,
)

FINGERPRINT = EmbedderFingerprint(
    model="m",
    weights_sha256="w",
    tokenizer_sha256="t",
    pooling="mean",
    normalised=True,
    max_tokens=256,
    dimensions=2,
    probe_vectors=[[1.0, 0.0]],
)
EMBEDDER = EmbedderManifest(fingerprint=FINGERPRINT, sparse="s", precision="p", backend="b")
LLM = LlmManifest(
    model="m",
    files_sha256="f",
    template_sha256="t",
    engine="e",
    dtype="d",
    max_model_len=1,
    quantization="none",
    sampling_defaults={},
    logprobs=[],
)
STATUS = BundleStatus(
    build="b1", bundle="x1", released="x1", prompts={}, settings={"retrieval.top_k": 4}
)
FACTS = Facts(embedder=EMBEDDER, llms={"http://a": LLM}, application=STATUS, index="i")


def spec(**changes):
    fields = {"embedder": FINGERPRINT, "precision": "p", "backend": "b", "sparse": "s"}
    return CollectionSpec(**{**fields, "chunker": "c1", **changes})


def document(name, version="v1"):
    return DocumentManifest(
        tenant="default",
        source="s",
        document_id=f"s/{name}",
        path=name,
        title=name,
        format="markdown",
        version=version,
        text_sha256="0",
        characters=1,
        chunks=1,
        raw_bytes=1,
        run_id="r",
        committed_at=datetime(2026, 11, 23, tzinfo=UTC),
    )


def chunk(name, text="words", **changes):
    fields = {"tenant": "default", "source": "s", "document_id": f"s/{name}", "version": "v1"}
    fields |= {"ordinal": 0, "text": text, "start": 0, "end": 5, "headings": [], "run_id": "r"}
    return ChunkPayload(**{**fields, **changes})


def content(names=("a", "b"), chunks=None, vectors=None, **changes):
    chunks = chunks or {name: chunk(name) for name in names}
    dense = {id: [1.0, 0.0] for id in chunks} | (vectors or {})
    documents = {f"s/{name}": document(name) for name in names}
    fields = {"documents": documents, "chunks": chunks, "dense": dense, "spec": spec()}
    return IndexContent(**{**fields, **changes})


def said(live, ignored=frozenset()):
    return " ".join(change.detail for change in data_changes(content(), live, set(ignored)))


def test_an_equal_index_has_no_change():
    assert data_changes(content(), content(), set()) == []


def test_another_run_that_wrote_the_same_is_no_change():
    again = {name: chunk(name, run_id="another") for name in ("a", "b")}
    assert data_changes(content(), content(chunks=again), set()) == []


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (content(("a",)), "1 documents (s/b) gone."),
        (content(("a", "b", "c")), "1 documents (s/c) added."),
        (
            content(documents={"s/a": document("a", "v2"), "s/b": document("b")}),
            "1 documents (s/a) modified.",
        ),
        (content(chunks={"a": chunk("a", "lies"), "b": chunk("b")}), "other words or fields"),
        (
            content(chunks={"a": chunk("a", tenant="other"), "b": chunk("b")}),
            "other words or fields",
        ),
        (content(vectors={"a": [0.0, 1.0]}), "have chunks with other vectors"),
        (content(chunks={"a": chunk("a")}), "lost chunks"),
        (content(chunks={n: chunk(n[0]) for n in ("a", "b", "b2")}), "have more chunks"),
        (content(spec=spec(chunker="c2")), "Its chunker is c2, and was c1."),
    ],
)
def test_every_difference_of_the_index_is_told(live, words):
    assert words in said(live)


def test_a_document_that_always_changes_is_left_out():
    assert said(content(("a",)), {"s/b"}) == ""


def test_a_setting_and_an_unreleased_edit_are_told():
    now = STATUS.model_copy(update={"bundle": "x2", "settings": {"retrieval.top_k": 1}})
    (change,) = application_changes(STATUS, now)
    assert "retrieval.top_k 4 -> 1" in change.detail
    assert "edited in place" in change.detail


def test_other_code_is_told_and_an_application_that_is_gone_too():
    other = STATUS.model_copy(update={"build": "b2"})
    assert [change.what for change in application_changes(STATUS, other)] == ["build"]
    (gone,) = application_changes(STATUS, None)
    assert gone.detail == "The application does not answer."


def test_models_are_told_apart_by_the_words_of_serving():
    now = FACTS.model_copy(update={"llms": {"http://a": LLM, "http://b": None}})
    changes = serving_changes(FACTS, now, lambda before, after: [])
    assert [change.detail for change in changes] == ["The chat model at http://b does not answer."]
    told = serving_changes(FACTS, FACTS, lambda before, after: ["Another template."])
    assert {change.what for change in told} == {"embedder", "chat model"}


def test_broken_contracts_are_indicators_of_their_layer():
    other = EMBEDDER.model_copy(
        update={"fingerprint": FINGERPRINT.model_copy(update={"weights_sha256": "z"})}
    )
    unreleased = STATUS.model_copy(update={"released": "x0"})
    now = FACTS.model_copy(update={"application": unreleased, "embedder": other})
    live = content(unreadable=2, chunks={"a": chunk("a", "lies"), "b": chunk("b")})
    changes = data_changes(content(), live, set())
    found = {(i.layer, i.what) for i in broken_contracts(now, live, changes)}
    assert found == {
        ("application", "released bundle"),
        ("data", "embedder of the index"),
        ("data", "chunk payload"),
        ("data", "written by syncs only"),
    }
    assert broken_contracts(FACTS, content(), []) == []
