from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.fakes.application import passage

from application.excerpts import LONGEST, ranked_excerpts, reranked
from contracts.answer import Passage


def test_the_sentence_that_speaks_of_the_question_comes_first() -> None:
    text = "The canteen opens at noon. Refunds are paid within 14 days. Ask at the desk."
    best = ranked_excerpts("When are refunds paid?", [passage(text)])[0]
    assert best.text == "Refunds are paid within 14 days."


def test_a_sentence_under_a_heading_that_names_the_subject_beats_one_elsewhere() -> None:
    text = "## Parking\n\nIt costs 4 euros a day.\n\n## Canteen\n\nIt costs 6 euros a day."
    best = ranked_excerpts("What does parking cost?", [passage(text)])[0]
    assert best.text == "It costs 4 euros a day."


def test_a_table_row_carries_its_header() -> None:
    text = "| plan | price |\n| --- | --- |\n| Basic | 4 euros |\n| Plus | 9 euros |"
    best = ranked_excerpts("What is the price of Plus?", [passage(text)])[0]
    assert (best.text, best.lead) == ("| Plus | 9 euros |", "| plan | price |")


def test_a_list_item_carries_the_line_that_starts_its_list() -> None:
    text = "Bring to the visa office:\n\n- a passport\n- two photos"
    excerpts = ranked_excerpts("What to bring to the visa office?", [passage(text)])
    assert {e.lead for e in excerpts if e.text.startswith("-")} == {"Bring to the visa office:"}


def test_text_without_sentences_is_cut() -> None:
    best = ranked_excerpts("word", [passage("word " * 500)])[0]
    assert len(best.text) <= LONGEST


def test_no_passages_give_no_excerpts() -> None:
    assert ranked_excerpts("anything", []) == []


def test_a_sentence_near_in_meaning_passes_one_that_shares_a_word() -> None:
    question = "How long is the week?"
    excerpts = ranked_excerpts(question, [passage("A week has 37 hours. Ask Ann.")])
    similarities = [0.9 if "Ann" in excerpt.text else 0.1 for excerpt in excerpts]
    assert reranked(question, excerpts, similarities, {}).excerpts[0].text == "Ask Ann."


def test_a_question_in_a_document_announces_its_answer_and_is_none_itself() -> None:
    text = "**May I claim a parking ticket?** No. Fines are never refunded."
    excerpts = ranked_excerpts("Can I claim a parking ticket?", [passage(text)])
    assert [excerpt.text for excerpt in excerpts] == ["Fines are never refunded."]


def test_the_document_with_several_good_sentences_comes_before_one_with_a_single_better() -> None:
    lucky = passage("Parking is free.", "handbook/lucky.md")
    right = passage("Parking costs 4 euros. Parking is paid by badge.", "handbook/right.md")
    question = "What does parking cost?"
    excerpts = ranked_excerpts(question, [lucky, right])
    similarities = [0.6 if e.passage is lucky else 0.55 for e in excerpts]
    ranked = reranked(question, excerpts, similarities, {}).excerpts
    documents = [e.passage.document_id for e in ranked]
    assert documents == ["handbook/right.md", "handbook/right.md", "handbook/lucky.md"]


OLD = passage("Up to 10 days of leave may be carried into the next year.", "handbook/old.md")
NEW = passage("You may carry up to 5 days into the next year.", "handbook/new.md")
DATES = {
    OLD.document_id: datetime(2024, 1, 15, tzinfo=UTC),
    NEW.document_id: datetime(2026, 7, 1, tzinfo=UTC),
}


def first(dates: dict[str, datetime], newer: Passage = NEW) -> str:
    question = "How many days of leave may be carried over?"
    excerpts = ranked_excerpts(question, [OLD, newer])
    cosines = [0.9 if excerpt.passage is OLD else 0.88 for excerpt in excerpts]
    return reranked(question, excerpts, cosines, dates).excerpts[0].text


def test_a_newer_document_that_says_the_same_stands_in_for_an_older_one() -> None:
    assert first(DATES) == NEW.text


def test_without_the_dates_of_both_the_better_sentence_stays() -> None:
    assert first({}) == OLD.text
    assert first({NEW.document_id: DATES[NEW.document_id]}) == OLD.text
    assert first({OLD.document_id: DATES[OLD.document_id]}) == OLD.text


def test_an_older_document_never_stands_in_for_a_newer_one() -> None:
    ids = reversed(DATES)
    assert first(dict(zip(ids, DATES.values(), strict=True))) == OLD.text


@pytest.mark.parametrize(
    "text",
    [
        "Days of leave carried.",  # only the question's own words
        "Leave for the next course is booked in Tern in week 9.",
    ],
)
def test_a_newer_document_that_says_something_else_stands_in_for_none(text: str) -> None:
    assert first(DATES, NEW.model_copy(update={"text": text})) == OLD.text


def test_a_vector_that_differs_by_its_batch_changes_no_order() -> None:
    twins = [passage("Parking costs 4 euros.", name) for name in ("a/one.md", "a/two.md")]
    question = "What does parking cost?"
    excerpts = [replace(e, score=0.5) for e in ranked_excerpts(question, twins)]
    orders = [
        [e.passage.document_id for e in reranked(question, excerpts, cosines, {}).excerpts]
        for cosines in ([0.6004, 0.6001], [0.6001, 0.6004])
    ]
    assert orders == [["a/one.md", "a/two.md"]] * 2


def warranty(months: int, path: str) -> Passage:
    columns = "| product | warranty | extension |" if months == 24 else "| product | warranty |"
    cells = f"| panel | {months} months | no |" if months == 24 else f"| panel | {months} months |"
    return passage(f"{columns}\n{'| --- ' * columns.count(' |')}|\n{cells}", path)


def test_a_row_of_a_newer_table_stands_in_for_the_row_of_the_same_name_whatever_its_columns() -> (
    None
):
    old, new = warranty(12, "support/2022.md"), warranty(24, "support/2026.md")
    dates = {
        old.document_id: datetime(2022, 1, 1, tzinfo=UTC),
        new.document_id: datetime(2026, 1, 1, tzinfo=UTC),
    }
    excerpts = ranked_excerpts("How long is the warranty on a panel?", [old, new])
    ranking = reranked("How long is the warranty on a panel?", excerpts, [0.9, 0.8], dates)
    assert [excerpt.passage.path for excerpt in ranking.excerpts] == [new.path]
    assert [(a.passage.path, b.passage.path) for a, b in ranking.superseded] == [
        (old.path, new.path)
    ]
