"""The four cells: every probe asked with the index and the application each live or as accepted."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from contracts.answer import Answer
from evals.clients.application import Application
from evals.clients.qdrant import IndexContent
from evals.errors import Unavailable, Unreachable
from evals.probes.score import in_index, mark
from evals.settings import Settings
from evals.suite.ports import Each
from evals.watch.decide import UNREACHABLE
from evals.watch.model import CELLS, Cell, CellReply, Probe


def ask_cells(
    settings: Settings,
    pinned_index: str,
    probes: Sequence[Probe],
    cycle: str,
    each: Each,
    cells: Sequence[Cell] = CELLS,
) -> list[CellReply]:
    """Each probe in each cell; generations of the cycle that are the same are shared.

    An answer that does not come is a reply with the score 0: users would have none either.
    """
    with ExitStack() as stack:
        clients = {
            cell: stack.enter_context(_client(settings, pinned_index, cell, cycle))
            for cell in cells
        }
        # cell by cell: requests in flight together are different ones, which the model batches
        twins: dict[str, list[Probe]] = {}
        for probe in probes:
            twins.setdefault(probe.question, []).append(probe)
        jobs = [(cell, question) for cell in cells for question in twins]

        def replies(job: tuple[Cell, str]) -> list[CellReply]:
            cell, question = job
            answer, error = _asked(clients[cell], question)
            return [mark(probe, cell, answer, error) for probe in twins[question]]

        label = f"{len(twins)} questions in {len(cells)} cells"
        return [reply for group in each(replies, jobs, label) for reply in group]


def with_ladder(
    replies: Sequence[CellReply], probes: Mapping[str, Probe], contents: Mapping[str, IndexContent]
) -> list[CellReply]:
    """The replies with the first step of the ladder: is the value in the index at all?

    `contents` has the index of a cell by the cell's first digit: "0" pinned, "1" live.
    """
    chunks = {digit: content.indexed() for digit, content in contents.items()}
    held = {
        (probe, digit): in_index(probes[probe], chunks[digit])
        for probe, digit in {(r.probe, r.cell[0]) for r in replies if r.score < 1}
    }
    return [
        reply.model_copy(update={"in_index": held.get((reply.probe, reply.cell[0]))})
        for reply in replies
    ]


def asked_as_users(
    settings: Settings, probes: Sequence[Probe], each: Each
) -> list[tuple[Probe, Answer | None]]:
    """A few probes by the very way of users' questions: no shared generation, the live index."""
    with Application(settings, settings.index) as users:
        return each(lambda probe: (probe, _asked(users, probe.question)[0]), probes, "as users")


def scores(replies: Sequence[CellReply]) -> dict[str, dict[Cell, float]]:
    """Score by probe and cell, of probes that were asked in all their cells."""
    found: dict[str, dict[Cell, float]] = {}
    for reply in replies:
        found.setdefault(reply.probe, {})[reply.cell] = reply.score
    return found


def chat_requests(replies: Sequence[CellReply], cell: Cell) -> dict[str, dict[str, object]]:
    """What the model was sent in a cell, by probe."""
    return {
        reply.probe: json.loads(reply.prompt)
        for reply in replies
        if reply.cell == cell and reply.prompt
    }


def _client(settings: Settings, pinned_index: str, cell: Cell, cycle: str) -> Application:
    return Application(
        settings,
        settings.index if cell[0] == "1" else pinned_index,
        url=settings.application_url if cell[1] == "1" else settings.reference_url,
        cycle=cycle,
    )


def _asked(application: Application, question: str) -> tuple[Answer | None, str | None]:
    try:
        return application.ask(question), None
    except Unreachable as error:
        return None, f"{UNREACHABLE}: {error}"
    except Unavailable as error:
        return None, str(error)
