"""Where chunks are cut, and what is embedded for them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.documents.chunk import (
    MAX_CHUNK_CHARACTERS,
    Chunk,
    TokenChunker,
    WholeChunker,
    embedded_text,
)
from ingestion.errors import DocumentError, UsageError
from ingestion.parse import Parsed, parse

from .conftest import hash_embedder

TOKENIZER = hash_embedder.word_tokenizer()


def chunker(size: int = 40, overlap: int = 8, max_tokens: int = 80) -> TokenChunker:
    return TokenChunker(TOKENIZER, max_tokens, size, overlap)


def tokens(text: str) -> int:
    return len(TOKENIZER.encode(text).ids)


def markdown(text: str) -> Parsed:
    return parse(text.encode(), "markdown", "page.md")


PIECES = ["word ", "a.b ", "End. ", "\n", "\n\n", "# H\n", "## Sub *x*\n", "| a | b |\n"]
PIECES += ["| - | - |\n", "é\u200b", "漢字", "```\n", "x" * 1200, " \t"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=300).map("".join))
def test_chunks_cover_the_text_in_order_and_fit(text: str) -> None:
    parsed = markdown(text)
    if not parsed.text:
        return
    chunks = chunker().chunks(parsed)

    end = 0
    for before, chunk in zip([None, *chunks], chunks, strict=False):
        assert chunk.text == parsed.text[chunk.start : chunk.end]
        assert before is None or chunk.start > before.start
        assert parsed.text[end : chunk.start].strip() == ""
        assert tokens(chunk.dense_text) <= 80
        end = max(end, chunk.end)
    assert parsed.text[end:].strip() == ""


def texts(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


def test_a_short_document_is_one_chunk() -> None:
    assert texts(chunker().chunks(markdown("# A\n\nOne.\n\n## B\n\nTwo."))) == [
        "# A\n\nOne.\n\n## B\n\nTwo."
    ]


def test_a_chunk_ends_where_a_section_starts_and_the_next_does_not_overlap() -> None:
    first, second = "one " * 30, "two " * 30

    chunks = chunker().chunks(markdown(f"# A\n\n{first}\n\n# B\n\n{second}"))

    assert texts(chunks) == [f"# A\n\n{first.strip()}", f"# B\n\n{second.strip()}"]
    assert [chunk.headings for chunk in chunks] == [("A",), ("B",)]


def test_chunks_within_a_section_overlap_from_a_sentence_on() -> None:
    sentences = [f"This is sentence number {n} of the page." for n in range(12)]

    first, second, *_ = chunker(overlap=10).chunks(Parsed("t", " ".join(sentences)))

    assert first.text.endswith("of the page.")
    assert second.text.startswith("This is sentence")
    assert second.start < first.end


def test_headings_are_embedded_with_the_text_outermost_first() -> None:
    text = "# Travel\n\n" + "intro " * 30 + "\n\n## Rates\n\n### Bern\n\n" + "cheap " * 60

    last = chunker().chunks(markdown(text))[-1]

    assert last.headings == ("Travel", "Rates", "Bern")
    assert last.dense_text.startswith("Travel > Rates > Bern\n\ncheap")


def test_a_split_table_repeats_its_header_row_in_what_is_embedded_only() -> None:
    rows = "\n".join(f"| Town {n} | {n}0 |" for n in range(12))

    chunks = chunker().chunks(markdown(f"| City | Rate |\n| --- | --- |\n{rows}"))

    assert len(chunks) > 1
    for chunk in chunks[1:]:
        assert "| City | Rate |" not in chunk.text
        assert "| City | Rate |" in chunk.dense_text
        assert chunk.table_header.startswith("| City | Rate |")
        assert chunk.text.startswith("| Town")


def test_a_header_row_that_does_not_fit_is_not_repeated() -> None:
    header = "| " + " ".join(f"word{n}" for n in range(39)) + " |"
    rows = "\n".join(f"| Town {n} is far away |" for n in range(12))

    chunks = chunker().chunks(markdown(f"{header}\n| --- |\n{rows}"))

    assert len(chunks) > 1
    assert all("word3" not in chunk.dense_text for chunk in chunks[2:])
    assert max(tokens(chunk.dense_text) for chunk in chunks) <= 80


def test_a_trail_that_is_too_long_keeps_title_and_innermost_heading() -> None:
    between = "between " * 50
    text = f"# Guide\n\n## {between}\n\n### {between}\n\n#### Rates\n\n" + "cheap " * 60

    last = chunker().chunks(markdown(text))[-1]

    assert last.headings == ("Guide", between.strip(), between.strip(), "Rates")
    assert last.dense_text.startswith("Guide > Rates\n\ncheap")


def test_a_chunk_knows_its_page() -> None:
    pages = ["one " * 40, "two " * 40]
    parsed = Parsed("t", "\n\n".join(pages), pages=(0, len(pages[0]) + 2))

    assert [chunk.page for chunk in chunker(overlap=0).chunks(parsed)] == [1, 2]


def test_a_text_without_any_space_is_still_cut() -> None:
    chunks = chunker().chunks(Parsed("t", "x" * 100_000))

    assert max(len(chunk.text) for chunk in chunks) <= MAX_CHUNK_CHARACTERS + 1000
    assert sum(len(chunk.text) for chunk in chunks) >= 100_000


def test_sizes_that_leave_no_room_for_headings_are_refused() -> None:
    with pytest.raises(UsageError, match="do not fit an embedder of 80"):
        chunker(size=70)


@pytest.mark.parametrize(
    ("title", "headings", "expected"),
    [
        ("Travel", ("Travel", "Rates"), "Travel > Rates\n\ntext"),
        ("Guide", ("Travel",), "Guide > Travel\n\ntext"),
        ("Guide", (), "Guide\n\ntext"),
        ("", (), "text"),
    ],
)
def test_what_is_embedded_names_each_heading_once(
    title: str, headings: tuple[str, ...], expected: str
) -> None:
    assert embedded_text(title, headings, "text") == expected


def test_a_whole_document_that_fits_is_one_chunk_with_its_title() -> None:
    [chunk] = WholeChunker(TOKENIZER, 10, truncate=False).chunks(Parsed("T", "a b c"))

    assert (chunk.text, chunk.dense_text) == ("a b c", "T\n\na b c")


def test_a_whole_document_that_is_too_long_is_refused_with_its_size() -> None:
    with pytest.raises(DocumentError, match=r"21 tokens are over the embedder's 10"):
        WholeChunker(TOKENIZER, 10, truncate=False).chunks(Parsed("T", "a " * 20))


def test_truncation_cuts_the_dense_text_alone() -> None:
    [chunk] = WholeChunker(TOKENIZER, 4, truncate=True).chunks(Parsed("T", "a b c d e f"))

    assert chunk.dense_text == "T\n\na b c"
    assert chunk.sparse_text == "T\n\na b c d e f"
    assert chunk.text == "a b c d e f"


def test_a_long_text_is_tokenised_in_pieces_and_cut_as_if_it_were_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "\n\n".join(f"## Part {i}\n\n{'Words of it, and more. ' * 9}" for i in range(60))
    whole = chunker().chunks(markdown(text))
    lengths = []

    class Counting:
        num_special_tokens_to_add = TOKENIZER.num_special_tokens_to_add

        def encode(self, part: str, **options: bool) -> object:
            lengths.append(len(part))
            return TOKENIZER.encode(part, **options)

    monkeypatch.setattr("ingestion.documents.chunk.PIECE_CHARACTERS", 500)

    assert TokenChunker(Counting(), 80, 40, 8).chunks(markdown(text)) == whole
    assert max(lengths) <= 500 < len(text)
