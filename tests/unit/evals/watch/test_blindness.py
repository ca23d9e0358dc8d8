"""The watcher cannot know which fault is in: it opens no file of the drills and names none."""

import ast
import sys
from pathlib import Path

import pytest
from tests.fakes.scored_cycles import faulty, until_decided

import evals.watch.cycle
from evals.watch.accepted import Accepted
from evals.watch.model import Card, Cycle, Probe, Verdict

PACKAGE = Path(evals.watch.cycle.__file__).parents[1]
ITS_OWN = ("watch", "probes", "suite", "clients", "web")
opened: list[str] | None = None


def _hook(event, arguments):
    if event == "open" and opened is not None:
        opened.append(str(arguments[0]))


sys.addaudithook(_hook)


def texts(tree):
    """Every string of a module that is no docstring."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
    ]


def test_no_part_of_the_watcher_names_a_path_of_the_drills():
    for folder in ITS_OWN:
        for path in (PACKAGE / folder).glob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert not [text for text in texts(tree) if "drill" in text.lower()], path.name


@pytest.mark.parametrize("peeks", [False, True])
def test_a_cycle_that_opened_the_fault_that_is_in_would_be_caught(layers, tmp_path, peeks):
    global opened
    now = tmp_path / "drill" / "now.json"
    now.parent.mkdir()
    now.write_text("{}")
    status = layers.sources.status
    if peeks:
        layers.sources.status = lambda: (now.read_text(), status())[1]
    opened = []
    try:
        assert layers.cycle().cycle.error is None
        read = [path for path in opened if "drill" in Path(path).parts]
    finally:
        opened = None
    assert bool(read) == peeks


@pytest.mark.parametrize("kind", [Cycle, Probe, Verdict, Card, Accepted])
def test_nothing_that_the_watcher_passes_on_has_a_place_for_a_label(kind):
    assert not {"drill", "fault", "label", "injected"} & {*kind.model_fields}


def test_a_verdict_depends_on_replies_only_not_on_what_a_cycle_is_called():
    named, _ = until_decided(faulty(data=range(20)))
    cycle = faulty(data=range(20)).model_copy(update={"id": "serving-drill-serving"})
    assert until_decided(cycle)[0].layers == named.layers == ("data",)
