"""Built from the seed with the network cut, every override beside it: it starts and answers.

The tests run in the order in which they stand: each leaves the stack well for the next.
"""

import json
import os
import signal
from collections.abc import Iterator

import pytest
from tests.compose.conftest import (
    OFFLINE,
    PORTS,
    SEED,
    Containers,
    docker,
    is_hardened,
    is_right,
    known,
    running,
    until,
)

pytestmark = pytest.mark.compose
OVERRIDES = ("ui", "alerts", "alerts-offline", "scale")
CUT = "tests/compose/cut.yml"
GET = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
PAGES = {
    "the Layers page": "http://watcher:8090/",
    "evidently": "http://evidently:8085/",
    "Prefect": "http://prefect:4200/",
}
QUESTIONS = 12


@pytest.fixture(scope="module")
def stack() -> Iterator[Containers]:
    if not (SEED / "seeded").exists():
        pytest.skip("there is no seed to build from: run `make seed` first")
    files = (*OFFLINE, *(f"infra/compose/{name}.yml" for name in OVERRIDES), CUT)
    with running(Containers(files, from_seed=True)) as stack:
        yield stack


def test_what_an_override_adds_has_no_rights_either_and_reaches_what_the_files_say(stack):
    for service in stack.config()["services"]:
        is_hardened(stack.inspect(service))
    ports = PORTS | {"llm-2": 8000, "router": 8000, "evidently": 8085, "prometheus": 9090}
    assert stack.reached(ports) == stack.reachable(ports)


def get(stack: Containers, url: str) -> str:
    """What the address says to the watcher, which has a way to each."""
    return stack.execute("watcher", "python", "-c", GET, url, check=False).stdout


def test_it_is_built_starts_and_answers(stack):
    until(stack.answers, "an answer")
    networks = json.loads(docker("network", "inspect", *known("network", "ls")).stdout)
    assert all(network["Internal"] for network in networks)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_served(stack, page):
    until(lambda: "<html" in get(stack, PAGES[page]).lower(), page)


def test_prometheus_scrapes_every_layer_and_holds_the_rules(stack):
    def scraped() -> bool:
        told = get(stack, "http://prometheus:9090/api/v1/targets") or "{}"
        targets = json.loads(told).get("data", {}).get("activeTargets", [])
        up = {each["labels"]["job"] for each in targets if each["health"] == "up"}
        return up == {"watcher", "application", "llm", "embedder"}

    until(scraped, "every target is up")
    rules = json.loads(get(stack, "http://prometheus:9090/api/v1/rules"))["data"]["groups"]
    assert all(rule["health"] in ("ok", "unknown") for group in rules for rule in group["rules"])


def test_no_answer_is_lost_while_one_of_two_replicas_is_killed(stack):
    os.kill(stack.inspect("llm-2")["State"]["Pid"], signal.SIGKILL)
    asked = [stack.ask() for _ in range(QUESTIONS)]
    lost = [each for each in asked if not is_right(each)]
    assert not lost, [(each.get("status"), each.get("reason"), each.get("text")) for each in lost]
    until(lambda: stack.healthy("llm-2"), "the replica is healthy again")
    assert stack.answers()
