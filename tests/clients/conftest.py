"""One light stack for all clients; its chat model is the perfect reader of the sample."""

from collections.abc import Iterator

import pytest
from tests.clients.light_stack import SAMPLE, VENVS, LightStack, light_stack
from tests.fakes.perfect_reader import known, reply


@pytest.fixture(scope="session")
def faultline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightStack]:
    missing = [n for n in ("application", "ingestion", "vectorstore") if not (VENVS / n).exists()]
    if missing:
        pytest.skip(f"no environment for {', '.join(missing)}: run `make install`")
    questions = known([SAMPLE / "golden.jsonl"], "r2")
    with light_stack(
        tmp_path_factory.mktemp("light"), lambda body: reply(body["messages"], questions)
    ) as stack:
        yield stack
