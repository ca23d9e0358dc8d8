"""F6: an index is switched to another collection, again and again, while questions are asked."""

import asyncio
from collections.abc import Callable

import pytest
from qdrant_client import models
from tests.resilience.client import ask, client
from tests.resilience.conftest import LEAVE, Start, World, model

from contracts.index import manifest_alias

INDEX = "switched"
WEEKS = {"switched-a": "26", "switched-b": "52"}
DOCUMENTS = 12


def switch(world: World, store: object, to: str) -> None:
    """Both aliases, in one call."""
    actions = []
    for own, other in ((INDEX, to), (manifest_alias(INDEX), manifest_alias(to))):
        named = {a.alias_name: a.collection_name for a in store.get_aliases().aliases}  # type: ignore[attr-defined]
        create = models.CreateAlias(alias_name=own, collection_name=named.get(other, other))
        if own in named:
            gone = models.DeleteAlias(alias_name=own)
            actions.append(models.DeleteAliasOperation(delete_alias=gone))
        actions.append(models.CreateAliasOperation(create_alias=create))
    store.update_collection_aliases(actions)  # type: ignore[attr-defined]


@pytest.mark.parametrize("switches", [100, pytest.param(1000, marks=pytest.mark.long)])
async def test_while_an_index_is_switched_no_query_fails_and_none_mixes_two_versions(
    world: World, start: Start, switches: int, resilience: Callable[..., None]
) -> None:
    for index, weeks in WEEKS.items():
        texts = {f"leave{n}": f"{LEAVE.format(weeks)} Site {n}." for n in range(DOCUMENTS)}
        assert world.sync(texts, index).status == "complete"
    store = world.client()
    switch(world, store, "switched-a")
    seen: list[set[str]] = []
    failed = 0
    progress, done = asyncio.Semaphore(0), asyncio.Event()

    async def asking(number: int) -> None:
        nonlocal failed
        while not done.is_set():
            if number % 2:
                reply = await http.get("/v1/search", params={"q": "parental leave weeks"})
                ok, body = reply.status_code == 200, reply.json()
            else:
                outcome = await ask(http)
                ok, body = outcome.code == 200, outcome.body
            failed += not ok
            texts = [passage["text"] for passage in body.get("passages", [])]
            failed += ok and not texts
            seen.append({w for w in WEEKS.values() for text in texts if f"{w} weeks" in text})
            progress.release()

    with model() as server:
        application = start(server.url, index=INDEX)
        async with client(application.url) as http:
            askers = [asyncio.create_task(asking(number)) for number in range(4)]
            for number in range(switches):
                to = list(WEEKS)[(number + 1) % 2]
                await asyncio.to_thread(switch, world, store, to)
                await asyncio.wait_for(progress.acquire(), 30)
            done.set()
            await asyncio.gather(*askers)
    mixed = sum(len(weeks) > 1 for weeks in seen)
    resilience("F6_switches", "alias switches under load", switches)
    resilience(
        "F6_failed", "queries beside them that failed or mixed two", failed + mixed, len(seen)
    )
    assert (failed, mixed) == (0, 0)
    assert set.union(*seen) == set(WEEKS.values())  # both were read
    assert application.tracebacks == 0
