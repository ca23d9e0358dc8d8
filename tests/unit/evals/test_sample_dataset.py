"""The sample corpus and its golden set: the labels are true of the committed documents.

Documents are read with the standard library, so the labels are proved wherever pytest runs. Three
tests ask for more and are skipped without it: jsonschema, the dev environment's reportlab and
python-docx, and the ingestion environment's parsers.
"""

import importlib.util
import json
import re
import unicodedata
import zipfile
from collections import Counter
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

SAMPLE = Path(__file__).parents[3] / "evals/datasets/sample"
REVISIONS = ("r1", "r2")
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (SAMPLE / "golden.jsonl").read_text("utf-8").splitlines()
]
GOLD = [
    pytest.param(revision, question["gold"][revision], id=f"{question['id']}-{revision}")
    for question in QUESTIONS
    for revision in REVISIONS
]

_WORD = re.compile(r"\w+(?:(?<=\d)[.,:/-](?=\d)\w+)*")


def as_words(text: str) -> str:
    """The words of a text with one space around each, as `evals.suite.labels` compares them."""
    return f" {' '.join(_WORD.findall(unicodedata.normalize('NFKC', text).casefold()))} "


class Page(HTMLParser):
    """The text of a page, without its scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.text.append(data)


def html_text(raw: bytes) -> str:
    page = Page()
    page.feed(raw.decode())
    return " ".join(page.text)


def pdf_text(raw: bytes) -> str:
    """The strings that build.py's uncompressed pages show, in order."""
    shown = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", raw)
    octal = re.compile(rb"\\([0-7]{3})")
    plain = [octal.sub(lambda code: bytes([int(code[1], 8)]), string) for string in shown]
    return re.sub(r"\\(.)", r"\1", b" ".join(plain).decode("cp1252", "replace"))


def docx_text(path: Path) -> str:
    with zipfile.ZipFile(path) as package:
        body = ElementTree.fromstring(package.read("word/document.xml"))
    paragraphs = (part for part in body.iter() if part.tag.endswith("}p"))
    return "\n".join("".join(paragraph.itertext()) for paragraph in paragraphs)


def text_of(path: Path) -> str:
    match path.suffix:
        case ".html":
            return html_text(path.read_bytes())
        case ".pdf":
            return pdf_text(path.read_bytes())
        case ".docx":
            return docx_text(path)
        case _:
            return path.read_text("utf-8")


def files(revision: str) -> dict[str, Path]:
    folder = SAMPLE / revision
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


@cache
def corpus(revision: str) -> dict[str, str]:
    return {name: as_words(text_of(path)) for name, path in files(revision).items()}


def evidence(gold: dict[str, Any]) -> list[dict[str, str]]:
    return [*gold["documents"], *gold.get("superseded", [])]


def test_eighty_questions_divide_as_the_readme_says() -> None:
    assert Counter(question["kind"] for question in QUESTIONS) == {
        "fact": 25,
        "table": 12,
        "conflict": 5,
        "edit": 3,
        "temporal": 15,
        "unanswerable": 20,
    }
    assert len({question["id"] for question in QUESTIONS}) == 80
    assert len({question["question"] for question in QUESTIONS}) == 80


def test_the_answer_changes_in_the_temporal_questions_and_in_no_others() -> None:
    changed = {
        question["id"]
        for question in QUESTIONS
        if question["gold"]["r1"]["answer"] != question["gold"]["r2"]["answer"]
    }
    assert changed == {question["id"] for question in QUESTIONS if question["kind"] == "temporal"}


def test_unanswerable_questions_have_no_answer_in_any_revision() -> None:
    never = {
        question["id"]
        for question in QUESTIONS
        if not any(gold["answerable"] for gold in question["gold"].values())
    }
    assert never == {question["id"] for question in QUESTIONS if question["kind"] == "unanswerable"}


def test_edit_questions_keep_their_answer_while_their_sentence_changes() -> None:
    for question in QUESTIONS:
        if question["kind"] == "edit":
            for label in question["gold"]["r1"]["documents"]:
                assert as_words(label["span"]) not in corpus("r2")[label["path"]]


def test_conflict_questions_name_the_older_page_that_is_wrong() -> None:
    for question in QUESTIONS:
        gold = question["gold"]["r1"]
        if question["kind"] == "conflict":
            values = [gold["answer"], *gold["accept"]]
            for label in gold["superseded"]:
                assert not any(as_words(value) in as_words(label["span"]) for value in values)


@pytest.mark.parametrize(("revision", "gold"), GOLD)
def test_every_span_stands_in_its_document(revision: str, gold: dict[str, Any]) -> None:
    for label in evidence(gold):
        assert as_words(label["span"]) in corpus(revision)[label["path"]]


@pytest.mark.parametrize(("revision", "gold"), GOLD)
def test_every_answer_stands_in_each_of_its_spans(revision: str, gold: dict[str, Any]) -> None:
    values = [gold["answer"], *gold["accept"]]
    for label in gold["documents"]:
        assert any(as_words(value) in as_words(label["span"]) for value in values), label


@pytest.mark.parametrize(("revision", "gold"), GOLD)
def test_absent_terms_stand_in_no_document(revision: str, gold: dict[str, Any]) -> None:
    for term in gold.get("absent_terms", []):
        holders = [name for name, text in corpus(revision).items() if as_words(term) in text]
        assert holders == []


def test_questions_do_not_copy_their_evidence() -> None:
    for question in QUESTIONS:
        for gold in question["gold"].values():
            for label in gold["documents"]:
                assert as_words(label["span"]) not in as_words(question["question"])


def test_changes_agree_with_the_hashes_of_the_files() -> None:
    hashes = {
        f"{revision}/{name}": sha256(path.read_bytes()).hexdigest()
        for revision in REVISIONS
        for name, path in files(revision).items()
    }
    rows = [json.loads(line) for line in (SAMPLE / "changes.jsonl").read_text().splitlines()]
    named = [path for row in rows for path in (row["old_path"], row["new_path"]) if path]
    assert sorted(named) == sorted(hashes)
    for row in rows:
        old, new = row["old_path"], row["new_path"]
        same_path = bool(old and new) and old.removeprefix("r1/") == new.removeprefix("r2/")
        same_bytes = bool(old and new) and hashes[old] == hashes[new]
        assert (same_path, same_bytes) == {
            "unchanged": (True, True),
            "modified": (True, False),
            "moved": (False, True),
        }.get(row["op"], (False, False)), row
        assert (row["op"] == "added") == (old is None)
        assert (row["op"] == "deleted") == (new is None)


def test_no_document_is_large() -> None:
    assert all(
        path.stat().st_size < 100_000 for revision in REVISIONS for path in files(revision).values()
    )


def test_every_question_fits_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((SAMPLE / "golden.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert [list(validator.iter_errors(question)) for question in QUESTIONS] == [[]] * 80


def load_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sample_build", SAMPLE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    return build


def test_build_reproduces_the_committed_documents(tmp_path: Path) -> None:
    pytest.importorskip("reportlab")
    pytest.importorskip("docx")
    build = load_build()
    build.render(tmp_path)
    rendered = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert len(rendered) == 20
    for name in rendered:
        if name.suffix == ".pdf":
            assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes()
        else:  # what is in the archive, as zlib's bytes differ between its builds
            with zipfile.ZipFile(tmp_path / name) as new, zipfile.ZipFile(SAMPLE / name) as old:
                assert {part: new.read(part) for part in new.namelist()} == {
                    part: old.read(part) for part in old.namelist()
                }
    committed = (SAMPLE / "changes.jsonl").read_text().splitlines()
    assert build.changes() == [json.loads(line) for line in committed]


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_span_survives_the_extraction_of_ingestion(revision: str) -> None:
    extraction = pytest.importorskip("ingestion.parse")
    texts = {
        name: as_words(extraction.parse(path.read_bytes(), extraction.format_of(name), name).text)
        for name, path in files(revision).items()
    }
    lost = [
        (question["id"], label)
        for question in QUESTIONS
        for label in evidence(question["gold"][revision])
        if as_words(label["span"]) not in texts[label["path"]]
    ]
    assert lost == []
