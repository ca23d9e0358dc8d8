"""A format is one file and one line, and the README's example of it works."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ingestion import parsers
from ingestion.parsers import FORMAT_OF_TYPE, NAMES, PLAIN_TEXT, REGISTRY, Format, format_of
from ingestion.sources.http import _format
from ingestion.sources.settings import DocumentContract

README = Path(__file__).parents[3] / "ingestion/README.md"


def example() -> tuple[str, Any]:
    """The README's module and line."""
    section = README.read_text().partition("To add a format")[2]
    module, line = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[:2]
    return module, eval(line.strip().rstrip(","), {"Format": Format})


def test_the_example_of_a_new_format_is_one_file_and_one_line(
    monkeypatch: pytest.MonkeyPatch, world: Any
) -> None:
    code, line = example()
    module = ModuleType("ingestion.parsers.ini")
    exec(code, module.__dict__)
    monkeypatch.setitem(sys.modules, "ingestion.parsers.ini", module)
    monkeypatch.setitem(parsers.FORMATS, line.suffixes[0], line.name)
    world.write("limits.ini", "[Pump]\npressure = 40 bar\n")

    report = world.sync()

    assert report.outcomes == {"limits.ini": "added"}
    assert world.visible_texts() == {"## Pump\n\npressure: 40 bar"}
    assert world.manifests()["limits.ini"]["title"] == "limits"


@pytest.mark.parametrize("format", REGISTRY, ids=lambda format: format.name)
def test_every_format_has_a_module_and_is_known_by_suffix_type_and_contract(format: Format) -> None:
    module = importlib.import_module(f"ingestion.parsers.{format.name}")

    assert callable(module.parse)
    assert DocumentContract(formats=(format.name,)).formats == (format.name,)
    assert (format.name in PLAIN_TEXT) == format.is_plain_text
    for suffix in format.suffixes:
        assert format_of(f"a/B{suffix.upper()}") == format.name
        for media_type in format.media_types:
            assert _format(f"{media_type}; charset=utf-8", f"host/a{suffix}") == format.name


def test_no_suffix_or_media_type_is_two_formats() -> None:
    assert len(FORMAT_OF_TYPE) == sum(len(format.media_types) for format in REGISTRY)
    assert len(parsers.FORMATS) == sum(len(format.suffixes) for format in REGISTRY)
    assert len(set(NAMES)) == len(NAMES)


def test_a_contract_names_the_formats_that_there_are() -> None:
    with pytest.raises(ValueError, match="Input should be one of markdown, html, pdf"):
        DocumentContract(formats=("dance",))


def test_sources_load_no_parser() -> None:
    code = (
        "import sys, ingestion.sources.folder, ingestion.sources.http, ingestion.sources.git\n"
        "print({'mammoth', 'pypdfium2', 'openpyxl', 'pptx', 'docutils', 'bs4'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_notes_of_a_parser_are_in_the_manifest_and_in_the_report(world: Any) -> None:
    world.write("fees.md", "The fee is 40 euros.\n\n<!-- internal: 900 -->\n")

    report = world.sync()

    assert world.manifests()["fees.md"]["notes"] == ["hidden parts left out: 1"]
    assert "fees.md: hidden parts left out: 1" in report.notes


def test_many_notes_are_counted_in_the_report(world: Any) -> None:
    for number in range(23):
        world.write(f"{number}.md", f"The fee is {number} euros.\n\n<!-- internal -->\n")

    notes = world.sync().notes

    assert sum("hidden parts" in note for note in notes) == 20
    assert "3 more such notes are in the manifests" in notes
