"""Every alert fires in a real Prometheus that scrapes what layers serve; waits are shortened."""

import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest
from tests.fakes.layers_app import card_of, cycle, verdict

from evals.watch.model import Indicator
from evals.web import metrics
from evals.web.state import State

RULES = Path(__file__).parents[4] / "infra" / "prometheus" / "alerts.yml"
BROKEN = Indicator(layer="data", source="contract", what="manifest", detail="d")
SECONDS = 60

pytestmark = pytest.mark.skipif(
    not shutil.which("prometheus"),
    reason="prometheus is not installed: Debian's package has it",
)


def watcher(status, *layers, age=60.0, **changed):
    """What a watcher serves."""
    seen = cycle(**changed)
    state = State(card_of(seen, verdict(status, *layers)), seen, {}, 9, age, 3600.0)
    return lambda: metrics.text(state)


def application():
    """What an application serves whose model fails, is slow, and whose callers are too many."""
    scrapes = count(1)

    def text():
        n = 100 * next(scrapes)
        return (
            f'application_replies_total{{status="503"}} {n}\n'
            f"application_requests_shed_total {n}\n"
            f'application_span_seconds_bucket{{span="first_token",le="5"}} 0\n'
            f'application_span_seconds_bucket{{span="first_token",le="10"}} {n}\n'
            f'application_span_seconds_bucket{{span="first_token",le="+Inf"}} {n}\n'
        )

    return text


@pytest.fixture
def alerts(tmp_path):
    """Names of the alerts that fire in a Prometheus with these targets."""
    servers, prometheus = [], []

    def serve(text):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(text().encode())

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"127.0.0.1:{server.server_port}"

    def start(*texts):
        rules = re.sub(r"for: \d+m", "for: 0s", RULES.read_text()).replace("[10m]", "[5s]")
        (tmp_path / "alerts.yml").write_text(rules)
        targets = json.dumps([serve(text) for text in texts])
        (tmp_path / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            "rule_files: [alerts.yml]\n"
            f"scrape_configs: [{{job_name: faultline, static_configs: [{{targets: {targets}}}]}}]\n"
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [
            "prometheus",
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with (tmp_path / "log").open("w") as log:
            prometheus.append(subprocess.Popen(command, stdout=log, stderr=log))

        def asked(path):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}") as reply:
                    return json.load(reply)["data"]
            except OSError:
                return {"alerts": [], "result": []}

        return asked

    yield start
    for process in prometheus:
        process.terminate()
        process.wait()
    for server in servers:
        server.shutdown()
        server.server_close()


def firing(prometheus):
    told = prometheus("alerts")["alerts"]
    return {each["labels"]["alertname"] for each in told if each["state"] == "firing"}


def until(holds):
    end = time.monotonic() + SECONDS
    while not holds():  # another process decides when
        assert time.monotonic() < end
        time.sleep(0.2)


def test_every_alert_fires_for_what_it_is_made_for_and_they_are_all(alerts):
    broken = watcher("FAULT", "data", indicators=[BROKEN], held=("sample",))
    stale = watcher("UNSURE", lag_seconds={"sample": None})
    late = watcher("NO DATA", age=9000.0)
    wanted = {
        "FaultlineFault",
        "FaultlineUnsure",
        "FaultlineNoData",
        "FaultlineContractBroken",
        "FaultlineStaleSource",
        "FaultlineHeldRun",
        "FaultlineErrorRate",
        "FaultlineSlowFirstToken",
        "FaultlineQueue",
    }
    prometheus = alerts(broken, stale, late, application())
    until(lambda: firing(prometheus) >= wanted)
    assert firing(prometheus) == wanted
    every = set(re.findall(r"alert: (\w+)", RULES.read_text()))
    assert every == wanted | {"FaultlineWatcherGone"}


def test_a_watcher_that_nobody_scrapes_is_missed(alerts):
    prometheus = alerts()
    until(lambda: firing(prometheus) == {"FaultlineWatcherGone"})


def test_a_healthy_stack_fires_nothing(alerts):
    prometheus = alerts(watcher("OK"), lambda: 'application_replies_total{status="200"} 5\n')
    seen = "query?query=count_over_time(faultline_cycle_age_seconds[1m])%3E4"
    until(lambda: prometheus(seen)["result"])
    assert firing(prometheus) == set()
