from evals.suite.bm25 import BM25

TEXTS = ["the badge office opens at nine", "leave is requested in the portal", "lost badges"]


def test_the_text_with_the_rarest_shared_words_comes_first() -> None:
    assert BM25(TEXTS).search("requesting leave", 3) == [1]


def test_stems_match_whatever_their_ending() -> None:
    assert set(BM25(TEXTS).search("badge", 3)) == {0, 2}


def test_a_query_that_shares_no_word_finds_nothing() -> None:
    assert BM25(TEXTS).search("quantum chromodynamics", 3) == []


def test_a_limit_above_the_number_of_texts_is_no_error() -> None:
    assert BM25(TEXTS).search("badge", 100)
