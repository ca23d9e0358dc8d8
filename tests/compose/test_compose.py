"""The stack as containers: it starts, answers, keeps to itself and survives kills.

The tests run in the order in which they stand: each leaves the stack well for the next.
"""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from tests.compose.conftest import (
    OFFLINE,
    PORTS,
    ROOT,
    Containers,
    docker,
    is_hardened,
    running,
    until,
)

pytestmark = pytest.mark.compose
SERVICES = (*PORTS, "worker")


@pytest.fixture(scope="module")
def stack() -> Iterator[Containers]:
    with running(Containers(OFFLINE, from_seed=False)) as stack:
        yield stack


def test_it_starts_ingests_and_answers_with_a_citation(stack):
    until(stack.answers, "an answer")


def test_there_are_eight_services_and_only_the_application_publishes_a_port_on_loopback(stack):
    services = stack.config()["services"]
    assert {*services} == {*SERVICES}
    published = {name: each.get("ports") for name, each in services.items() if each.get("ports")}
    assert [*published] == ["application"]
    assert [port["host_ip"] for port in published["application"]] == ["127.0.0.1"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_has_no_rights_that_it_does_not_need(stack, service):
    is_hardened(stack.inspect(service))


def test_the_applications_image_is_small(stack):
    def size(image: str) -> int:
        return int(json.loads(docker("inspect", image).stdout)[0]["Size"])

    base = os.environ.get("PYTHON_IMAGE", "python:3.11.14-slim-bookworm")
    # with Docker's own image of Python of 130 MB it is under 350; a stand-in may be larger
    assert size("faultline-application") - size(base) < 220e6


def test_no_secret_is_in_an_image_or_in_what_docker_tells(stack):
    names = [path for path in (ROOT / ".secrets").iterdir() if path.name != "qdrant-config"]
    secrets = [
        text for path in names if (text := path.read_text())
    ]  # no key upstream: an empty file
    assert len(secrets) >= 6
    for service in SERVICES:
        container = stack.inspect(service)
        image = docker("history", "--no-trunc", container["Image"]).stdout
        told = json.dumps(container) + docker("inspect", container["Image"]).stdout + image
        assert not [secret for secret in secrets if secret in told], service


def test_the_reachability_of_the_files_is_the_one_observed_from_inside(stack):
    observed = stack.reached(PORTS)
    assert observed == stack.reachable(PORTS)
    assert ("application", "prefect") not in observed
    assert ("llm", "qdrant") not in observed
    assert ("app-ref", "prefect") not in observed


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_killed_comes_back_and_nothing_is_lost(stack, service):
    documents = stack.status()
    before = stack.inspect(service)
    os.kill(before["State"]["Pid"], signal.SIGKILL)  # `docker kill` would count as a stop
    until(lambda: stack.inspect(service)["RestartCount"] > before["RestartCount"], "a restart")
    until(lambda: stack.healthy(service), f"{service} is healthy again")
    until(stack.answers, "an answer")
    assert stack.status() == documents


def test_a_sync_that_a_restart_interrupts_is_not_in_the_way_of_the_next(stack):
    stack.execute("worker", "ingestion", "run", "canary", "--no-wait")
    stack.compose("restart", "--timeout", "1", "worker", "prefect")
    until(lambda: stack.healthy("worker") and stack.healthy("prefect"), "both are healthy")
    report = json.loads(stack.execute("worker", "ingestion", "run", "canary", "--json").stdout)
    assert report["status"] == "complete"
    assert report["flow_run_id"]  # and not without Prefect


def test_without_its_model_the_application_gives_passages_and_says_so(stack):
    stack.compose("stop", "llm")
    answer = stack.ask()
    assert answer["status"] == "degraded"
    assert answer["passages"]
    stack.compose("up", "--detach", "--wait", "llm")
    until(stack.answers, "an answer")


def test_the_whole_stack_survives_a_restart(stack):
    documents = stack.status()
    stack.compose("restart", "--timeout", "20")
    until(lambda: all(stack.healthy(each) for each in SERVICES), "all are healthy")
    until(stack.answers, "an answer")
    assert stack.status() == documents


def test_a_new_image_of_one_layer_leaves_the_others_running(stack):
    others = [each for each in SERVICES if each != "application"]
    before = {each: stack.inspect(each)["State"]["StartedAt"] for each in others}
    old = stack.inspect("application")["Image"]
    container = stack.inspect("application")["Id"]
    docker("commit", "--change", "LABEL new=1", container, "faultline-application")
    stack.compose("up", "--detach", "--wait", "--no-deps", "application")
    assert stack.inspect("application")["Image"] != old
    assert {each: stack.inspect(each)["State"]["StartedAt"] for each in others} == before
    until(stack.answers, "an answer")


def test_a_fault_in_the_application_is_named_and_its_card_heals_it(stack):
    stack.make("accept")

    def watched(status: str) -> dict[str, Any]:
        """The first card with that status; one reply that differs may cost a cycle."""
        for _ in range(6):
            done = stack.execute("watcher", "evals", "watch", "--once", "--json", check=False)
            card = dict(json.loads(done.stdout))
            if card["verdict"]["status"] == status:
                break
        assert card["verdict"]["status"] == status, card["title"]
        return card

    watched("OK")
    sed = ("sed", "-i", "s/^top_k = .*/top_k = 1/", "/bundle/bundle.toml")
    stack.execute("application", *sed)
    card = watched("FAULT")
    assert card["verdict"]["layers"] == ["application"], card["title"]
    command = card["reverts"][0]["command"]
    assert command == "docker compose exec application application bundle rollback"
    stack.execute("application", "application", "bundle", "rollback")
    watched("OK")
