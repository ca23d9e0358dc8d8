"""Command line: `vectorstore serve`."""

import os
import socket

import typer
import uvicorn
from pydantic import ValidationError

from vectorstore.app import create_app
from vectorstore.errors import VectorStoreError
from vectorstore.settings import Settings
from vectorstore.store import Store

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def main() -> None:
    """Keep vectors on this machine, behind the part of Qdrant's REST API that Faultline uses."""


@app.command()
def serve() -> None:
    """Serve the collections of one directory until SIGTERM or Ctrl-C.

    \b
    vectorstore serve
    VECTORSTORE_PATH=/var/lib/vectors VECTORSTORE_PORT=7333 vectorstore serve
    VECTORSTORE_HOST=0.0.0.0 VECTORSTORE_API_KEY=secret vectorstore serve

    All settings come from the environment: VECTORSTORE_HOST (127.0.0.1), VECTORSTORE_PORT (6333),
    VECTORSTORE_PATH (.state/vectors), VECTORSTORE_API_KEY, VECTORSTORE_READ_ONLY_API_KEY,
    VECTORSTORE_MAX_BODY_MB (32), VECTORSTORE_MIN_FREE_MB (256), VECTORSTORE_STRICT (false).
    """
    try:
        settings = Settings()
        with socket.create_server((settings.host, settings.port)) as listener:
            app = create_app(settings, Store(settings))
            typer.echo(f"vectorstore: {settings.path} on http://{settings.host}:{settings.port}")
            uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
    except ValidationError as error:
        [problem, *_] = error.errors()
        setting = "VECTORSTORE_" + "_".join(map(str, problem["loc"])).upper()
        raise _stop(f"{setting.rstrip('_')}: {problem['msg']}", 2) from error
    except VectorStoreError as error:
        raise _stop(str(error), 1) from error
    except OSError as error:
        where, advice = f"{settings.host}:{settings.port}", "choose another VECTORSTORE_PORT"
        if error.filename:
            where, advice = error.filename, "mend that or choose another VECTORSTORE_PATH"
        raise _stop(
            f"{where} cannot be used ({os.strerror(error.errno or 0)}): {advice}", 1
        ) from error


def _stop(message: str, code: int) -> typer.Exit:
    typer.echo(f"vectorstore: {message}", err=True)
    return typer.Exit(code)
