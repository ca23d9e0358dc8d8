import pytest
from tests.fakes.application import passage

from application.adapters.support import WordsAndValues
from application.citations import Checked, check, quote
from application.context import Block
from application.excerpts import ranked_excerpts
from application.upstream import Deadline
from contracts.answer import Passage

QUESTION = "How long is parental leave?"


def context(*passages: Passage, question: str = QUESTION) -> list[Block]:
    found = ranked_excerpts(question, list(passages) or [passage()])
    return [Block((excerpt,)) for excerpt in found]


async def checked(reply: str, shown: list[Block], question: str = QUESTION) -> Checked:
    ranked = [excerpt for block in shown for excerpt in block.excerpts]
    return await check(reply, question, shown, ranked, 10, WordsAndValues(), Deadline(5))


async def test_a_supported_statement_is_marked_and_cited_with_exact_offsets() -> None:
    found = await checked("26 weeks at full pay.", context())
    assert found.text == "26 weeks at full pay. [1]"
    assert [s.support for s in found.statements] == ["supported"]
    (citation,) = found.citations
    assert (citation.start, citation.end, citation.quote) == (
        100,
        139,
        "Parental leave is 26 weeks at full pay.",
    )


async def test_a_value_that_no_passage_holds_is_contradicted_or_unsupported_and_never_cited() -> (
    None
):
    found = await checked("52 weeks at full pay.", context())
    assert found.statements[0].support != "supported"
    assert (found.citations, found.text) == ([], "52 weeks at full pay.")


async def test_the_models_own_mark_is_looked_at_first() -> None:
    twice = [passage(document_id="a/one.md"), passage(document_id="a/two.md")]
    shown = context(*twice)
    named = next(n for n, b in enumerate(shown, 1) if b.excerpts[0].passage.path == "two.md")
    found = await checked(f"26 weeks [{named}].", shown)
    assert found.citations[0].path == "two.md"


@pytest.mark.parametrize("mark", ["[7]", "[0]", "【9】", "[1, 7]"])
async def test_a_mark_that_names_nothing_is_dropped(mark: str) -> None:
    assert (await checked(f"26 weeks {mark}.", context())).text == "26 weeks. [1]"


async def test_each_statement_keeps_its_own_label() -> None:
    found = await checked("It is 26 weeks. Everyone gets a pony.", context())
    assert [s.support for s in found.statements] == ["supported", "unsupported"]
    assert found.kept().text == "It is 26 weeks. [1]"


async def test_two_statements_of_one_passage_share_its_number() -> None:
    found = await checked("It is 26 weeks. It is at full pay.", context())
    assert found.text == "It is 26 weeks. [1] It is at full pay. [1]"


async def test_a_list_keeps_its_lines() -> None:
    shown = context(passage("Bring a passport. Bring two photos."), question="What to bring?")
    found = await checked("- a passport\n- two photos", shown, "What to bring?")
    assert found.text.splitlines() == ["- a passport [1]", "- two photos [2]"]


async def test_a_list_in_one_sentence_is_supported_by_the_items_that_the_passages_hold() -> None:
    text = "We make three products:\n\n- **Sluice 8**, a controller\n- **Reedling**, a logger"
    shown = [Block(tuple(ranked_excerpts("Which products do you make?", [passage(text)])))]
    question = "Which products do you make?"
    found = await checked("Sluice 8 and Reedling. [1]", shown, question)
    assert found.text == "Sluice 8 and Reedling. [1] [2]"
    invented = await checked("Sluice 8 and Toaster. [1]", shown, question)
    assert invented.statements[0].support != "supported"


async def test_nothing_said_is_no_statement() -> None:
    assert (await checked("", context())).statements == []


def test_a_quotation_holds_the_excerpts_own_words() -> None:
    text, citations = quote(ranked_excerpts(QUESTION, [passage()])[:1])
    assert text == "“Parental leave is 26 weeks at full pay.” [1]"
    assert len(citations) == 1


def test_a_row_is_quoted_with_its_columns_names() -> None:
    table = "| part | warranty |\n| --- | --- |\n| Sluice 8 | 48 months |"
    text, _ = quote(ranked_excerpts("How long is the warranty?", [passage(table)])[:1])
    assert text == "“part: Sluice 8; warranty: 48 months” [1]"
