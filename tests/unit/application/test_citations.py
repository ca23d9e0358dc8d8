from tests.fakes.application import LEAVE, passage

from application.citations import cite, quote
from application.excerpts import ranked_excerpts

QUESTION = "How long is parental leave?"


def test_a_supported_statement_is_marked_and_its_citation_points_at_the_exact_span() -> None:
    excerpts = ranked_excerpts(QUESTION, [passage()])
    cited = cite("26 weeks at full pay.", QUESTION, excerpts, 0.8)
    assert cited is not None
    assert cited.text == "26 weeks at full pay. [1]"
    citation = cited.citations[0]
    assert citation.quote == "Parental leave is 26 weeks at full pay."
    assert LEAVE[citation.start - 100 : citation.end - 100] == citation.quote


def test_a_value_that_no_excerpt_holds_has_no_support() -> None:
    assert (
        cite("52 weeks at full pay.", QUESTION, ranked_excerpts(QUESTION, [passage()]), 0.8) is None
    )


def test_one_wrong_value_among_right_words_has_no_support() -> None:
    shift = "The late shift in the Porto factory begins at 14:00 and ends at 22:00 with a break."
    excerpts = ranked_excerpts("When is it over?", [passage(shift)])
    said = "The late shift in the Porto factory ends at 23:00 with a break."
    assert cite(said, "When is it over?", excerpts, 0.8) is None
    assert cite(said.replace("23", "22"), "When is it over?", excerpts, 0.8) is not None


def test_an_answer_that_repeats_the_question_has_no_support() -> None:
    assert cite("Parental leave.", QUESTION, ranked_excerpts(QUESTION, [passage()]), 0.8) is None


def test_an_empty_answer_has_no_support() -> None:
    assert cite("", QUESTION, ranked_excerpts(QUESTION, [passage()]), 0.8) is None


def test_only_the_supported_statements_of_an_answer_are_kept() -> None:
    excerpts = ranked_excerpts(QUESTION, [passage()])
    cited = cite("It is 26 weeks. Everyone gets a pony.", QUESTION, excerpts, 0.8)
    assert cited is not None
    assert cited.text == "It is 26 weeks. [1]"


def test_two_statements_on_one_sentence_share_a_citation() -> None:
    excerpts = ranked_excerpts(QUESTION, [passage()])
    cited = cite("It is 26 weeks. It is at full pay.", QUESTION, excerpts, 0.8)
    assert cited is not None
    assert cited.text == "It is 26 weeks. [1] It is at full pay. [1]"
    assert len(cited.citations) == 1


def test_marks_that_a_model_makes_up_are_dropped() -> None:
    excerpts = ranked_excerpts(QUESTION, [passage()])
    cited = cite("26 weeks [7].", QUESTION, excerpts, 0.8)
    assert cited is not None
    assert cited.text == "26 weeks. [1]"


def test_a_quotation_holds_the_excerpts_own_words() -> None:
    quoted = quote(ranked_excerpts(QUESTION, [passage()])[:1])
    assert quoted.text == "“Parental leave is 26 weeks at full pay.” [1]"
