import io
import os
import re
import zipfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from evals.errors import DatasetError
from evals.probes import canaries
from evals.suite.labels import contains


def contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def text_of(path: str, raw: bytes) -> str:
    if path.endswith(".pdf"):
        shown = b" ".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", raw))
        return re.sub(r"\\(.)", r"\1", shown.decode("cp1252"))
    if path.endswith(".docx"):
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            body = ElementTree.fromstring(package.read("word/document.xml"))
        return " ".join("".join(p.itertext()) for p in body.iter() if p.tag.endswith("}p"))
    if path.endswith(".html"):
        page, seen = HTMLParser(), []
        page.handle_data = seen.append  # type: ignore[method-assign]
        page.feed(raw.decode())
        return " ".join(seen)
    return raw.decode()


def test_each_value_stands_in_its_page_within_its_span(tmp_path: Path) -> None:
    probes = canaries.write(tmp_path)
    for probe in probes:
        for document, span in zip(probe.documents, probe.spans, strict=True):
            path = document.removeprefix("canary/")
            text = text_of(path, (tmp_path / path).read_bytes())
            assert contains(span, probe.values[0])
            assert contains(text, span), document


def test_a_value_stands_in_one_page_only(tmp_path: Path) -> None:
    probes = canaries.write(tmp_path)
    texts = {path: text_of(path, raw) for path, raw in contents(tmp_path).items()}
    for probe in (probe for probe in probes if any(map(str.isdigit, "".join(probe.values)))):
        assert sum(contains(text, probe.values[0]) for text in texts.values()) == 1


def test_the_same_seed_gives_the_same_bytes_and_another_gives_other_values(tmp_path: Path) -> None:
    same = [canaries.write(tmp_path / name) for name in ("a", "b")]
    other = canaries.write(tmp_path / "c", seed=8)
    assert same[0] == same[1]
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    answerable = [(a, b) for a, b in zip(same[0], other, strict=True) if a.values]
    assert sum(a.values == b.values for a, b in answerable) < 3


def test_a_word_document_does_not_depend_on_the_time_of_day(tmp_path: Path) -> None:
    canaries.write(tmp_path)
    with zipfile.ZipFile(tmp_path / "fact/bakery.docx") as package:
        assert {part.date_time for part in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_second_writing_touches_no_file(tmp_path: Path) -> None:
    canaries.write(tmp_path)
    for file in tmp_path.rglob("*"):
        os.utime(file, (1, 1))
    canaries.write(tmp_path)
    assert {file.stat().st_mtime for file in tmp_path.rglob("*") if file.is_file()} == {1}


def test_a_file_that_was_changed_is_put_right_and_a_stray_one_removed(tmp_path: Path) -> None:
    canaries.write(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "fact/observatory.md").write_text("edited")
    (tmp_path / "stray.md").write_text("stray")
    canaries.write(tmp_path)
    assert contents(tmp_path) == before


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.md").write_text("mine")
    with pytest.raises(DatasetError, match="name an empty folder"):
        canaries.write(tmp_path)
    assert contents(tmp_path) == {"thesis.md": b"mine"}


def test_deleted_pages_are_there_before_their_deletion_only(tmp_path: Path) -> None:
    canaries.write(tmp_path, before_deletion=True)
    assert (tmp_path / "deleted/glacier.md").is_file()
    probes = canaries.write(tmp_path)
    assert not any(path.startswith("deleted/") for path in contents(tmp_path))
    deleted = [probe for probe in probes if "deleted" in probe.strata]
    assert len(deleted) >= 5
    assert not any(probe.values or probe.documents for probe in deleted)


def test_the_heartbeat_changes_with_its_value_and_is_no_probe(tmp_path: Path) -> None:
    canaries.write(tmp_path)
    canaries.heartbeat(tmp_path, "20261123T160000Z")
    probes = canaries.write(tmp_path)
    assert "20261123T160000Z" in (tmp_path / canaries.HEARTBEAT).read_text()
    assert not any("heartbeat" in probe.id for probe in probes)


def test_each_kind_and_format_has_enough_probes_to_be_a_stratum(tmp_path: Path) -> None:
    probes = canaries.write(tmp_path)
    sizes = Counter(stratum for probe in probes for stratum in probe.strata)
    assert {s for s in sizes if s.startswith("canary:")} == {
        f"canary:{name}" for name in ("md", "html", "pdf", "docx", "txt")
    }
    assert min(sizes.values()) >= 5
    assert len({probe.id for probe in probes}) == len(probes)
