"""A cycle over scripted layers, and a watcher over scripted cycles."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.fakes.scripted_layers import Layers

from evals.settings import Settings
from evals.suite.ports import Each
from evals.watch import cycle as module
from evals.watch import watcher
from evals.watch.accepted import Accepted
from evals.watch.cycle import Cycles, Seen, empty
from evals.watch.model import Probe
from evals.watch.watcher import Watcher


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, in_order: Each) -> Layers:
    urls = {"application_url": "http://live", "reference_url": "http://ref"}
    made = Layers(Settings(**urls, canaries=tmp_path), in_order)  # type: ignore[arg-type]  # str

    def asked_as_users(_: Settings, probes: Sequence[Probe], each: object) -> list[Any]:
        made.as_users |= {probe.id for probe in probes}
        answer = None if made.users_get is None else SimpleNamespace(text=made.users_get)
        return [(probe, answer) for probe in probes]

    monkeypatch.setattr(module, "Sources", lambda command, index: made.sources)
    monkeypatch.setattr(module, "Models", lambda settings: made.models)
    monkeypatch.setattr(Cycles, "status", lambda _, url: made.statuses[url])
    monkeypatch.setattr(module.qdrant, "content", lambda _, index: made.indexes[index])
    monkeypatch.setattr(module.models, "differences", lambda *_: ["Another template."])
    monkeypatch.setattr(module, "ask_cells", made.ask_cells)
    monkeypatch.setattr(module, "asked_as_users", asked_as_users)
    return made


@pytest.fixture
def raises() -> Callable[[Exception], Callable[..., None]]:
    """A layer that ends every call in an error."""

    def build(error: Exception) -> Callable[..., None]:
        def called(*_: object, **__: object) -> None:
            raise error

        return called

    return build


@pytest.fixture
def watched(layers: Layers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """A watcher whose cycles are scripted; its own `accept()` puts a first baseline there."""
    settings = Settings(state_dir=tmp_path / "state", codeowners=tmp_path / "none")
    accepted = layers.accepted()
    scores = {probe.id: 1.0 for probe in layers.probes}
    probes = accepted.probes.model_copy(update={"baseline": scores})
    made = SimpleNamespace(
        settings=settings,
        accepted=accepted.model_copy(update={"probes": probes}),
        now=list(layers.probes),
        replies=layers.replied(),
        error=None,
        changes=[],
        told=[],
        ran=[],
        turns=[],
        dropped=[],
        status=layers.status,
        pinned=layers.content(),
        live=layers.content(),
        hooks=[],
    )

    def is_its_turn() -> bool:
        with (settings.state_dir / "watch.lock").open() as other:
            try:
                flock(other, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def accept(*_: object) -> Accepted:
        made.turns.append(is_its_turn())
        return made.accepted

    def run(accepted: Accepted) -> Seen:
        made.turns.append(is_its_turn())
        number = len(made.ran)
        made.ran.append(accepted)
        at = accepted.at + timedelta(hours=number)
        seen = empty(f"2026112{number}T160000Z", at, made.error).model_copy(
            update={"replies": [] if made.error else made.replies, "changes": made.changes}
        )
        if made.error:
            return Seen(seen, [])
        return Seen(seen, layers.probes, made.pinned, made.live, accepted.facts)

    cycles = SimpleNamespace(run=run, status=lambda url: made.status)
    webhook = SimpleNamespace(tell=lambda card: made.told.append(card.verdict.status))
    monkeypatch.setattr(watcher, "Cycles", lambda settings, each: cycles)
    monkeypatch.setattr(watcher, "Webhook", lambda *given: made.hooks.append(given) or webhook)
    monkeypatch.setattr(watcher, "candidates", lambda settings: made.now)
    monkeypatch.setattr(watcher, "accept", accept)
    monkeypatch.setattr(watcher, "drop_older", lambda settings, pins: made.dropped.append(pins))
    made.watcher = Watcher(settings, layers.each)
    return made
