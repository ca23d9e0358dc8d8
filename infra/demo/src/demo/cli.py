"""Start, look at and stop the stack: `make demo`, `make demo-stop`, `make status`.

demo up --detach        demo status        demo down        demo exec ingestion ingestion status
"""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Annotated

import httpx
import typer
from rich.console import Console

from demo.doctor import findings, port_of
from demo.install import offline
from demo.layout import BY_NAME, ROOT, SEED
from demo.processes import Process, complete, layer_variables, processes, url_of
from demo.settings import Settings, keep_secret, kept_secret, load
from demo.supervise import Supervisor, is_healthy

START_SECONDS = 420  # vLLM's first start on two slow cores, with room
LAYERS = {
    "ingestion": "ingestion",
    "application": "application",
    "serving": "llm",
    "evals": "evals",
}

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
console = Console(highlight=False)


class StartError(Exception):
    """The stack could not start; the message says what to do next."""


@app.command()
def up(
    detach: Annotated[
        bool, typer.Option(envvar="DETACH", help="return when it is healthy")
    ] = False,
) -> None:
    """Start the whole stack, ingest the sample documents, and print the page's URL.

    Without --detach it stays in the foreground, and Ctrl-C stops everything.
    """
    settings = Settings()
    supervisor = Supervisor(settings)
    if supervisor.is_running():
        _fail(
            f"Port {port_of('application')} (application) is taken by this stack, which runs at "
            f"{url_of('application')} already; `make demo-stop` ends it."
        )
    signal.signal(signal.SIGTERM, _interrupt)
    started = time.monotonic()
    try:
        _check_machine()
        settings = _with_hosted_model(settings)
        _prepare(settings)
        _start(settings, supervisor)
        _report(settings, time.monotonic() - started)
        if detach:
            return
        console.print("Ctrl-C stops everything.")
        _watch(supervisor)
    except StartError as error:
        supervisor.stop()
        _fail(str(error))
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it
        console.print("\nStopping ...")
        supervisor.stop()
        console.print("Stopped; nothing is left running.")


@app.command()
def down() -> None:
    """Stop every process of the stack; what it stored stays."""
    stopped = Supervisor(load()).stop()
    console.print("Stopped; nothing is left running." if stopped else "Nothing was running.")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Say which processes run and whether each is healthy. Exit status 1 when one is not."""
    settings = load()
    supervisor = Supervisor(settings)
    if not supervisor.is_running():
        _fail("The stack does not run: `make demo` starts it.")
    states = {state.name: state for state in supervisor.states()}
    rows = []
    for process in processes(settings):
        state = states[process.name]
        health = "healthy" if state.state == "RUNNING" and is_healthy(process) else "not healthy"
        rows.append(
            {"process": process.name, "state": state.state, "health": health, "pid": state.pid}
        )
    if as_json:
        print(json.dumps(rows))
    else:
        for row in rows:
            console.print(
                f"{row['process']:<12} {row['state']:<9} {row['health']:<12} {row['pid']}"
            )
    raise typer.Exit(any(row["health"] != "healthy" for row in rows))


@app.command(context_settings={"ignore_unknown_options": True})
def exec(
    name: Annotated[str, typer.Argument(help="a layer (with a command) or a process")],
    command: Annotated[list[str] | None, typer.Argument()] = None,
) -> None:
    """Become a process of the stack, or run a layer's command with the stack's settings.

    Example: demo exec ingestion ingestion sync ./my-documents
    """
    settings = load()
    if command:
        environment = LAYERS[name]
        program, *arguments = command
        env = complete(environment, layer_variables(settings, name))
    else:
        process = next(p for p in processes(settings) if p.name == name)
        environment = process.environment
        program, *arguments = process.command
        env = complete(environment, process.variables)
    path = str(BY_NAME[environment].command(program))
    os.execve(path, [path, *arguments], env)  # noqa: S606 - no shell is wanted


def _check_machine() -> None:
    bad = [finding for finding in findings() if not finding.ok and not finding.warning]
    if bad:
        lines = [f"{finding.subject} ({finding.detail}): {finding.mend}" for finding in bad]
        raise StartError("\n".join(lines))


def _prepare(settings: Settings) -> None:
    """Make the state folder, and fetch the models that it lacks."""
    try:
        (settings.state_dir / "reports").mkdir(parents=True, exist_ok=True)
        settings.save()
    except OSError as error:
        raise StartError(
            f"{settings.state_dir}: {error.strerror}; set STATE_DIR to another folder."
        ) from error
    if kept_secret(settings, "user") is None:
        keep_secret(settings, "user", _new_user_key(settings))
    environment = "embed" if settings.llm_url else "llm"
    models = ["all-MiniLM-L6-v2"] + ([] if settings.llm_url else [settings.model])
    variables = {"SERVING_MODELS_DIR": str(settings.models)}
    if offline():
        variables |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(SEED / "wheels")}
    env = complete(environment, variables)
    command = [str(BY_NAME[environment].command("serving")), "fetch", *models]
    if subprocess.run(command, env=env, cwd=ROOT).returncode != 0:
        raise StartError("The models could not be fetched; the lines above say why.")


def _new_user_key(settings: Settings) -> str:
    """A key from the application's own command, which keeps only its digest."""
    env = complete("application", {"APPLICATION_STATE_DIR": str(settings.state_dir)})
    command = [str(BY_NAME["application"].command("application")), "keys", "create"]
    return subprocess.run(
        [*command, "--tenant", "default"], env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


def _with_hosted_model(settings: Settings) -> Settings:
    """With LLM_URL alone, the first model that it lists; raises StartError when none answers."""
    if not settings.llm_url or settings.llm_model:
        return settings
    url = f"{settings.llm_url.rstrip('/').removesuffix('/v1')}/v1/models"
    key = {"Authorization": f"Bearer {settings.llm_key}"} if settings.llm_key else {}
    try:
        reply = httpx.get(url, headers=key, timeout=15)
        reply.raise_for_status()
        name = reply.json()["data"][0]["id"]
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        mend = "set LLM_KEY" if status in (401, 403) else "check LLM_URL, or set LLM_MODEL"
        raise StartError(f"{url} answered {status}: {mend}.") from error
    except (httpx.HTTPError, LookupError, ValueError, TypeError) as error:
        raise StartError(f"{url} does not answer as a model server: check LLM_URL.") from error
    return settings.model_copy(update={"llm_model": name})


def _start(settings: Settings, supervisor: Supervisor) -> None:
    every = processes(settings)
    first = [process for process in every if not process.late]
    supervisor.launch(every)
    for process in first:
        supervisor.start(process.name)
    by_name = {process.name: process for process in first}
    stores = [by_name[name] for name in ("vectorstore", "embedder") if name in by_name]
    _wait(supervisor, stores)
    _ingest(settings)  # while vLLM is still warming up
    _wait(supervisor, [process for process in first if process not in stores])
    for process in every:
        if process.late:
            supervisor.start(process.name)


def _wait(supervisor: Supervisor, waiting: list[Process]) -> None:
    """Wait until all are healthy, telling of each as it is."""
    left = list(waiting)
    until = time.monotonic() + START_SECONDS
    while left:
        states = {state.name: state for state in supervisor.states()}
        for process in list(left):
            state = states[process.name]
            if state.state == "FATAL" or time.monotonic() > until:
                raise StartError(_death(supervisor, process, state.detail))
            if is_healthy(process):
                left.remove(process)
                console.print(f"  {process.name:<12} healthy")
        time.sleep(0.3)


def _death(supervisor: Supervisor, process: Process, detail: str) -> str:
    log = supervisor.logs / f"{process.name}.log"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else ""
    return f"{process.name} did not start ({detail}). Its last words ({log}):\n{tail}"


def _ingest(settings: Settings) -> None:
    env = complete("ingestion", layer_variables(settings, "ingestion"))
    env.pop("PREFECT_API_URL", None)  # the server comes later; this first run does not wait for it
    command = [str(BY_NAME["ingestion"].command("ingestion")), "sync"]
    result = subprocess.run([*command, str(settings.sample), "--name", "sample"], env=env, cwd=ROOT)
    if result.returncode not in (0, 3):  # 3: something was quarantined, which the report names
        raise StartError("The sample documents could not be ingested; the lines above say why.")


def _report(settings: Settings, seconds: float) -> None:
    console.print(f"\nThe stack is up after {seconds:.0f} s.")
    key = kept_secret(settings, "user")  # in the fragment, which no server or log ever sees
    console.print(f"  The page        {url_of('application')}/#key={key}", soft_wrap=True)
    if settings.demo == "full":
        console.print(f"  Prefect         {url_of('prefect')}/   (in a few seconds)")
        console.print(f"  evidently       {url_of('evidently')}/   (in a few seconds)")
    try:
        checks = httpx.get(f"{url_of('application')}/health/ready", timeout=10).json()["checks"]
        for name, check in checks.items():
            console.print(
                f"  {name:<15} {'healthy' if check['ok'] else 'NOT healthy'}   {check['detail']}"
            )
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise StartError(f"The application did not say how it is: {error}") from error
    console.print('Ask with: make ask Q="..."')


def _watch(supervisor: Supervisor) -> None:
    """Stay until Ctrl-C, telling of every change of a process's state."""
    known: dict[str, tuple[str, int]] = {}
    while supervisor.is_running():
        for state in supervisor.states():
            now = (state.state, state.pid)
            if state.name in known and known[state.name] != now:
                console.print(f"  {state.name}: {state.state.lower()} ({state.detail})")
            known[state.name] = now
        time.sleep(1)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _fail(message: str) -> None:
    console.print(message, style="bold red")
    raise typer.Exit(1)


if __name__ == "__main__":
    sys.exit(app())
