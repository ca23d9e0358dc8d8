"""BM25 by the real engine: settings are fixed and named, and vectors are well formed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.sparse import SETTINGS, SparseEncoder

ENCODER = SparseEncoder()


def test_the_settings_say_all_that_changes_a_vector() -> None:
    assert SETTINGS == "bm25:k=1.2,b=0.75,avg_len=100,language=english"


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
