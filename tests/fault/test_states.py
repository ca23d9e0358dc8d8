"""F14: any sequence of edits, syncs, kills and new chunkers agrees with a dictionary of texts."""

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from qdrant_client import QdrantClient
from tests.unit.ingestion.conftest import World

from ingestion.index.lease import Lease

EXAMPLES, LONG_EXAMPLES = 200, 2000
NAMES = st.sampled_from(["a.md", "b.md", "sub/c.md", "sub/d.txt", "e.txt"])
CALLS = ["upsert", "batch_update_points", "delete", "retrieve"]
WORDS = st.lists(st.sampled_from(["key", "door", "leave", "oven"]), min_size=1, max_size=90)


class Killed(BaseException):
    """What SIGKILL looks like from inside."""


class Machine(RuleBasedStateMachine):
    """Texts by path: in the source, at its last complete sync, and ever since."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        (self.root / "docs").mkdir()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Payload indexes have no effect")
            self.world = World(self.root / "docs", self.root / "state", QdrantClient(":memory:"))
        self.source: dict[str, str] = {}
        self.committed: dict[str, str] = {}
        self.since: dict[str, set[str]] = {}  # texts that a killed run may have committed
        self.killed = False

    def teardown(self) -> None:
        self.world.store.close()
        shutil.rmtree(self.root)

    @rule(name=NAMES, words=WORDS)
    def add_or_edit(self, name: str, words: list[str]) -> None:
        self.source[name] = " ".join([name, *words])
        self.world.write(name, self.source[name])

    @precondition(lambda self: self.source)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.source)))
        del self.source[name]
        (self.world.folder / name).unlink()

    @precondition(lambda self: self.source)
    @rule(data=st.data(), to=NAMES)
    def move(self, data: st.DataObject, to: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.source)))
        if name != to:
            self.world.write(to, self.source[name])
            (self.world.folder / name).unlink()
            self.source[to] = self.source.pop(name)

    @rule(size=st.sampled_from([32, 48]))
    def sync(self, size: int) -> None:
        report = self._sync(size)
        assert report.status == "complete", report.error
        self.committed, self.since, self.killed = dict(self.source), {}, False

    @rule(size=st.sampled_from([32, 48]), nth=st.integers(0, 9), call=st.sampled_from(CALLS))
    def kill(self, size: int, nth: int, call: str) -> None:
        for name, text in self.source.items():
            self.since.setdefault(name, set()).add(text)
        self.killed = True
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(self.world.store, call, dying(getattr(self.world.store, call), nth))
            try:
                self._sync(size)
            except Killed:
                return

    @invariant()
    def readers_see_whole_documents_of_the_source(self) -> None:
        seen = self._visible()
        if not self.killed:
            assert seen == self.committed
        for path, text in seen.items():
            assert text == self.committed.get(path) or text in self.since.get(path, ())

    def _sync(self, size: int) -> Any:
        return self.world.sync(allow_empty=True, chunk_tokens=size, overlap_tokens=8)

    def _visible(self) -> dict[str, str]:
        if not self.world.store.get_aliases().aliases:
            return {}
        chunks = sorted(self.world.chunks().values(), key=lambda chunk: chunk["ordinal"])
        seen = {}
        for path, manifest in self.world.manifests().items():
            text = ""
            for chunk in chunks:
                named = (chunk["document_id"], chunk["version"])
                if named == (manifest["document_id"], manifest["version"]):
                    text += " " * (chunk["start"] - len(text))
                    text += chunk["text"][len(text) - chunk["start"] :]
            seen[path] = text
        return seen


def dying(function: Any, nth: int) -> Any:
    """`function`, that dies after its nth call as a process does."""
    calls = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= nth:
            return function(*args, **kwargs)
        if calls == nth + 1:
            function(*args, **kwargs)
        raise Killed

    return wrapped


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect")
@pytest.mark.parametrize(
    "examples", [EXAMPLES, pytest.param(LONG_EXAMPLES, marks=pytest.mark.long)]
)
def test_any_sequence_agrees_with_a_dictionary_of_texts(
    examples: int, reliability: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lease, "silent_seconds", 0.05)  # who died here is the process that goes on
    checked = settings(
        max_examples=examples,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=checked)
    reliability("F14_examples", "sequences of edits, syncs, kills and new chunkers", examples)
    reliability("F14_violations", "of them that differ from a dictionary", 0, examples)
