"""The stack as containers: secrets, start, and what is accepted. Standard library only.

python3 -m demo.compose up               # `make up`: secrets, build, start, a key for a person
python3 -m demo.compose ask "..."        # `make ask CONTAINERS=1 Q="..."`
python3 -m demo.compose accept           # `make accept CONTAINERS=1`: images, bundle, watcher
python3 -m demo.compose accepted llm     # start one service from its accepted image again
python3 -m demo.compose logs | down      # follow what they say; stop and remove them
"""

import argparse
import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from demo.install import offline
from demo.layout import ROOT, SEED
from demo.model_choice import FALLBACK, described, is_folder, problem

FOLDER = ROOT / ".secrets"
GENERATED = ("qdrant", "qdrant-read-only", "embed", "llm", "probe", "marker", "prefect")
GIVEN = {  # a key of a server of yours -> the secret that it is
    "LLM_KEY": "llm",
    "EMBED_KEY": "embed-upstream",
    "QDRANT_API_KEY": "qdrant",
    "QDRANT_READ_ONLY_API_KEY": "qdrant-read-only",
}
BUILT = {  # service -> its image
    "application": "faultline-application",
    "embedder": "faultline-serving-embed",
    "llm": "faultline-serving-llm",
}
GRAFANA = "GRAFANA"  # no variable of a person's: UI=1 asks for it, where it can be had
OVERRIDES = {  # part -> the variables that ask for it
    "offline": ["OFFLINE"],
    "ui": ["UI"],
    "alerts": ["ALERTS"],
    "alerts-offline": ["ALERTS", "OFFLINE"],
    "grafana": [GRAFANA],
    "gpu": ["GPU"],
    "scale": ["SCALE"],
    "own-llm": ["LLM_URL"],
    "own-embed": ["EMBED_URL"],
    "own-qdrant": ["QDRANT_URL"],
}
EXTRAS = ("ui", "alerts", "grafana", "scale")  # what `down` ends, whatever it is told
CONTRADICTIONS = (  # overrides, and what to type instead
    ({"own-llm", "scale"}, "SCALE=1 is two replicas of our own model: leave it or LLM_URL out."),
    ({"own-llm", "gpu"}, "GPU=1 is for our own model: leave it or LLM_URL out."),
    ({"own-model", "scale"}, "SCALE=1 has its models inside: leave it or the folder MODEL out."),
)
COPY = "rm -rf /accepted/* && cp -r /bundle/. /accepted/"


def write_secrets() -> None:
    """A file for each secret that is missing or given, in a folder that only its owner can enter.

    The files themselves are readable, since a container's user is another one than theirs.
    """
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    given = {name: os.environ.get(variable) for variable, name in GIVEN.items()}
    if given["qdrant"] and not given["qdrant-read-only"]:
        given["qdrant-read-only"] = given["qdrant"]
        print(
            "The application gets QDRANT_API_KEY, which may write: set QDRANT_READ_ONLY_API_KEY "
            "to a key of your Qdrant that may only read."
        )
    for name, value in given.items():
        if value:
            (FOLDER / name).unlink(missing_ok=True)
            _write(name, value)
    for name in GENERATED:
        _write(name, secrets.token_urlsafe(24))
    _write("embed-upstream", "")  # most embedders on this machine want none
    _write("probe-sha256", hashlib.sha256(_read("probe").encode()).hexdigest())
    (FOLDER / "qdrant-config").unlink(missing_ok=True)  # a key may have been given since
    keys = f"api_key: {_read('qdrant')}\n  read_only_api_key: {_read('qdrant-read-only')}"
    _write("qdrant-config", f"service:\n  enable_cors: false\n  {keys}\n")


def up(build: bool) -> None:
    """Start everything; the watcher last, since it asks with the key of a person."""
    _check_overrides()
    write_secrets()
    if build:
        _build_from_seed()
    flags = ["--build"] if build else []
    _compose("up", *flags, "--detach", "--wait", "application", "worker")
    user = FOLDER / "user"
    if not (user.exists() and _has_keys()):  # the volumes of its time may have been removed
        user.unlink(missing_ok=True)
        create = ("application", "keys", "create", "--tenant", "default")
        made = _compose("exec", "-T", "application", *create, quiet=True)
        _write("user", made.strip())
        if not _releases():  # a later one has to pass the gate
            # what a rollback goes back to, and an edit is told from
            _compose("exec", "-T", "application", "application", "bundle", "release")
    _compose("up", *flags, "--detach", "--wait", "--remove-orphans")
    port = os.environ.get("APPLICATION_PORT", "8080")
    print(f"The stack is up.\n  The page   http://127.0.0.1:{port}/#key={_read('user')}")
    parts = {Path(file).stem for file in _files()}
    if "ui" in parts:
        port = os.environ.get("PREFECT_PORT", "4200")
        print(f"  Prefect    http://127.0.0.1:{port}/ (its password is in {FOLDER / 'prefect'})")
    if "grafana" in parts:
        port = os.environ.get("GRAFANA_PORT", "3000")
        print(f"  Grafana    http://127.0.0.1:{port}/dashboards")
    print('  Ask        make ask CONTAINERS=1 Q="How many days of annual leave do I get?"')


def choose_model() -> None:
    """Put what MODEL stands for into the variables that the compose files read.

    LLM_MODEL is the name under which it is served, ANSWER_PROFILE what it may be asked,
    LLM_QUIRKS what its requests do differently, and LLM_MEMORY what its container may
    take. What a person has set stays.
    """
    if os.environ.get("LLM_URL"):
        os.environ.setdefault("ANSWER_PROFILE", "standard")
        return
    wanted = os.environ.get("MODEL") or FALLBACK
    if wrong := problem(wanted):
        sys.exit(f"MODEL={wanted}: {wrong}")
    if is_folder(wanted):
        os.environ["MODEL"] = str(Path(wanted).expanduser().resolve())
    model = described(wanted)
    os.environ["LLM_MODEL"] = model.name
    profile = os.environ.get("ANSWER_PROFILE") or model.answer_profile
    os.environ["ANSWER_PROFILE"] = profile or "standard"
    os.environ.setdefault("LLM_QUIRKS", model.quirks)
    need_mb = round(1000 * model.memory_gb(bf16=False))
    if need_mb > 8000 and not os.environ.get("LLM_MEMORY"):  # than the compose file's own limit
        os.environ["LLM_MEMORY"] = f"{need_mb}m"


def _check_overrides() -> None:
    overrides = {Path(file).stem for file in _files()}
    for pair, advice in CONTRADICTIONS:
        if pair <= overrides:
            sys.exit(advice)


def _build_from_seed() -> None:
    """Let the images take wheels and Debian's packages from the seed alone, where one fits."""
    (ROOT / ".seed").mkdir(exist_ok=True)  # their builds mount it, filled or not
    if not offline():
        return
    if SEED != ROOT / ".seed":
        print(f"Images are built from .seed/ only: move {SEED} there, where no network is.")
    elif not any(SEED.glob("debs/*.deb")):
        print("The seed has nothing for images: run `make seed` beside a Docker engine.")
    else:
        print("The images are built from the seed.")
        os.environ |= {"WHEELS": "--no-index --find-links=/seed/wheels", "TORCH_BACKEND": ""}


def _has_keys() -> bool:
    try:
        _compose("exec", "-T", "application", "test", "-s", "/keys/api-keys.jsonl")
    except subprocess.CalledProcessError:
        return False
    return True


def _releases() -> list[object]:
    listing = ("application", "bundle", "list", "--json")
    listed = _compose("exec", "-T", "application", *listing, quiet=True)
    return list(json.loads(listed)["releases"])


def ask(question: str) -> None:
    """Ask the application, with a person's key, which no list of processes shows."""
    os.environ["APPLICATION_KEY"] = _read("user")
    given = ("-e", "APPLICATION_KEY")
    _compose("exec", "-T", *given, "application", "application", "ask", "--", question)


def accept(reason: str | None) -> None:
    """Keep images and bundle as the accepted ones, then let the watcher measure them."""
    project = os.environ.get("COMPOSE_PROJECT_NAME", "faultline")
    for image in BUILT.values():
        _docker("tag", image, f"{image}:accepted")
    _compose(
        "run", "--rm", "--no-deps", "-T", "--volume", f"{project}_accepted:/accepted",
        "--entrypoint", "sh",
        "application", "-c", COPY,
    )  # fmt: skip
    os.environ["ACCEPTED_APPLICATION"] = f"{BUILT['application']}:accepted"
    _compose("up", "--detach", "--wait", "--force-recreate", "--no-deps", "app-ref")
    words = ["--reason", reason] if reason else []
    _compose("exec", "-T", "watcher", "evals", "accept", *words)


def accepted(service: str) -> None:
    """Start a service from its accepted image, with the variables that it has without yours."""
    image = BUILT[service]
    _docker("tag", f"{image}:accepted", image)
    os.environ["LLM_FLAGS"] = ""  # also where .env has yours
    _compose("up", "--detach", "--wait", "--force-recreate", "--no-deps", service)


def logs() -> None:
    """Follow what the containers say, until Ctrl-C."""
    _compose("logs", "--follow")


def down() -> None:
    """Stop and remove the containers of every override; the volumes stay."""
    os.environ["COMPOSE_FILES"] = " ".join(["docker-compose.yml", *map(_part, EXTRAS)])
    _compose("down", "--remove-orphans")


def main() -> None:
    """One of the commands above."""
    parser = argparse.ArgumentParser(prog="demo.compose", description="The stack as containers.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("secrets", help="write those that are missing to .secrets/")
    starts = commands.add_parser("up", help="build and start everything, print a key")
    starts.add_argument("--no-build", action="store_true")
    commands.add_parser("ask", help="ask the application").add_argument("question")
    takes = commands.add_parser("accept", help="what runs now is what answers are held against")
    takes.add_argument("--reason", help="where it is worse than the last")
    restarts = commands.add_parser("accepted", help="start a service from its accepted image")
    restarts.add_argument("service", choices=[*BUILT])
    commands.add_parser("logs", help="follow what the containers say")
    commands.add_parser("down", help="stop and remove the containers; the volumes stay")
    given = parser.parse_args()
    does: dict[str, Callable[[], None]] = {
        "secrets": write_secrets,
        "up": lambda: up(build=not given.no_build),
        "ask": lambda: ask(given.question),
        "accept": lambda: accept(given.reason),
        "accepted": lambda: accepted(given.service),
        "logs": logs,
        "down": down,
    }
    try:
        if given.command not in ("secrets", "down"):  # these need no model
            choose_model()
        does[given.command]()
    except subprocess.CalledProcessError as error:
        sys.exit(f"`{' '.join(error.cmd)}` failed; the lines above say why.")
    except KeyboardInterrupt:
        sys.exit("Stopped; the same command goes on, and `make down` ends what runs.")
    except FileNotFoundError:
        sys.exit("There is no `docker` here: install Docker with Compose v2, or use `make demo`.")


def _compose(*words: str, quiet: bool = False) -> str:
    flags = [flag for file in _files() for flag in ("-f", file)]
    # .env is in our variables already, and one reader of it is enough
    return _docker("compose", "--env-file", os.devnull, *flags, *words, quiet=quiet)


def _part(override: str) -> str:
    return f"infra/compose/{override}.yml"


def _files() -> list[str]:
    """The files of docker compose that the variables ask for."""
    if given := os.environ.get("COMPOSE_FILES"):
        return given.split()
    asked = {name for names in OVERRIDES.values() for name in names if os.environ.get(name)}
    asked.discard(GRAFANA)
    if "UI" in asked and "OFFLINE" not in asked:  # its image can only be pulled
        asked |= {GRAFANA, "ALERTS"}  # it shows what Prometheus has scraped
    chosen = [part for part, names in OVERRIDES.items() if asked.issuperset(names)]
    if not os.environ.get("LLM_URL") and is_folder(os.environ.get("MODEL") or FALLBACK):
        chosen.append("own-model")
    return ["docker-compose.yml", *map(_part, chosen)]


def _docker(*words: str, quiet: bool = False) -> str:
    done = subprocess.run(
        ["docker", *words],  # noqa: S607  # wherever it is installed
        cwd=ROOT,
        check=True,
        text=True,
        stdout=subprocess.PIPE if quiet else None,
    )
    return done.stdout or ""


def _write(name: str, text: str) -> None:
    path = FOLDER / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(text)
        path.chmod(0o444)


def _read(name: str) -> str:
    return (FOLDER / name).read_text()


if __name__ == "__main__":
    main()
