"""Documents that say the same stay documents of their own, and are counted."""

from typing import Any

from ingestion.operate.console import run_text

WORDS = [f"word{i}" for i in range(300)]


def text(*changed: int) -> str:
    """Three hundred words, a few of them changed."""
    return " ".join(f"other{i}" if i in changed else word for i, word in enumerate(WORDS))


def test_exact_duplicates_are_counted_over_the_whole_source(world: Any) -> None:
    for name in ("a.md", "b.md", "c.txt"):
        world.write(name, text())
    world.write("d.md", " ".join(reversed(WORDS)))
    first = world.sync()
    notes = world.notes

    again = world.sync()

    assert (first.exact_duplicates, first.near_duplicates) == (2, 0)
    assert notes == [
        "2 of the documents written are an exact duplicate of another, e.g. b.md of a.md"
    ]
    assert (again.exact_duplicates, world.notes) == (2, [])  # told once, counted always
    assert "2 documents repeat another's text, 0 of those written nearly do" in run_text(again)
    assert set(world.manifests()) == {"a.md", "b.md", "c.txt", "d.md"}


def test_near_duplicates_are_counted_among_what_a_run_wrote(world: Any) -> None:
    world.write("a.md", text())
    world.write("b.md", text(7, 250))
    world.write("c.md", text(*range(0, 300, 5)))

    report = world.sync()

    assert (report.exact_duplicates, report.near_duplicates) == (0, 1)
    assert world.notes == [
        "1 of the documents written are a near-duplicate of another, e.g. b.md of a.md"
    ]
    world.write("e.md", text(9))
    assert world.sync().near_duplicates == 0  # the texts of the others are not at hand


def test_documents_of_a_word_or_two_are_no_near_duplicates_of_each_other(world: Any) -> None:
    world.write("a.txt", "Yes")
    world.write("b.txt", "No, never")

    report = world.sync()

    assert (report.exact_duplicates, report.near_duplicates) == (0, 0)
    assert "duplicates" not in run_text(report)
