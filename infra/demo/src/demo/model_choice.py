"""Which chat model the stack serves: what MODEL says, or the best that fits into free memory.

It reads the catalogue's files by itself, since `make doctor` and `make up` run where nothing is
installed. `serving models NAME --json` says the same of a model, and a test compares the two.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from demo.layout import ROOT

DEFAULT = "Qwen2.5-Coder-1.5B-Instruct"
FALLBACK = "SmolLM2-135M-Instruct"
STACK_GB = 2.8  # what everything but the chat model takes, measured, with a fifth to spare
ENGINE_MB = 3600  # of a model's memory: vLLM itself, with a cache of 1 GB


@dataclass(frozen=True)
class Model:
    """What is known of a model before anything is installed; 0 and None mean unknown."""

    name: str  # under which it is served
    memory_mb: int = 0
    disk_mb: int = 0
    answer_profile: str | None = None
    packages: tuple[str, ...] = ()
    hub: str | None = None
    kind: str = "llm"
    quirks: str = ""  # a comma list

    def memory_gb(self, bf16: bool) -> float:
        """Free memory that serving it needs; in float32 the weights take twice as much."""
        weights = max(0, self.memory_mb - ENGINE_MB)
        return (self.memory_mb + (0 if bf16 else weights)) / 1000


@dataclass(frozen=True)
class Choice:
    """The value of MODEL, and the sentence that says why."""

    model: str
    sentence: str


def catalogue(folder: Path | None = None) -> dict[str, Model]:
    """The models of the catalogue's YAML files, by name."""
    folder = folder or Path(os.environ.get("SERVING_CATALOG") or ROOT / "serving" / "catalog")
    found = {}
    for file in sorted(folder.glob("*.yaml")):
        text = re.sub(r"(^|\s)#.*", "", file.read_text())
        fields = dict(re.findall(r"^(\w+): *(\S.*?)\s*$", text, re.M))
        packages = tuple(re.findall(r"\bpackage: *([^,\s}]+)", text))
        found[fields["name"]] = Model(
            fields["name"],
            int(fields.get("memory_mb", 0)),
            int(fields.get("disk_mb", 0)),
            fields.get("answer_profile"),
            packages,
            fields.get("hub"),
            fields.get("kind", "llm"),
            fields.get("quirks", "").strip("[]").replace(" ", ""),
        )
    return found


def is_folder(model: str) -> bool:
    """Whether MODEL names a folder, and not a model of the catalogue or of the hub."""
    looks_like_one = model.startswith(("/", ".", "~")) or Path(model).expanduser().is_dir()
    return looks_like_one and model not in catalogue()


def problem(model: str) -> str | None:
    """What is wrong with a value of MODEL, and what to do; None where it may well be a model."""
    known = catalogue()
    if model in known and known[model].kind == "llm":
        return None
    if is_folder(model):
        folder = Path(model).expanduser().resolve()
        if (folder / "config.json").is_file():
            return None
        return f"{folder} is no model: set MODEL to the folder that holds the model's config.json."
    if re.fullmatch(r"[\w.-]+/[\w.-]+(@\S+)?", model):
        return None
    names = ", ".join(entry.name for entry in known.values() if entry.kind == "llm")
    return f"Set MODEL to one of {names}, to a folder, or to a hub id (Org/Name)."


def described(model: str) -> Model:
    """What is known of the model that a value of MODEL stands for."""
    known = catalogue()
    if model in known:
        return known[model]
    if is_folder(model):
        name = re.sub(r"[^\w.-]", "-", Path(model).expanduser().resolve().name) or "model"
        return Model(name, _memory_of(Path(model).expanduser()))
    hub, _, revision = model.partition("@")
    for entry in known.values():
        if not revision and entry.hub and entry.hub.lower() == hub.lower():
            return entry
    return Model(hub)


def _memory_of(folder: Path) -> int:
    """MB, from the size of the weights as `serving models` computes it."""
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors")) // 10**6
    return round(ENGINE_MB + 1.4 * weights) if weights else 0


def choose(
    wanted: str | None,
    free_gb: float | None,
    disk_gb: float,
    *,
    stack_gb: float = STACK_GB,
    bf16: bool = True,
    kept: str | None = None,
    fetched: bool = False,
) -> Choice:
    """The model to serve, and why, in one line.

    `wanted` is MODEL. `kept` is the model that this stack's accepted answers were measured with,
    and `fetched` says whether the default model's files are here, so that they need no disk.
    """
    if wanted:
        return Choice(wanted, f"Model: {wanted}, since MODEL names it.")
    change = "MODEL=<another> changes it."
    if kept:
        return Choice(kept, f"Model: {kept}, with which this stack was accepted. {change}")
    default = catalogue().get(DEFAULT)
    if default is None:
        return Choice(FALLBACK, f"Model: {FALLBACK}, since the catalogue has no {DEFAULT}.")
    need = round(stack_gb + default.memory_gb(bf16), 1)
    room = 0 if fetched else default.disk_mb / 1000
    if free_gb is None:
        why = f"since this system does not tell how much memory is free ({DEFAULT} needs {need} GB)"
    elif free_gb < need:
        why = f"since {free_gb:.1f} GB of memory are free and {DEFAULT} needs {need} GB"
    elif disk_gb < room:
        why = f"since {disk_gb:.1f} GB of disk are free and fetching {DEFAULT} needs {room:.1f} GB"
    else:
        why = f"since {free_gb:.1f} GB of memory are free and it needs {need} GB"
        return Choice(DEFAULT, f"Model: {DEFAULT}, {why}. {change}")
    return Choice(FALLBACK, f"Model: {FALLBACK}, {why}. {change}")
