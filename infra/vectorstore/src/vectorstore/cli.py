"""Command line: `vectorstore serve`."""

import socket
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import ValidationError

from vectorstore.app import create_app
from vectorstore.errors import DirectoryUnusable
from vectorstore.settings import Settings
from vectorstore.store import Store

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def main() -> None:
    """Keep vectors on this machine, behind the part of Qdrant's REST API that Faultline uses."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind; VECTORSTORE_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind; VECTORSTORE_PORT.")] = None,
    path: Annotated[Path | None, typer.Option(help="Directory; VECTORSTORE_PATH.")] = None,
) -> None:
    """Serve the collections of one directory until SIGTERM or Ctrl-C.

    \b
    vectorstore serve
    vectorstore serve --path /var/lib/vectors --port 7333
    VECTORSTORE_API_KEY=secret vectorstore serve --host 0.0.0.0

    Further settings come from the environment: VECTORSTORE_API_KEY, VECTORSTORE_READ_ONLY_API_KEY,
    VECTORSTORE_MAX_BODY_MB (32), VECTORSTORE_MIN_FREE_MB (256), VECTORSTORE_FLUSH_SECONDS (5).
    """
    given: dict[str, Any] = {"host": host, "port": port, "path": path}
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
        with socket.create_server((settings.host, settings.port)) as listener:
            app = create_app(settings, Store(settings))
            typer.echo(f"vectorstore: {settings.path} on http://{settings.host}:{settings.port}")
            uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise _stop(f"setting {where}: {problem['msg']}", 2) from error
    except DirectoryUnusable as error:
        raise _stop(str(error), 1) from error
    except OSError as error:
        raise _stop(f"cannot serve: {error.strerror}", 1) from error


def _stop(message: str, code: int) -> typer.Exit:
    typer.echo(f"vectorstore: {message}", err=True)
    return typer.Exit(code)
