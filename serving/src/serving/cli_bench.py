"""The command `serving bench`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from serving.bench import Load, measure, noted
from serving.catalog import find_model
from serving.settings import Settings


def bench(
    url: Annotated[
        str | None, typer.Option(help="The server's base URL; default: SERVING_LLM_HOST and _PORT.")
    ] = None,
    clients: Annotated[
        list[int] | None, typer.Option(min=1, help="Clients that ask at once. [default: 1, 8, 32]")
    ] = None,
    requests_per_client: Annotated[int, typer.Option(min=1, help="For each client.")] = 4,
    input_tokens: Annotated[int, typer.Option(min=1, help="Of each prompt.")] = 512,
    output_tokens: Annotated[int, typer.Option(min=2, help="Of each reply.")] = 64,
    note: Annotated[
        Path | None, typer.Option(help="A file for the figures, which `make bench-serving` reads.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list of figures.")] = False,
) -> None:
    """Measure the running chat model of SERVING_LLM_MODEL by vLLM's own benchmark.

    It needs the llm environment, and the key of the server in SERVING_LLM_API_KEY. Prompts are
    random, so the prefix cache does not help. Ctrl-C stops it, and nothing is written then.

    Examples:

      serving bench

      serving bench --clients 1 --clients 8 --requests-per-client 8 --json

      serving bench --url http://127.0.0.1:8000 --input-tokens 1500 --output-tokens 128
    """
    settings = Settings()
    entry = find_model(settings.catalog, settings.llm_model, "llm")
    folder = Path(entry.location(settings.models_dir))
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
    where = url or f"http://{settings.llm_host}:{settings.llm_port}"
    load = Load(requests_per_client, input_tokens, output_tokens)
    figures = []
    try:
        for number in clients or [1, 8, 32]:
            typer.echo(f"{number} clients, {number * requests_per_client} requests ...", err=True)
            figures += measure(where, key, entry.name, folder, number, load)
    except KeyboardInterrupt:
        typer.echo("Stopped; nothing was written.", err=True)
        raise typer.Exit(130) from None
    if note:
        note.write_text(noted(figures))
    if as_json:
        typer.echo(json.dumps([asdict(figure) for figure in figures], indent=1))
        return
    for figure in figures:
        typer.echo(f"{figure.what:<70} {figure.value:>12,.2f}")
