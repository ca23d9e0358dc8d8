"""The webhook hears of each change of verdict once; Prometheus' rules fire when they should."""

import json
import logging
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from tests.fakes.layers_app import card_of, cycle, verdict

from evals.watch.alerts import Webhook, summary

RULES = Path(__file__).parents[4] / "infra" / "prometheus"
OK = card_of(cycle(()), verdict("OK"))
FAULT = card_of(cycle(), verdict("FAULT", "application"))
DOUBLE = card_of(cycle(), verdict("FAULT", "data", "application"))
TURNED = card_of(cycle(), verdict("FAULT", "application", "data"))


class Receiver:
    """An endpoint that keeps what it is sent, and answers as told."""

    def __init__(self, *statuses: int) -> None:
        self.bodies: list[dict[str, object]] = []
        self.waits: list[float] = []
        self._statuses = list(statuses)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.content))
        status = self._statuses.pop(0) if self._statuses else 200
        if status == 0:
            raise httpx.ConnectError("refused by http://hook/secret")
        return httpx.Response(status)

    def webhook(self, last=None, page_url=""):
        transport = httpx.MockTransport(self)
        return Webhook("http://hook/secret", last, page_url, transport, self.waits.append)


def test_a_real_server_gets_the_card_as_json():
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            got.append((self.headers["Content-Type"], json.loads(self.rfile.read(length))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert Webhook(f"http://127.0.0.1:{server.server_port}/hook").tell(FAULT)
        thread.join()
    ((media_type, body),) = got
    assert media_type == "application/json"
    assert body["text"].startswith("FAULT: The application broke 50%")
    assert body["layers"] == ["application"]
    assert body["owners"] == {"application": "@faultline/product"}
    assert body["reverts"][0]["command"] == "application bundle rollback"


def test_each_change_is_told_once_and_not_every_cycle():
    receiver = Receiver()
    webhook = receiver.webhook()
    told = [webhook.tell(card) for card in (OK, OK, FAULT, FAULT, DOUBLE, TURNED, OK, OK)]
    assert told == [False, False, True, False, True, False, True, False]
    assert [body["status"] for body in receiver.bodies] == ["FAULT", "FAULT", "OK"]


def test_a_restarted_watcher_does_not_repeat_what_the_ledger_had():
    receiver = Receiver()
    assert not receiver.webhook(last=FAULT.verdict).tell(FAULT)
    assert receiver.bodies == []


def test_without_an_address_nothing_is_sent():
    receiver = Receiver()
    nowhere = Webhook("", transport=httpx.MockTransport(receiver), wait=receiver.waits.append)
    assert not nowhere.tell(FAULT)
    assert (receiver.bodies, receiver.waits) == ([], [])


def test_a_refused_post_is_tried_thrice_then_again_at_the_next_cycle(caplog):
    receiver = Receiver(500, 503, 0)
    webhook = receiver.webhook()
    with caplog.at_level(logging.WARNING):
        assert not webhook.tell(FAULT)
    assert len(receiver.bodies) == 3
    assert receiver.waits == [0.0, 1.0, 5.0]
    assert "EVALS_WEBHOOK_URL" in caplog.text
    assert "secret" not in caplog.text  # a webhook's address is its key
    assert webhook.tell(FAULT)


@pytest.mark.parametrize("address", ["http://[", "http://host:port", "no address"])
def test_an_address_that_is_none_does_not_stop_the_watcher(address):
    assert not Webhook(address, wait=lambda _: None).tell(FAULT)


def test_the_summary_holds_no_question_answer_or_prompt_and_links_to_the_card():
    body = summary(FAULT, "http://127.0.0.1:8090")
    assert body["url"] == "http://127.0.0.1:8090/history/20261123T160000Z"
    assert "clause" not in json.dumps(body)


@pytest.mark.parametrize(
    "command",
    [
        ["check", "config", "--syntax-only", "prometheus.yml"],
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts.test.yml"],
    ],
)
def test_prometheus_rules_fire_when_they_should(command):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it comes with Debian's package prometheus")
    run = subprocess.run([promtool, *command], cwd=RULES, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
