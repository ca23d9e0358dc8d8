"""The commands: `application serve`, `ask`, `mcp`, `keys ...`, `bundle ...` and `calibrate`."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from pydantic import ValidationError

from application import calibrate as calibration
from application import client
from application.bootstrap import create_app
from application.bundle import load_bundle
from application.cli_bundle import bundle
from application.cli_keys import keys
from application.cli_support import support
from application.doors.mcp_server import mcp_server
from application.errors import ApplicationError, Misconfigured
from application.server import OPTIONS
from application.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)
app.add_typer(keys, name="keys")
app.add_typer(bundle, name="bundle")
app.command()(support)

Url = Annotated[str, typer.Option(envvar="APPLICATION_URL", help="Where the application serves.")]
Key = Annotated[str, typer.Option(envvar="APPLICATION_KEY", help="An API key, where it asks one.")]
LOCAL = "http://127.0.0.1:8080"


@app.command(epilog="Example: APPLICATION_PORT=8090 application serve")
def serve() -> None:
    """Serve the API and the page; settings come from APPLICATION_ variables."""
    try:
        settings = Settings()
        load_bundle(settings.bundle, settings.answer_profile)
        application = create_app(settings)
    except (Misconfigured, ValidationError) as error:
        raise _failed(error, code=2) from error
    uvicorn.run(application, host=settings.host, port=settings.port, **OPTIONS)


@app.command(epilog='Example: application ask "How long is parental leave?"')
def ask(
    question: str,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Annotated[bool, typer.Option("--json", help="The whole answer as JSON.")] = False,
) -> None:
    """Ask a question: the answer as it comes, its sources below, and what gave it."""

    def show(piece: str) -> None:
        if not as_json:
            print(piece, end="", flush=True)

    try:
        answer = asyncio.run(client.ask(url, key, question, show))
    except ApplicationError as error:
        raise _failed(error) from error
    print(answer.model_dump_json(indent=2) if as_json else client.footer(answer))


@app.command(epilog="Example: APPLICATION_KEY=fl_... application mcp")
def mcp(url: Url = LOCAL, key: Key = "") -> None:
    """Serve MCP on stdio: `search`, `ask` and `read_document` of a running application."""
    library = client.RemoteLibrary(url, key)
    mcp_server(lambda _: library).run("stdio")


@app.command(epilog="Example: application calibrate application/calibration/questions.jsonl")
def calibrate(
    questions: Annotated[
        Path, typer.Argument(help='Lines of {"question", "answerable"}, and "index" if not live.')
    ],
) -> None:
    """Fit the evidence model on labelled questions and print it for bundle.toml."""
    rows = [json.loads(line) for line in questions.read_text().splitlines() if line.strip()]
    try:
        settings = Settings()
        observed = asyncio.run(calibration.observe(settings, rows))
    except ApplicationError as error:
        raise _failed(error) from error
    names = calibration.fitted_features(settings)
    labels = [bool(row["answerable"]) for row in rows]
    print(calibration.fit(observed, labels, names).as_toml())


def _failed(error: Exception, code: int = 1) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(code)
