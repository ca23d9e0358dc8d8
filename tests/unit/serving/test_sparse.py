"""BM25 by the real engine: settings are fixed and named, and vectors are well formed."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_edge import Bm25, Bm25Config

from serving.sparse import AVERAGE_LENGTH, LANGUAGE, SETTINGS, B, K, SparseEncoder

ENCODER = SparseEncoder()


def test_the_settings_say_all_that_changes_a_vector() -> None:
    assert SETTINGS == "bm25:k=1.2,b=0.75,avg_len=100,language=english,text=nfc+pairs"


def test_queries_weigh_terms_once_and_documents_by_frequency() -> None:
    (document,) = ENCODER.encode(["pump pump pump valve"], "document")
    (query,) = ENCODER.encode(["pumps valves"], "query")
    assert query.indices == document.indices  # stemmed alike
    assert query.values == [1.0, 1.0]
    assert max(document.values) > min(document.values)


def test_a_document_in_other_company_has_the_same_vector() -> None:
    alone = ENCODER.encode(["the valve leaks"], "document")
    beside = ENCODER.encode(["something long " * 50, "the valve leaks"], "document")
    assert alone[0] == beside[1]


@settings(deadline=None)
@given(st.text(), st.sampled_from(["document", "query"]))
def test_any_text_gives_ascending_distinct_indices_and_positive_weights(
    text: str, kind: str
) -> None:
    (vector,) = ENCODER.encode([text], kind)
    assert vector.indices == sorted(set(vector.indices))
    assert len(vector.indices) == len(vector.values)
    assert all(value > 0 for value in vector.values)


@pytest.mark.parametrize("kind", ["document", "query"])
def test_english_has_the_vectors_of_the_engine_alone(kind: str) -> None:
    engine = Bm25(Bm25Config(k=K, b=B, avg_len=AVERAGE_LENGTH, language=LANGUAGE))
    embed = engine.embed_query if kind == "query" else engine.embed_document
    for text in ("The pump's valve leaks at 3 bar.", "Ilse Maravić’s café in Åskedal – 40 °C", ""):
        (vector,) = ENCODER.encode([text], kind)
        plain = embed(text)
        pairs = sorted(zip(plain.indices, plain.values, strict=True))
        assert list(zip(vector.indices, vector.values, strict=True)) == pairs


@pytest.mark.parametrize(
    ("document", "query"),
    [
        ("保修期为三十六个月。请保存发票。", "保修期多长？"),
        ("保証期間は三十六か月です", "保証期間"),
        ("보증기간은 36개월입니다", "보증 기간"),
        ("ระยะเวลารับประกันสามปี", "รับประกัน"),
        ("Die Kündigungsfrist", unicodedata.normalize("NFD", "Kündigungsfrist")),
    ],
)
def test_a_question_shares_terms_with_its_document_in_any_script(document: str, query: str) -> None:
    (stored,) = ENCODER.encode([document], "document")
    (asked,) = ENCODER.encode([query], "query")
    assert set(stored.indices) & set(asked.indices)
