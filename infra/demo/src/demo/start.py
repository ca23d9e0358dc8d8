"""What `demo up` does, step by step: check, fetch the models, start the processes, ingest."""

import json
import os
import subprocess
from pathlib import Path

import httpx
from rich.console import Console

from demo.accepted import is_accepted
from demo.doctor import chosen_model, findings
from demo.install import offline, seed_wheels
from demo.layout import BY_NAME, ROOT
from demo.model_choice import is_folder
from demo.processes import complete, layer_variables, processes
from demo.settings import Settings, keep_secret, kept_secret
from demo.supervise import StartError, Supervisor

console = Console(highlight=False, markup=False, soft_wrap=True)


def check_machine() -> None:
    """Raise StartError where the doctor finds something that must be mended."""
    bad = [finding for finding in findings() if not finding.ok and not finding.warning]
    if bad:
        lines = [f"{finding.subject} ({finding.detail}): {finding.mend}" for finding in bad]
        raise StartError("\n".join(lines))


def with_chosen_model(settings: Settings) -> Settings:
    """With the chat model that is served here: MODEL, or the best for this machine, said so."""
    if settings.llm_url:
        profile = settings.answer_profile or "standard"
        return settings.model_copy(update={"answer_profile": profile})
    choice = chosen_model()
    console.print(choice.sentence)
    model = choice.model
    if is_folder(model):  # the stack's processes start in another folder than this command
        model = str(Path(model).expanduser().resolve())
    return settings.model_copy(update={"model": model})


def prepare(settings: Settings) -> Settings:
    """Make the state folder, and fetch the models that it lacks.

    Returns the settings with what the chat model is served as and may be asked. They are kept
    for later commands.
    """
    try:
        (settings.state_dir / "reports").mkdir(parents=True, exist_ok=True)
        settings.canaries.mkdir(exist_ok=True)
        settings.save()
    except OSError as error:
        raise StartError(
            f"{settings.state_dir}: {error.strerror}; set STATE_DIR to another folder."
        ) from error
    if kept_secret(settings, "user") is None:
        keep_secret(settings, "user", _new_user_key(settings))
    embedder = os.environ.get("SERVING_EMBED_MODEL") or "all-MiniLM-L6-v2"
    chat = [settings.model] if settings.model and not settings.llm_url else []
    # Only what is asked of the hub by name reaches it.
    variables = {"HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "0")}
    if offline():
        variables |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": seed_wheels()}
    if _serving(settings, ["fetch", embedder, *chat], variables).wait() != 0:
        raise StartError("The models could not be fetched; the lines above say why.")
    if chat:
        settings = _as_served(settings, chat[0])
        settings.save()
    return settings


def _as_served(settings: Settings, model: str) -> Settings:
    """With the name and the answer profile of `model`, as serving resolves it."""
    asked = _serving(settings, ["models", model, "--json"], {}, stdout=subprocess.PIPE)
    said, _ = asked.communicate()
    if asked.returncode != 0:
        raise StartError("The model could not be found; the lines above say why.")
    entry = json.loads(said)
    profile = settings.answer_profile or entry["answer_profile"]
    quirks = settings.llm_quirks or ",".join(entry["quirks"])
    served = {"llm_model": entry["name"], "answer_profile": profile, "llm_quirks": quirks}
    return settings.model_copy(update=served)


def _serving(
    settings: Settings, words: list[str], variables: dict[str, str], stdout: int | None = None
) -> "_Child":
    """Start a command of the serving layer, which ends cleanly when this one is interrupted."""
    environment = "embed" if settings.llm_url else "llm"
    env = complete(environment, {"SERVING_MODELS_DIR": str(settings.models)} | variables)
    command = [str(BY_NAME[environment].command("serving")), *words]
    return _Child(command, env=env, cwd=ROOT, stdout=stdout, text=True)


class _Child(subprocess.Popen[str]):
    """A child that is told to end, and waited for, where waiting for it is interrupted."""

    def wait(self, timeout: float | None = None) -> int:
        try:
            return super().wait(timeout)
        except KeyboardInterrupt:
            self.terminate()
            super().wait()
            raise


def _new_user_key(settings: Settings) -> str:
    """A key from the application's own command, which keeps only its digest."""
    env = complete("application", {"APPLICATION_STATE_DIR": str(settings.state_dir)})
    command = [str(BY_NAME["application"].command("application")), "keys", "create"]
    return subprocess.run(
        [*command, "--tenant", "default"], env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


def with_hosted_model(settings: Settings) -> Settings:
    """With LLM_URL alone, the first model that it lists; raises StartError when none answers."""
    if not settings.llm_url or settings.llm_model:
        return settings
    given = httpx.URL(settings.llm_url.strip())
    base = given.copy_with(userinfo=b"", query=None, fragment=None)  # fit to be shown
    url = f"{str(base).rstrip('/') if base.path.strip('/') else base.join('/v1')}/models"
    key = {"Authorization": f"Bearer {settings.llm_key}"} if settings.llm_key else {}
    auth = (given.username, given.password) if given.userinfo and not key else None
    try:
        reply = httpx.get(url, headers=key, auth=auth, params=given.params, timeout=15)
        reply.raise_for_status()
        name = reply.json()["data"][0]["id"]
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        mend = "set LLM_KEY" if status in (401, 403) else "check LLM_URL, or set LLM_MODEL"
        raise StartError(f"{url} answered {status}: {mend}.") from error
    except (httpx.HTTPError, LookupError, ValueError, TypeError) as error:
        raise StartError(f"{url} does not answer as a model server: check LLM_URL.") from error
    return settings.model_copy(update={"llm_model": name})


def start(settings: Settings, supervisor: Supervisor) -> None:
    """Start every process in order and ingest the sample; raises StartError."""
    every = processes(settings)
    first = [process for process in every if not process.late]
    supervisor.launch(every)
    for process in first:
        supervisor.start(process.name)
    by_name = {process.name: process for process in first}
    stores = [by_name[name] for name in ("vectorstore", "embedder") if name in by_name]
    supervisor.wait(stores, _tell)
    _ingest(settings)  # while vLLM is still warming up
    supervisor.wait([process for process in first if process not in stores], _tell)
    _release_first(settings)
    for process in every:
        is_due = process.needs is None or process.needs.exists()
        if process.late and is_due and not (process.ends and is_accepted(settings)):
            supervisor.start(process.name)


def _release_first(settings: Settings) -> None:
    """The bundle of a new state folder is its first release, so that an edit is told from it."""
    if not (settings.state_dir / "bundles" / "releases.jsonl").exists():
        env = complete("application", layer_variables(settings, "application"))
        command = [str(BY_NAME["application"].command("application")), "bundle", "release"]
        subprocess.run(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)


def _tell(process: str) -> None:
    console.print(f"  {process:<12} healthy")


def _ingest(settings: Settings) -> None:
    env = complete("ingestion", layer_variables(settings, "ingestion"))
    env.pop("PREFECT_API_URL", None)  # the server comes later; this first run does not wait for it
    command = [str(BY_NAME["ingestion"].command("ingestion")), "sync"]
    result = subprocess.run([*command, str(settings.sample), "--name", "sample"], env=env, cwd=ROOT)
    if result.returncode not in (0, 3, 4):  # 3: something was quarantined; 4: held, the index stays
        raise StartError("The sample documents could not be ingested; the lines above say why.")
