"""Model endpoints: their manifests, and chat requests sent once more (contract 2)."""

import json
import shlex
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from pydantic import SecretStr, ValidationError

from contracts.endpoints import EmbedderManifest, LlmManifest
from contracts.urls import authorization, openai_url, service_root, without_credentials
from evals.errors import Unavailable
from evals.settings import Settings

Manifest = LlmManifest | EmbedderManifest


class Models:
    """The chat model, its replicas and the embedder.

    Raises: Unavailable, from every call.
    """

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._http = httpx.Client(timeout=settings.timeout_seconds, transport=transport)

    @property
    def replicas(self) -> list[str]:
        """Base URLs of the chat model's replicas; the one URL where none are named."""
        return self._settings.llm_replicas or [self._settings.llm_url]

    def llm(self, url: str) -> LlmManifest:
        """The manifest of one replica."""
        manifest: LlmManifest = self._manifest(url, self._settings.llm_api_key, LlmManifest)
        return manifest

    def embedder(self) -> EmbedderManifest:
        """The embedder's manifest."""
        key = self._settings.embed_api_key
        manifest: EmbedderManifest = self._manifest(self._settings.embed_url, key, EmbedderManifest)
        return manifest

    def reply(self, url: str, chat_request: dict[str, Any]) -> str:
        """What a replica replies to a chat request, in one piece."""
        body = {**chat_request, "stream": False}
        body.pop("stream_options", None)
        sent = ("POST", "chat/completions", self._settings.llm_api_key)
        reply = self._request(url, *sent, json=body)
        try:
            return str(reply.json()["choices"][0]["message"]["content"])
        except (ValueError, LookupError, TypeError) as error:
            raise Unavailable(
                f"{without_credentials(url)} did not reply as a chat model does: {error!r}"
            ) from error

    def _manifest(self, url: str, key: SecretStr | None, form: type[Any]) -> Any:
        try:
            return form.model_validate_json(self._request(url, "GET", "/manifest", key).content)
        except ValidationError as error:
            raise Unavailable(
                f"{service_root(url)}/manifest is no manifest of this version: {error}"
            ) from error

    def _request(
        self, url: str, method: str, path: str, key: SecretStr | None, **options: Any
    ) -> httpx.Response:
        """`path` is a route of OpenAI's, e.g. "chat/completions", or our own "/manifest"."""
        target = service_root(url) + path if path.startswith("/") else openai_url(url, path)
        headers = authorization(url, key.get_secret_value() if key else None)
        try:
            reply = self._http.request(method, target, headers=headers, **options)
            return reply.raise_for_status()
        except httpx.HTTPError as error:
            shown = without_credentials(target)
            raise Unavailable(f"{shown} does not answer: {type(error).__name__}") from error


def differences(serving_command: str, before: Manifest, after: Manifest) -> list[str]:
    """What differs, in the words of `serving diff`; empty where it is the same model."""
    with TemporaryDirectory() as folder:
        files = [Path(folder, "before.json"), Path(folder, "after.json")]
        for file, manifest in zip(files, (before, after), strict=True):
            file.write_text(manifest.model_dump_json())
        command = [*shlex.split(serving_command), "diff", *map(str, files), "--json"]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
            said: list[str] = json.loads(done.stdout)
        except (OSError, ValueError) as error:
            raise Unavailable(
                f"`{shlex.join(command)}` did not answer ({error}): set EVALS_SERVING_COMMAND."
            ) from error
    return said
