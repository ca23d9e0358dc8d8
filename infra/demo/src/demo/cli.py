"""Start, look at and stop the stack: `make demo`, `make demo-stop`, `make status`.

demo up --detach        demo status        demo down        demo exec ingestion ingestion status
demo restart llm --set SERVING_LLM_FLAGS="--max-model-len 256"       demo overrides
"""

import json
import os
import signal
import sys
import time
import xmlrpc.client
from typing import Annotated, NoReturn

import httpx
import typer

from demo.accepted import first_baseline, is_accepted, launched, pin, sources, unpin
from demo.crashes import GIVEN_UP, GIVEN_UP_STATES, SENTENCE, may_start
from demo.doctor import port_of
from demo.layout import BY_NAME
from demo.processes import Process, complete, layer_variables, processes, url_of
from demo.settings import Settings, kept_secret, load, override, overrides
from demo.start import check_machine, console, prepare, start, with_chosen_model, with_hosted_model
from demo.supervise import StartError, State, Supervisor, is_healthy

LAYERS = {
    "ingestion": "ingestion",
    "application": "application",
    "serving": "llm",
    "evals": "evals",
}

FULL_KEY = (
    "the application has QDRANT_API_KEY, which may write: set QDRANT_READ_ONLY_API_KEY to a key "
    "of your Qdrant that may only read."
)

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


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
        check_machine()
        settings = prepare(with_chosen_model(with_hosted_model(settings)))
        start(settings, supervisor)
        _report(settings, time.monotonic() - started)
        if detach:
            return
        console.print("Ctrl-C stops everything.")
        _watch(settings, supervisor)
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
    supervisor = _running(settings)
    states = {state.name: state for state in supervisor.states()}
    rows = []
    for process in processes(settings):
        if process.ends:
            continue
        state = states.get(process.name)  # a stack that was started by an older version lacks some
        if state is None or (process.needs and not process.needs.exists()):
            continue
        health = "healthy" if state.state == "RUNNING" and is_healthy(process) else "not healthy"
        changed = sorted(overrides(settings).get(process.name, {}))
        row = {"process": process.name, "state": state.state, "health": health, "pid": state.pid}
        row["given_up"] = state.state in GIVEN_UP_STATES
        rows.append(row | {"overrides": changed})
        if not as_json:
            mark = f"  changed: {', '.join(changed)}" if changed else ""
            console.print(f"{process.name:<12} {state.state:<9} {health:<12} {state.pid}{mark}")
            if row["given_up"]:
                console.print(f"{'':<12} {SENTENCE.format(name=process.name)}")
    if as_json:
        print(json.dumps(rows))
    elif said := _baseline(settings, states.get("accept")):
        console.print(said)
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
        if os.environ.get("SUPERVISOR_ENABLED") and not may_start(settings, name):
            print(f"{name}: {SENTENCE.format(name=name)}", file=sys.stderr)
            sys.exit(GIVEN_UP)
        process = _process(settings, name)
        environment = process.environment
        program, *arguments = process.command
        env = complete(environment, process.variables | overrides(settings).get(name, {}))
    path = str(BY_NAME[environment].command(program))
    os.execve(path, [path, *arguments], env)  # noqa: S606 - no shell is wanted


@app.command()
def restart(
    name: Annotated[str, typer.Argument(help="a process, as `demo status` names it")],
    put: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, kept until it is unset")
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option(help="NAME that gets the stack's own value back")
    ] = None,
    accepted: Annotated[
        bool, typer.Option("--accepted", help="launch it as the last `make accept` found it")
    ] = False,
    wait: Annotated[bool, typer.Option(help="return when it is healthy, or at once")] = True,
) -> None:
    """Restart one process, with other variables where given, and wait until it is healthy.

    `application --accepted` runs the accepted build; `--unset PYTHONPATH` goes back to the sources.

    Example: demo restart llm --set SERVING_LLM_FLAGS="--max-model-len 256"
    """
    settings = load()
    supervisor = _running(settings)
    process = _process(settings, name)
    if process.needs and not process.needs.exists():
        _fail(f"{name} runs once there is an accepted build: `demo pin-application` makes one.")
    pairs = [pair.partition("=") for pair in put or []]
    if not all(equals for _, equals, _ in pairs):
        _fail("--set takes NAME=VALUE.")
    changes, drop = {key: value for key, _, value in pairs}, unset or []
    if accepted:
        if changes or drop:
            _fail("--accepted goes alone: it sets and unsets by itself.")
        if not sources(settings).exists():
            _fail("Nothing is accepted yet: run `make accept` on a healthy stack.")
        changes = launched(settings, name)
        drop = [key for key in overrides(settings).get(name, {}) if key not in changes]
    override(settings, name, changes, drop)
    try:
        supervisor.restart(process, wait=wait)
    except StartError as error:
        kept = "".join(f" --unset {key}" for key in overrides(settings).get(name, {}))
        _fail(f"{error}\nIt is stopped: `demo restart {name}{kept}` tries again.")
    console.print(f"{name} is healthy again." if wait else f"{name} starts again.")


@app.command("overrides")
def show_overrides(
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Show what `demo restart --set` changed, by process; `--unset NAME` takes it back.

    Example: demo overrides --json
    """
    kept = overrides(load())
    if as_json:
        print(json.dumps(kept))
        return
    lines = [f"{p:<12} {key}={value}" for p, own in kept.items() for key, value in own.items()]
    print("\n".join(lines) or "Every process runs with the stack's own variables.")


@app.command()
def pin_application(
    undo: Annotated[bool, typer.Option("--undo", help="back to the copy before this one")] = False,
) -> None:
    """Copy the application's build and bundle as they lie now, and run the copy as app-ref.

    `evals accept` calls it, and undoes it if it refuses. Example: demo pin-application
    """
    settings = load()
    if not undo:
        pin(settings)
    elif not unpin(settings):
        _fail("No copy was pinned before this one.")
    supervisor = Supervisor(settings)
    if not supervisor.is_running():
        console.print("The application is pinned; app-ref starts with the stack.")
        return
    try:
        if not sources(settings).exists():  # the first copy was taken back
            supervisor.stop_one("app-ref")
            console.print("No application is pinned any more.")
            return
        supervisor.restart(_process(settings, "app-ref"))
    except (StartError, OSError, xmlrpc.client.Error) as error:  # or the stack is being stopped
        if not undo:
            unpin(settings)
        _fail(str(error))
    console.print(f"The application is pinned; app-ref answers at {url_of('app-ref')}.")


def _baseline(settings: Settings, state: State | None) -> str | None:
    is_running = state is not None and state.state in ("STARTING", "RUNNING")
    return first_baseline(settings, is_running)


def _running(settings: Settings) -> Supervisor:
    supervisor = Supervisor(settings)
    if not supervisor.is_running():
        _fail("The stack does not run: `make demo` starts it.")
    return supervisor


def _process(settings: Settings, name: str) -> Process:
    found = {process.name: process for process in processes(settings)}
    if name not in found:
        _fail(f"No process is called {name!r}: the stack has {', '.join(found)}.")
    return found[name]


def _report(settings: Settings, seconds: float) -> None:
    console.print(f"\nThe stack is up after {seconds:.0f} s.")
    key = kept_secret(settings, "user")  # in the fragment, which no server or log ever sees
    console.print(f"  The page        {url_of('application')}/#key={key}")
    if settings.demo == "full":
        console.print(f"  Layers          {url_of('watcher')}/   (in a few seconds)")
        console.print(f"  Prefect         {url_of('prefect')}/   (in a few seconds)")
        password = settings.state_dir / "secrets" / "prefect"
        console.print(f"                  its password is in {password}")
        console.print(f"  evidently       {url_of('evidently')}/   (in a few seconds)")
    try:
        checks = httpx.get(f"{url_of('application')}/health/ready", timeout=10).json()["checks"]
        for name, check in checks.items():
            console.print(
                f"  {name:<15} {'healthy' if check['ok'] else 'NOT healthy'}   {check['detail']}"
            )
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise StartError(f"The application did not say how it is: {error}") from error
    for process, changed in overrides(settings).items():
        console.print(f"  {process:<15} changed: {', '.join(changed)} (see `demo overrides`)")
    if settings.qdrant_api_key and not settings.qdrant_read_only_api_key:
        console.print(f"  note            {FULL_KEY}")
    if settings.accept and not is_accepted(settings):
        page = " and the Layers page say" if settings.demo == "full" else " says"
        console.print(
            "The first baseline is being taken in the background, at low priority: "
            f"`make status`{page} how far it is."
        )
    console.print('Ask with: make ask Q="..."')


def _watch(settings: Settings, supervisor: Supervisor) -> None:
    """Stay until Ctrl-C, telling of every change of a process's state."""
    known: dict[str, tuple[str, int]] = {}
    while supervisor.is_running():
        for state in supervisor.states():
            now = (state.state, state.pid)
            if state.name in known and known[state.name] != now:
                told = f"  {state.name}: {state.state.lower()} ({state.detail})"
                if state.name == "accept":
                    taken = "The first baseline is taken." if is_accepted(settings) else told
                    told = _baseline(settings, state) or taken
                console.print(told)
            known[state.name] = now
        time.sleep(1)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _fail(message: str) -> NoReturn:
    console.print(message, style="bold red")
    raise typer.Exit(1)


if __name__ == "__main__":
    sys.exit(app())
