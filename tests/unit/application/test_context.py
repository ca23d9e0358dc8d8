from datetime import UTC, datetime

from tests.fakes.application import passage

from application.context import Block, blocks
from application.excerpts import LONGEST, Excerpt, ranked_excerpts
from contracts.answer import Passage

TEXT = "The canteen opens at noon. Refunds take 14 days. Ask at the desk. Bring a receipt."
QUESTION = "How long do refunds take?"


def context(
    *passages: Passage,
    question: str = QUESTION,
    tokens: int = 1000,
    most: int = 100,
    window: int = 0,
    dates: dict[str, datetime] | None = None,
) -> list[Block]:
    ranked = ranked_excerpts(question, passages)
    return blocks(
        ranked[:1] if window else ranked,
        ranked,
        tokens=tokens,
        most=most,
        window=window,
        dates=dates or {},
    )


def texts(shown: list[Block]) -> list[str]:
    return [block.text for block in shown]


def test_the_best_sentence_comes_first_where_little_fits() -> None:
    assert texts(context(passage(TEXT), tokens=20)) == ["Refunds take 14 days."]


def test_neighbouring_sentences_stand_together_in_their_documents_order() -> None:
    assert texts(context(passage(TEXT))) == [TEXT]


def test_a_window_brings_the_neighbours_of_the_best() -> None:
    shown = context(passage(TEXT), window=1)
    assert texts(shown) == ["The canteen opens at noon. Refunds take 14 days. Ask at the desk."]


def test_no_more_excerpts_than_the_bundle_says_are_shown() -> None:
    shown = context(passage(TEXT), most=2)
    assert sum(len(block.excerpts) for block in shown) == 2


def test_the_best_excerpt_is_shown_even_where_it_is_longer_than_the_budget() -> None:
    assert texts(context(passage("Refunds take " + "very " * 50 + "long."), tokens=5)) != []


def test_the_same_words_in_two_documents_are_shown_once() -> None:
    copy = passage("Refunds take 14 days.", "handbook/copy.md")
    assert texts(context(passage("Refunds take 14 days."), copy)) == ["Refunds take 14 days."]


def test_overlapping_chunks_of_one_document_merge() -> None:
    first = passage("Refunds take 14 days. Ask at the desk.", chunk_id="a", start=0)
    second = passage("Ask at the desk. Bring a receipt.", chunk_id="b", start=22)
    assert texts(context(first, second)) == [
        "Refunds take 14 days. Ask at the desk. Bring a receipt."
    ]


def test_dates_are_shown_where_documents_of_several_dates_are() -> None:
    old, new = (
        passage("Refunds take 30 days.", "a/old.md"),
        passage("Refunds take 14 days.", "a/new.md"),
    )
    dates = {
        "a/old.md": datetime(2024, 1, 1, tzinfo=UTC),
        "a/new.md": datetime(2026, 1, 1, tzinfo=UTC),
    }
    titles = {block.title for block in context(old, new, dates=dates)}
    assert titles == {"Parental leave (2024-01-01)", "Parental leave (2026-01-01)"}
    assert {b.title for b in context(new, dates=dates)} == {"Parental leave"}


HEADER = "| id | " + " | ".join(f"column {i}" for i in range(1, 31)) + " | price |"
RULE = "| --- " * 32 + "|"
WIDE = "| A1 | " + " | ".join(f"some longer value of {i}" for i in range(1, 31)) + " | 9900 euros |"


def wide(question: str) -> list[Excerpt]:
    return ranked_excerpts(question, [passage(f"{HEADER}\n{RULE}\n{WIDE}")])


def test_the_last_cell_of_a_wide_row_is_shown_with_its_column_and_its_rows_first_cell() -> None:
    best = wide("What is the price of A1?")[0]
    assert best.shown.startswith("id: A1; ")
    assert "price: 9900 euros" in best.shown


def test_every_cell_of_a_wide_row_can_be_shown_and_none_is_cut() -> None:
    shown = " ".join(excerpt.shown for excerpt in wide("What?"))
    assert all(f"column {i}: some longer value of {i}" in shown for i in range(1, 31))


def test_a_piece_of_a_wide_row_cites_its_own_cells() -> None:
    best = wide("What is the price of A1?")[0]
    assert best.text.endswith("9900 euros")
    assert len(best.text) <= LONGEST + len("some longer value of 30")


def test_a_long_sentence_becomes_pieces_that_lose_nothing() -> None:
    text = " ".join(f"word{i}" for i in range(300))
    pieces = sorted(ranked_excerpts("word7", [passage(text)]), key=lambda e: e.span)
    assert " ".join(piece.text for piece in pieces) == text
    assert max(len(piece.text) for piece in pieces) <= LONGEST


def test_cells_without_a_header_and_empty_cells_are_no_trouble() -> None:
    text = "| plan | price |\n| --- | --- |\n| Basic | |\n| a \\| b | 4 | 5 |"
    shown = {excerpt.shown for excerpt in ranked_excerpts("plan", [passage(text)])}
    assert shown == {"plan: Basic", "a | b; 4; 5"}


def test_a_list_item_is_shown_after_its_lead() -> None:
    text = "Bring to the visa office:\n\n- a passport\n- two photos"
    shown = [e.shown for e in ranked_excerpts("What to bring to the visa office?", [passage(text)])]
    assert "Bring to the visa office: - a passport" in shown


def test_a_row_that_opens_a_chunk_has_the_columns_names_of_its_table() -> None:
    rest = passage("| P-014 | 0 to 100 cm | 35 cm |").model_copy(
        update={"table_header": "| code | range | default |\n| --- | --- | --- |"}
    )
    [block] = context(rest, question="What is the default of P-014?")
    assert block.text == "code: P-014; range: 0 to 100 cm; default: 35 cm."


def test_rows_of_a_table_end_as_sentences_do() -> None:
    table = "| role | pumps |\n| --- | --- |\n| viewer | no |\n| engineer | yes |"
    [block] = context(passage(table), question="Which role may switch pumps?")
    assert block.text == "role: viewer; pumps: no. role: engineer; pumps: yes."


def test_a_block_tells_the_heading_that_it_stands_under() -> None:
    text = "# Sluice\n\nHow to.\n\n## Factory settings\n\nHold F2 and F4 for ten seconds."
    [*_, block] = context(passage(text), question="hold F2", tokens=25)
    assert block.title.endswith(", Factory settings")


def test_a_heading_that_only_repeats_the_title_is_not_told() -> None:
    leave = passage("Refunds take 14 days.").model_copy(
        update={"title": "Refunds and returns", "headings": ["Refunds"]}
    )
    [block] = context(leave)
    assert block.title == "Refunds and returns"
