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
    described,
    serving_changes,
    written_by_no_sync,
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


@pytest.mark.parametrize(
    ("live", "found"),
    [
        (content(), []),
        (content(chunks={n: chunk(n, run_id="another") for n in "ab"}), []),
        (content(chunks={n: chunk(n, tags=("new",), path_tree=(n,)) for n in "ab"}), []),
        (content(chunks={"a": chunk("a"), "new": chunk("b", "lies")}), []),
        (content(chunks={"a": chunk("a", "lies"), "b": chunk("b")}), ["s/a"]),
        (content(vectors={"b": [0.0, 1.0]}), ["s/b"]),
    ],
)
def test_a_chunk_of_the_same_id_that_differs_was_written_by_no_sync(live, found):
    assert [each.document_id for each in written_by_no_sync(content(), live)] == found


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (content(spec=spec(sparse="s2")), "Its sparse setting is s2, and was s."),
        (
            content(spec=spec(embedder=FINGERPRINT.model_copy(update={"model": "m2"}))),
            "Its embedder is m2, and was m.",
        ),
        (
            content(spec=spec(embedder=FINGERPRINT.model_copy(update={"pooling": "cls"}))),
            "It was embedded by another embedder of the same name.",
        ),
        (content(spec=spec(chunker="c2"), vectors={"a": [0.0, 1.0]}), "Its chunker is c2, and was"),
        (content(spec=None), ""),
    ],
)
def test_another_spec_is_told_and_not_what_follows_from_it(live, words):
    assert said(live).startswith(words)
    assert "written by no sync" not in said(live)


def test_a_new_version_may_have_any_words():
    live = content(
        documents={"s/a": document("a", "v2"), "s/b": document("b")},
        chunks={"a": chunk("a", "new words", version="v2"), "b": chunk("b")},
    )
    assert said(live) == "1 documents (s/a) modified."


@pytest.mark.parametrize(
    ("vector", "moved"), [([0.5, 0.0], False), ([1.0, 0.0, 0.0], True), ([-1.0, 0.0], True)]
)
def test_vectors_are_compared_by_direction_and_length_of_the_list(vector, moved):
    assert ("other vectors" in said(content(vectors={"a": vector}))) is moved


def test_vectors_of_nothing_are_equal():
    empty = content(vectors={"a": [0.0, 0.0]})
    assert data_changes(empty, empty, set()) == []


def test_a_sentence_names_three_documents_and_counts_the_rest():
    added = content(("a", "b", "c", "d", "e", "f", "g"))
    assert said(added) == "5 documents (s/c, s/d, s/e and 2 more) added."
    assert said(content(("a", "b", "c", "d", "e"))) == "3 documents (s/c, s/d, s/e) added."


def test_an_index_that_was_accepted_without_a_spec_has_none_to_differ_from():
    assert data_changes(content(spec=None), content(), set()) == []


def test_a_document_that_always_changes_is_left_out():
    assert said(content(("a",)), {"s/b"}) == ""
    assert said(content(("a", "b", "c")), {"s/c"}) == ""
    assert said(content(chunks={"a": chunk("a", "lies"), "b": chunk("b")}), {"s/a"}) == ""


def test_a_setting_and_an_unreleased_edit_are_told():
    now = STATUS.model_copy(update={"bundle": "x2", "settings": {"retrieval.top_k": 1}})
    (change,) = application_changes(STATUS, now)
    assert "retrieval.top_k 4 -> 1" in change.detail
    assert "edited in place" in change.detail


def test_a_released_prompt_is_told_as_a_prompt_alone():
    now = STATUS.model_copy(update={"bundle": "x2", "released": "x2"})
    (change,) = application_changes(STATUS, now)
    assert change.detail == "A prompt changed."
    assert (change.what, change.before, change.after) == ("bundle", "x1", "x2")


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


def test_each_replica_is_held_against_the_accepted_model():
    other = LLM.model_copy(update={"template_sha256": "other"})
    now = FACTS.model_copy(update={"llms": {"http://a": LLM, "http://b": other}})
    (change,) = serving_changes(FACTS, now, lambda a, b: [] if a == b else ["Another template."])
    assert (change.layer, change.what) == ("serving", "chat model at http://b")
    assert (change.before, change.after) == (LLM.digest, other.digest)


def test_a_model_that_was_silent_at_the_accept_has_nothing_to_differ_from():
    was = FACTS.model_copy(update={"embedder": None})
    assert serving_changes(was, FACTS, lambda a, b: [] if a and b else ["Another."]) == []


def test_what_changed_in_serving_and_application_breaks_a_contract_and_data_may_change():
    changes = [
        *application_changes(STATUS, None),
        *serving_changes(FACTS, FACTS, lambda before, after: ["Another template."]),
        *data_changes(content(), content(("a",)), set()),
    ]
    found = {(i.layer, i.what, i.detail) for i in broken_contracts(FACTS, content(), changes)}
    assert found == {
        ("application", "build", "The application does not answer."),
        ("serving", "embedder", "Another template."),
        ("serving", "chat model", "Another template."),
    }


def test_layers_that_are_silent_or_never_released_anything_break_no_other_contract():
    never = STATUS.model_copy(update={"released": None})
    silent = FACTS.model_copy(update={"embedder": None, "application": None})
    for now in (silent, FACTS.model_copy(update={"application": never})):
        assert broken_contracts(now, content(), []) == []


def test_the_page_is_told_what_each_layer_said_of_itself():
    found = described(FACTS, content())
    assert found["data"].versions == {
        "content": content().digest,
        "documents": "2",
        "chunks": "2",
        "sources": "s",
        "chunker": "c1",
    }
    assert found["serving"].versions == {"embedder": EMBEDDER.digest, "chat model": LLM.digest}
    assert found["application"].versions == {"build": "b1", "bundle": "x1", "released": "x1"}
    assert "s" in found["data"].contracts
    nothing = FACTS.model_copy(
        update={"embedder": None, "llms": {"http://a": None}, "application": None}
    )
    silent = described(nothing, content(spec=None))
    assert silent["data"].versions["chunker"] == "does not answer"
    assert set(silent["serving"].versions.values()) == {"does not answer"}
    assert silent["application"].versions["released"] == "never"


def test_each_of_several_replicas_has_a_line_of_its_own():
    other = LLM.model_copy(update={"files_sha256": "other"})
    two = FACTS.model_copy(update={"llms": {"http://a": LLM, "http://b": other}})
    assert described(two, content())["serving"].versions == {
        "embedder": EMBEDDER.digest,
        "chat model at http://a": LLM.digest,
        "chat model at http://b": other.digest,
    }


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
