"""Answers about the sample's documents, written by hand, with spans that are really there.

tests/fakes/replay_app.py gives them to the questions below; the page's screenshots show them.
"""

from pathlib import Path
from typing import Any

from contracts.answer import Answer, Citation, DocumentView, Passage, Provenance, Statement, Timings

SAMPLE = Path(__file__).parents[2] / "evals" / "datasets" / "sample" / "r1"
SOURCE = "sample"
RUN = "run-2026-11-22"
LIMITS, TRAVEL, EXPENSES, WARRANTY = (
    "handbook/travel-limits.md",
    "handbook/travel.md",
    "handbook/expenses.md",
    "support/warranty.md",
)
SUMMER = "| Port Ellery | 118 | June to August | Harbour Master's House |"
WINTER = "| Port Ellery | 98 | September to May | Harbour Master's House |"
CONTROLLER = "| Sluice 8 controller | 48 months | form CF-12 | 84 months |"
BOOK = "Book trains, flights and hotels in Pathlight, which pays centrally and knows the limits."
RECEIPT = "A receipt is needed for everything above €10."
RATS = "rats. We are sorry. See the steel sleeve."
PROVENANCE = Provenance(
    request_id="01JD9Q4XW7",
    ingestion_runs=[RUN],
    index="faultline-5d0c1e7a9b3f2468",
    embedder="1b2c3d4e5f607182",
    model="scripted",
    model_manifest="a1b2c3d4e5f60718",
    endpoint="http://127.0.0.1:8000",
    application_build="0.1.0+replay",
    bundle="77c1e0d9a2b34f56",
    sampling={"temperature": 0.0, "max_tokens": 256},
)


def text_of(path: str) -> str:
    return (SAMPLE / path).read_text(encoding="utf-8")


def view(path: str) -> DocumentView:
    text = text_of(path)
    title = text.partition("\n")[0].lstrip("# ")
    return DocumentView(
        document_id=f"{SOURCE}/{path}",
        version="9f2b6a0c4d1e",
        title=title,
        path=path,
        source=SOURCE,
        format="markdown",
        text=text,
    )


def section(path: str, quote: str) -> Passage:
    """The section of the document that holds the quotation."""
    found = view(path)
    at = found.text.index(quote)
    start = found.text.rindex("\n## ", 0, at) + 1 if "\n## " in found.text[:at] else 0
    end = found.text.find("\n## ", at)
    text = found.text[start : None if end < 0 else end].strip()
    place = found.model_dump(include={"document_id", "version", "title", "path", "source"})
    return Passage(
        **place,
        chunk_id=f"{path}@{start}",
        headings=[text.partition("\n")[0].lstrip("# ")],
        text=text,
        start=start,
        end=start + len(text),
        score=0.5,
        run_id=RUN,
    )


def citation(number: int, path: str, quote: str) -> Citation:
    found = section(path, quote)
    start = text_of(path).index(quote)
    place = found.model_dump(include={"chunk_id", "document_id", "version", "title", "path"})
    return Citation(**place, number=number, start=start, end=start + len(quote), quote=quote)


def answer(text: str, *quotes: tuple[str, str], **changes: Any) -> Answer:
    """An answer that cites the quotations, [1] the first."""
    fields = {
        "request_id": "01JD9Q4XW7",
        "status": "answered",
        "text": text,
        "evidence": 0.88,
        "citations": [citation(n, *quote) for n, quote in enumerate(quotes, start=1)],
        "passages": list({p.chunk_id: p for p in (section(*quote) for quote in quotes)}.values()),
        "provenance": PROVENANCE,
        "timings": Timings(embed_ms=8.4, search_ms=5.1, first_token_ms=420, total_ms=1930),
    }
    return Answer.model_validate(fields | changes)


def statement(text: str, support: str = "supported", *citations: int) -> Statement:
    return Statement.model_validate({"text": text, "support": support, "citations": citations})


THREE_SOURCES = "What may a hotel in Port Ellery cost in July, and how do I book it?"
FOLLOW_UP = "And in December?"
TABLE = "Show me the travel limits of each tier"
UNSUPPORTED = "Does the warranty of a Sluice 8 cover damage by rats?"
ABSTAINED = "What is the capital of Australia?"
DEGRADED = "How long is the warranty on a Sluice 8?"
SAMPLE_ANSWERS = {
    THREE_SOURCES: answer(
        "Up to **€118 per night**: that is the limit from June to August, and the contract hotel is"
        " the *Harbour Master's House* [1].\n\n- Book it in Pathlight, which pays centrally and"
        " knows the limits [2].\n- Keep the receipt: one is needed for everything above €10 [3].",
        (LIMITS, SUMMER),
        (TRAVEL, BOOK),
        (EXPENSES, RECEIPT),
    ),
    FOLLOW_UP: answer(
        "**€98 per night** from September to May [1].",
        (LIMITS, WINTER),
        question="What may a hotel in Port Ellery cost in December?",
        provenance=PROVENANCE.model_copy(update={"rewriting": "model"}),
    ),
    TABLE: answer(
        "All amounts are in euro, tax included [1].\n\n"
        "| Tier | Hotel per night | Daily allowance | Taxi per trip |\n| --- | --- | --- | --- |\n"
        "| A | 165 | 52 | 40 |\n| B | 130 | 46 | 35 |\n| C | 105 | 39 | 30 |\n| D | 190 | 61 | 45 |"
        "\n\nA day trip of less than eight hours has no allowance [2].",
        (LIMITS, "| A | 165 | 52 | 34 | 40 |\n| B | 130 | 46 | 30 | 35 |\n"
         "| C | 105 | 39 | 26 | 30 |\n| D | 190 | 61 | 41 | 45 |"),
        (LIMITS, "A day trip of less than eight hours has no allowance."),
    ),
    UNSUPPORTED: answer(
        "No, the warranty **excludes** rats [1]. Customers of the Critical plan are exempt from"
        " this rule.\nThe warranty on the controller lasts 60 months.",
        (WARRANTY, RATS),
        statements=[
            statement("No, the warranty **excludes** rats", "supported", 1),
            statement("Customers of the Critical plan are exempt from this rule.", "unsupported"),
            statement("The warranty on the controller lasts 60 months.", "contradicted"),
        ],
    ),
    ABSTAINED: answer(
        "I could not find an answer to that in the documents.",
        status="abstained",
        evidence=0.04,
        reason="No passage supports an answer: the best evidence is 4%, below the bar of 35%.",
        passages=[section(EXPENSES, RECEIPT), section(TRAVEL, BOOK)],
    ),
    DEGRADED: answer(
        "The model is not available; these passages match the question best."
        " “Sluice 8 controller | 48 months | form CF-12 | 84 months” [1]",
        (WARRANTY, CONTROLLER),
        status="degraded",
        evidence=0.81,
        reason="The chat model did not reply within 10 s.",
    ),
}  # fmt: skip
