"""The Layers page as its server sends it: what it shows, and what it never shows as OK."""

import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.fakes.layers_app import AT, LENGTH, FakeLedger, card_of, cycle, ledger_of, verdict

from evals.watch.first import First
from evals.watch.model import LAYERS, Card
from evals.web import app as web
from evals.web.app import create_app
from evals.web.state import current, duration

RULES = Path(__file__).parents[4] / "infra" / "prometheus" / "alerts.yml"
HOUR = 3600.0


async def get(ledger, path, minutes=4.0, host="127.0.0.1", **known):
    app = create_app(
        ledger,
        **known,
        interval_seconds=HOUR,
        application_url="http://127.0.0.1:8080/?a=1&b=2",
        clock=lambda: AT + timedelta(minutes=minutes),
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}:8090") as client:
        return await client.get(path)


def shown(page):
    """State of every box, as it is written."""
    return re.findall(r'<section class="box" data-state="([^"]+)"', page)


async def test_the_page_shows_the_card_its_switches_and_three_boxes():
    page = (await get(ledger_of("fault"), "/")).text
    assert shown(page) == ["OK", "OK", "FAULT"]
    for part in (
        "The application broke 50% of the answers to table probes since 14:00 UTC",
        "✗ wrong",
        "+0.50 [0.31, 0.72]",
        "application bundle rollback",
        "0.1.0+d01c1f51c5a4",
        "5 min before the cycle",
        "embedder of the index, chunk payload",
        '<a href="/history/20261123T150000Z">',
        'href="http://127.0.0.1:8080/?a=1&amp;b=2">Ask</a>',
    ):
        assert part in page


@pytest.mark.parametrize("path", ["/", "/api/verdict", "/metrics"])
@pytest.mark.parametrize(
    ("ledger", "minutes"),
    [
        (FakeLedger(), 0.0),
        (ledger_of("ok"), 121.0),  # two intervals and a minute
        (ledger_of("nodata"), 4.0),
        (FakeLedger([(cycle((), error="gone"), card_of(cycle(()), verdict("OK")))]), 4.0),
        (FakeLedger([(cycle((), at=AT), ledger_of("ok").entries[0][1])]), 4.0),
    ],
    ids=["never ran", "stale", "unreachable", "OK of a cycle without data", "OK of another cycle"],
)
async def test_no_data_is_never_shown_as_ok(ledger, minutes, path):
    reply = (await get(ledger, path, minutes)).text
    before_history = reply.partition('<ol class="history">')[0]
    assert "NO DATA" in before_history
    assert not re.search(r'state="OK"|"status":"OK"|status="OK"} 1|✓', before_history)


async def test_a_stack_whose_first_baseline_is_being_taken_says_so_and_not_no_data():
    said = "The first baseline is being taken: 12 of about 300 questions."
    ledger = FakeLedger(told=First(sentence=said))
    page = (await get(ledger, "/")).text
    assert f"<h1>{said}</h1>" in page
    assert page.count(">STARTING<") == 4
    assert "NO DATA" not in re.sub('data-state="NO DATA"', "", page)
    assert "<title>STARTING" in page
    assert said in (await get(ledger, "/api/verdict")).text
    assert 'status="NO DATA"} 1' in (await get(ledger, "/metrics")).text


async def test_a_first_baseline_that_failed_is_no_data_with_what_to_do_next():
    said = "The first baseline could not be taken. It was sick. `make accept` tries again."
    page = (await get(FakeLedger(told=First(sentence=said, failed=True)), "/")).text
    assert f"<h1>{said}</h1>" in page
    assert page.count(">NO DATA<") == 4


async def test_what_was_said_of_a_first_baseline_hides_no_verdict():
    ledger = FakeLedger(ledger_of("fault").entries, First(sentence="Old.", failed=True))
    page = (await get(ledger, "/")).text
    assert shown(page) == ["OK", "OK", "FAULT"]
    assert "Old." not in page


async def test_what_users_say_is_counted_for_the_version_of_each_layer():
    said = {"application": {"0123456789abcdefgh": {"up": 3, "down": 2}}}
    page = (await get(ledger_of("ok"), "/", feedback=lambda: said)).text
    assert "<dt>0123456789abcdef</dt><dd>3 helpful, 2 not</dd>" in page
    assert page.count("What users say") == 1
    assert "What users say" not in (await get(ledger_of("ok"), "/")).text


async def test_a_fresh_healthy_cycle_is_ok():
    page = (await get(ledger_of("ok"), "/", minutes=119)).text
    assert shown(page) == ["OK"] * 3
    assert "NO HARM SEEN" in page
    assert "NO DATA" not in page


def test_a_doubt_is_every_layers_but_a_fault_is_its_layers_alone():
    unsure = FakeLedger([(cycle(), card_of(cycle(), verdict("UNSURE")))])
    assert {current(unsure, AT, HOUR).of(layer) for layer in LAYERS} == {"UNSURE"}
    double = current(ledger_of("double"), AT, HOUR)
    assert [double.of(layer) for layer in LAYERS] == ["FAULT", "OK", "FAULT"]


async def test_the_verdict_and_the_history_are_served_as_json():
    card = Card.model_validate_json((await get(ledger_of("fault"), "/api/verdict")).content)
    assert card == ledger_of("fault").card()
    history = (await get(ledger_of("fault"), "/api/history")).json()
    assert [row["status"] for row in history] == ["FAULT", "OK"]
    assert (await get(FakeLedger(), "/health")).json() == {"status": "live"}


async def test_a_cycles_card_has_both_prompts_and_an_unknown_cycle_says_so():
    page = (await get(ledger_of("fault"), "/history/20261123T160000Z")).text
    assert "system: Answer from the passages. Briefly." in page
    missing = await get(ledger_of("fault"), "/history/%3Cscript%3E")
    assert missing.status_code == 404
    assert "<script" not in missing.text


@pytest.mark.parametrize("path", ["/", "/history/20261123T160000Z"])
async def test_texts_are_escaped_and_the_policy_allows_no_script_at_all(path):
    page = await get(ledger_of("fault"), path)
    assert "&lt;script&gt;window.ran = 1&lt;/script&gt;" in page.text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:[^w]", page.text)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'self'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/verdict", "/static/layers.css"])
async def test_every_reply_has_the_headers(path):
    headers = (await get(ledger_of("ok"), path)).headers
    assert {name: headers[name] for name in web.HEADERS} == web.HEADERS


async def test_only_loopback_names_are_answered():
    assert (await get(ledger_of("ok"), "/", host="localhost")).status_code == 200
    assert (await get(ledger_of("ok"), "/", host="rebound.example")).status_code == 400


async def test_the_page_loads_again_each_minute_unless_it_is_held():
    assert 'http-equiv="refresh" content="60"' in (await get(ledger_of("ok"), "/")).text
    assert "http-equiv" not in (await get(ledger_of("ok"), "/?still")).text


async def test_metrics_tell_one_status_a_layer_and_every_age():
    text = (await get(ledger_of("fault"), "/metrics")).text
    for line in (
        'faultline_verdict{layer="application",status="FAULT"} 1',
        'faultline_verdict{layer="data",status="FAULT"} 0',
        'faultline_share{layer="application"} 0.5',
        'faultline_indicators{layer="application",source="drift"} 1',
        'faultline_lag_seconds{source="sample"} 310',
        'faultline_held{source="sample"} 0',
        "faultline_cycle_age_seconds 240",
        "faultline_interval_seconds 3600",
        "faultline_cycles_total 2",
    ):
        assert f"{line}\n" in text
    assert len(re.findall(r"^faultline_verdict\{.*} 1$", text, re.M)) == len(LAYERS)


async def test_a_source_of_which_a_run_is_held_is_marked():
    ledger = FakeLedger([(cycle((), held=("sample",)), card_of(cycle(()), verdict("OK")))])
    text = (await get(ledger, "/metrics")).text
    assert 'faultline_held{source="sample"} 1\n' in text
    assert 'faultline_held{source="canary"} 0\n' in text


async def test_what_is_not_known_is_infinite_and_a_hostile_name_stays_a_label():
    lags = {'a"} 0\nfaultline_verdict{x="': None}
    ledger = FakeLedger([(cycle((), lag_seconds=lags), card_of(cycle(()), verdict("OK")))])
    text = (await get(ledger, "/metrics")).text
    assert r'faultline_lag_seconds{source="a\"} 0\nfaultline_verdict{x=\""} +Inf' in text
    assert "faultline_cycle_age_seconds +Inf" in (await get(FakeLedger(), "/metrics")).text


async def test_every_metric_of_the_alert_rules_exists():
    text = (await get(ledger_of("fault"), "/metrics")).text
    for name in set(re.findall(r"faultline_\w+", RULES.read_text())):
        assert f"# TYPE {name} " in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "never"), (90, "90 s"), (600, "10 min"), (7200, "2 h"), (500_000, "6 days")],
)
def test_durations_are_said_in_one_unit(seconds, said):
    assert duration(seconds) == said


def test_without_data_what_failed_in_the_last_cycle_is_still_told():
    ledger = FakeLedger([(cycle((), indicators=[LENGTH]), card_of(cycle(()), verdict("OK")))])
    late = current(ledger, AT + timedelta(hours=3), HOUR)
    assert (late.status, late.indicators) == ("NO DATA", [LENGTH])


async def test_indicators_of_one_source_are_counted():
    told = card_of(cycle((), indicators=[LENGTH, LENGTH]), verdict("OK"))
    text = (await get(FakeLedger([(cycle(()), told)]), "/metrics")).text
    assert 'faultline_indicators{layer="application",source="drift"} 2\n' in text


async def test_drift_that_was_added_to_the_card_after_the_verdict_is_shown_and_counted():
    card = card_of(cycle(()), verdict("OK")).model_copy(update={"indicators": [LENGTH]})
    ledger = FakeLedger([(cycle(()), card)])
    assert "Value Drift for column" in (await get(ledger, "/")).text
    assert 'source="drift"} 1\n' in (await get(ledger, "/metrics")).text
