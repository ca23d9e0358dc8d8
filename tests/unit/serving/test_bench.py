"""`serving bench`: vLLM's own benchmark is run, and its result becomes figures."""

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serving import cli, cli_bench
from serving.bench import LATENCIES, PERCENTILES, Figure, Load, measure, noted
from serving.errors import StartError

LOAD = Load(requests_per_client=4, input_tokens=512, output_tokens=64)
RESULT = {"completed": 32, "failed": 0, "output_throughput": 81.5, "request_throughput": 1.25} | {
    f"p{percentile}_{metric}_ms": 100.0 + percentile
    for metric in LATENCIES
    for percentile in PERCENTILES
}


class Benchmark:
    """Stands where vLLM's process would: it writes a result, and keeps what it was given."""

    def __init__(self, result: dict[str, object] | None, code: int = 0, said: str = "") -> None:
        self.result, self.code, self.said = result, code, said
        self.command: list[str] = []
        self.environment: dict[str, str] = {}

    def __call__(
        self, command: list[str], environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        self.command, self.environment = command, environment
        if self.result is not None:
            folder, name = self.value("--result-dir"), self.value("--result-filename")
            (Path(folder) / name).write_text(json.dumps(self.result))
        return subprocess.CompletedProcess(command, self.code, "", self.said)

    def value(self, flag: str) -> str:
        return self.command[self.command.index(flag) + 1]


def measured(benchmark: Benchmark, url: str = "http://127.0.0.1:8000") -> list[Figure]:
    return measure(url, "k-1234", "m", Path("/models/m"), 8, LOAD, benchmark)


def test_throughput_and_each_percentile_of_each_latency_is_a_figure() -> None:
    figures = {figure.id: figure for figure in measured(Benchmark(RESULT))}
    assert len(figures) == 2 + len(LATENCIES) * len(PERCENTILES)
    first = figures["serving_ttft_p95_ms_8_clients"]
    assert first == Figure(
        "serving_ttft_p95_ms_8_clients", "m, 8 clients: first token, p95, ms", 195, 32
    )
    assert figures["serving_tokens_per_second_8_clients"].value == 81.5


def test_the_key_is_in_the_environment_and_the_load_on_the_command_line() -> None:
    benchmark = Benchmark(RESULT)
    measured(benchmark, "http://127.0.0.1:8000/v1/")
    assert benchmark.environment["OPENAI_API_KEY"] == "k-1234"
    assert "k-1234" not in " ".join(benchmark.command)
    assert benchmark.value("--base-url") == "http://127.0.0.1:8000"
    assert benchmark.value("--num-prompts") == "32"
    assert benchmark.value("--max-concurrency") == "8"
    assert benchmark.value("--random-input-len") == "512"


def test_two_runs_do_not_share_their_prompts() -> None:
    one, other = Benchmark(RESULT), Benchmark(RESULT)
    measured(one)
    measured(other)
    assert one.value("--seed") != other.value("--seed")


@pytest.mark.parametrize(
    ("benchmark", "words"),
    [
        (Benchmark(None, 1, "Traceback\nConnection refused"), "(?s)check that.*Connection refused"),
        (Benchmark(None), "check that `serving llm` runs there"),
        (Benchmark(RESULT | {"failed": 3}), "3 of 32 requests failed with 8 clients"),
        (Benchmark(RESULT | {"completed": 0, "failed": 32}), "32 of 32 requests failed"),
    ],
)
def test_a_run_that_failed_gives_no_figure(benchmark: Benchmark, words: str) -> None:
    with pytest.raises(StartError, match=words):
        measured(benchmark)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"w")
    monkeypatch.setenv("SERVING_LLM_MODEL", str(tmp_path))
    return tmp_path


def test_every_number_of_clients_is_measured_and_noted(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one(url: str, key: str | None, model: str, folder: Path, clients: int, load: Load):  # type: ignore[no-untyped-def]
        return [Figure(f"f{clients}", "w", 1.5, 4)]

    monkeypatch.setattr(cli_bench, "measure", one)
    done = CliRunner().invoke(cli.app, ["bench", "--json", "--note", str(here / "note.json")])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0] == {"id": "f1", "what": "w", "value": 1.5, "n": 4}
    assert "8 clients, 32 requests" in done.stderr
    rows = json.loads((here / "note.json").read_text())
    assert rows == [["f1", "w", 1.5, 4], ["f8", "w", 1.5, 4], ["f32", "w", 1.5, 4]]
    assert noted([]) == "[]\n"


def test_ctrl_c_writes_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> list[Figure]:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_bench, "measure", interrupted)
    note = here / "note.json"
    done = CliRunner().invoke(cli.app, ["bench", "--note", str(note)])
    assert done.exit_code == 130
    assert not note.exists()
