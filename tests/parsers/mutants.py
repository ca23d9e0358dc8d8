"""Parsers without one of their rules: each `if` of their code, in turn, is never taken."""

import ast
import importlib
import importlib.abc
import importlib.util
import os
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tests.parsers.rows import Row
from tests.parsers.table import faults

ROOMS = ("parsers", "markup", "pages")
SECONDS = 120  # for one mutant; a rule that ends a loop may be the one that is gone
_NO_RULES = ("parsers/document.py", "parsers/loaded.py", "parsers/package.py")


@dataclass(frozen=True)
class Mutant:
    """A module of ingestion without one `if`."""

    module: str
    line: int
    rule: str
    source: str


def mutants(root: Path) -> Iterator[Mutant]:
    """One for each `if` that has no other use than to limit what is read."""
    files = [path for room in ROOMS for path in sorted((root / room).glob("*.py"))]
    for path in [*files, root / "encodings.py", root / "text.py"]:
        if str(path.relative_to(root)) in _NO_RULES:
            continue
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        module = "ingestion." + ".".join(path.relative_to(root).with_suffix("").parts)
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and not _is_limit(node):
                rule, node.test = node.test, ast.Constant(False)
                yield Mutant(module, node.lineno, ast.unparse(rule), ast.unparse(tree))
                node.test = rule


def _is_limit(node: ast.If) -> bool:
    names = {each.id for each in ast.walk(node.test) if isinstance(each, ast.Name)}
    attributes = {each.attr for each in ast.walk(node.test) if isinstance(each, ast.Attribute)}
    raises = isinstance(node.body[0], ast.Raise)
    return raises or any(name.startswith(("MAX_", "MOST")) for name in names | attributes)


def is_killed(mutant: Mutant, rows: Sequence[Row]) -> bool:
    """Whether a row fails without the rule; it runs in a process of its own, below a time limit."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    status = 1
    try:
        _limit_time()
        status = 1 if _fails(mutant, rows) else 0
    finally:
        os._exit(status)


def _limit_time() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _fails(mutant: Mutant, rows: Sequence[Row]) -> bool:
    for name in [*sys.modules]:
        if name == "ingestion" or name.startswith("ingestion."):
            del sys.modules[name]
    sys.meta_path.insert(0, _Finder(mutant))
    parse = importlib.import_module("ingestion.parse")
    for row in rows:
        try:
            if faults(row, parse.parse, parse.format_of(row[0])):
                return True
        except Exception:  # noqa: BLE001 - a parser that cannot read the file fails the row, too
            return True
    return False


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        if name != self.mutant.module:
            return None
        is_package = name == "ingestion.parsers"
        return importlib.util.spec_from_loader(name, self, is_package=is_package)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.source, module.__name__, "exec"), module.__dict__)
