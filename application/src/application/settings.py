"""Where this process finds the others, and its limits; every name has the prefix APPLICATION_."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from application.bundle import DEFAULT_PROFILE, Profile
from application.quotas import Quota

SECRETS = Path("/run/secrets")  # a file for each, as compose mounts them

PACKAGE = Path(__file__).parent
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")

# What a chat model's server does not take, or does differently.
Quirk = Literal[
    "max_completion_tokens",  # in place of max_tokens
    "no_temperature",
    "no_top_p",
    "no_seed",
    "no_system_role",  # the system's text goes into the first user message
    "no_stream_options",
    "no_logprobs",  # it tells no probabilities; abstention then goes by its words alone
    "starts_thinking",  # its template opens <think>, so its reply only closes it
    "api_key_header",  # the key goes into the header `api-key`
]


def _split_at_commas(value: object) -> object:
    return (
        [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, str)
        else value
    )


Quirks = Annotated[frozenset[Quirk], NoDecode, BeforeValidator(_split_at_commas)]


Url = Annotated[str, Field(repr=False)]  # it may hold a password


class Settings(BaseSettings):
    """Built once and handed down; how to answer is in the bundle instead."""

    model_config = SettingsConfigDict(
        env_prefix="APPLICATION_",
        frozen=True,
        env_ignore_empty=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
        hide_input_in_errors=True,  # it may be a secret
    )

    host: str = "127.0.0.1"
    port: int = 8080
    index: str = "faultline"
    qdrant_url: Url = "http://127.0.0.1:6333"
    qdrant_api_key: SecretStr | None = None
    embed_url: Url = "http://127.0.0.1:8001"
    embed_api_key: SecretStr | None = None
    rerank_url: Url = ""  # of a server with /v1/rerank; empty: the index's order stays
    rerank_api_key: SecretStr | None = None
    rerank_model: str = ""  # empty: the only one there
    rerank_candidates: int = Field(default=30, ge=1)  # passages that it reads for a question
    llm_url: Url = "http://127.0.0.1:8000"  # as given where it has a path, else with /v1
    llm_api_key: SecretStr | None = None
    llm_model: str = "Qwen2.5-Coder-1.5B-Instruct"
    answer_profile: Profile = DEFAULT_PROFILE  # tiny, small or standard; its catalogue entry says
    llm_quirks: Quirks = frozenset()  # a comma list of Quirk
    secondary_llm_url: Url = ""  # asked where the first model fails; empty: nobody is
    secondary_llm_key: SecretStr | None = None
    secondary_llm_model: str = ""
    secondary_llm_quirks: Quirks = frozenset()
    probe_llm_url: Url = ""  # where generations of a probe's cycle go; empty: to llm_url
    state_dir: Path = Path(".state")
    bundle: Path = PACKAGE / "bundle.toml"  # its prompts lie in `prompts/` beside it
    api_keys: Path | None = None  # default: api-keys.jsonl in the state's secrets
    require_keys: bool = True  # may be off on loopback only
    probe_key_sha256: str = ""  # empty: probes are refused
    marker_key: SecretStr | None = None  # default: its own, made in the state's secrets
    log_texts: bool = False  # questions and answers in events; probes always have them
    events_megabytes: int = Field(default=64, ge=1)  # of answers.jsonl, then it is set aside
    deadline_seconds: float = Field(default=30, gt=0)
    chat_source_list: bool = False  # the chat API appends the sources of its `[n]` to the text
    layers_url: Url = ""  # evals' Layers page, linked from the page where set
    max_in_flight: int = Field(default=64, ge=1)  # above it, 503 with Retry-After
    max_in_flight_per_key: int = Field(default=0, ge=0)  # 0: half of max_in_flight; above it, 429
    quota: Quota = (
        "6000/minute"  # requests of one key, unless its own line says otherwise; empty: no
    )
    body_seconds: float = Field(default=10, gt=0)  # for a body to arrive; after it, 408

    @property
    def keys_file(self) -> Path:
        """The file of key digests, one JSON object a line."""
        return self.api_keys or self.state_dir / "secrets" / "api-keys.jsonl"

    @property
    def share_per_key(self) -> int:
        """Requests that one key may have under way."""
        return self.max_in_flight_per_key or max(1, self.max_in_flight // 2)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK_HOSTS
