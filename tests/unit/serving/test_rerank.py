"""The reranker: a tiny cross-encoder made here, behind Cohere's and vLLM's endpoint."""

from collections.abc import Iterator

import pytest
import torch
from fastapi.testclient import TestClient
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from serving.rerank_app import create_app
from serving.reranker import CrossEncoderReranker
from serving.settings import Settings

WORDS = ("leave", "badge", "pump", "lost", "days", "report", "annual", "stopped", "where")
DOCUMENTS = ["pump stopped", "annual leave days", "report lost badge"]
QUERY = "annual leave"


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> CrossEncoderReranker:
    folder = tmp_path_factory.mktemp("cross-encoder")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    tokenizer = BertTokenizerFast(vocab={word: i for i, word in enumerate(vocabulary)})
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=1,
        initializer_range=1.0,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return CrossEncoderReranker(folder, "tiny", 32)


@pytest.fixture
def client(reranker: CrossEncoderReranker) -> Iterator[TestClient]:
    app = create_app(Settings(), reranker)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank", "/rerank"])
def test_documents_come_back_best_first_with_their_places(
    client: TestClient, reranker: CrossEncoderReranker, path: str
) -> None:
    reply = client.post(path, json={"query": QUERY, "documents": DOCUMENTS, "model": "tiny"})
    results = reply.json()["results"]
    scores = reranker.scores(QUERY, DOCUMENTS)
    assert [r["relevance_score"] for r in results] == sorted(scores, reverse=True)
    assert [scores[r["index"]] for r in results] == pytest.approx(
        [r["relevance_score"] for r in results]
    )
    assert all(0 <= score <= 1 for score in scores)
    assert len(set(scores)) == 3


def test_top_n_and_the_documents_are_given_where_they_are_asked_for(client: TestClient) -> None:
    documents = [{"text": text} for text in DOCUMENTS]
    body = {"query": QUERY, "documents": documents, "top_n": 1, "return_documents": True}
    (best,) = client.post("/v1/rerank", json=body).json()["results"]
    assert best["document"] == {"text": DOCUMENTS[best["index"]]}
    assert len(client.post("/v1/rerank", json=body | {"top_n": 0}).json()["results"]) == 3


@pytest.mark.parametrize(
    ("change", "status"),
    [({"documents": []}, 422), ({"query": ""}, 422), ({"model": "x"}, 404), ({"top_n": -1}, 422)],
)
def test_what_cannot_be_reranked_is_told_in_a_sentence(
    client: TestClient, change: dict[str, object], status: int
) -> None:
    reply = client.post("/v1/rerank", json={"query": QUERY, "documents": DOCUMENTS} | change)
    assert reply.status_code == status
    assert reply.json()["error"]["message"] == reply.json()["detail"] != ""


def test_a_key_guards_everything_but_health(reranker: CrossEncoderReranker) -> None:
    app = create_app(Settings.model_validate({"rerank_api_key": "k"}), reranker)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        body = {"query": QUERY, "documents": DOCUMENTS}
        assert client.post("/v1/rerank", json=body).status_code == 401
        assert client.get("/manifest").status_code == 401
        assert client.get("/health/ready").json() == {"status": "ready"}
        headers = {"Authorization": "Bearer k"}
        assert client.post("/v1/rerank", json=body, headers=headers).status_code == 200
        assert "serving_rerank_documents_total 3.0" in client.get("/metrics", headers=headers).text


def test_without_a_key_no_web_page_may_ask(client: TestClient) -> None:
    body = {"query": QUERY, "documents": DOCUMENTS}
    reply = client.post("/v1/rerank", json=body, headers={"Origin": "http://evil.example"})
    assert reply.status_code == 403
