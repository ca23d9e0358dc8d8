"""Stands where vLLM's app stands behind our middleware: its routes, its state, no model."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse


class FakeEngine:
    """`app` answers as vLLM does; tests change `template`, `weights` or `broken` between calls."""

    def __init__(self, model_path: str, middleware: type, api_key: list[str] | None = None) -> None:
        self.template = "<user>"
        self.weights = -1.0
        self.broken = False
        self.completions = 0
        self.app = FastAPI()
        self.app.state.args = SimpleNamespace(api_key=api_key)
        model_config = SimpleNamespace(
            model=model_path,
            served_model_name=["tiny"],
            dtype="torch.bfloat16",
            max_model_len=4096,
            quantization=None,
            get_diff_sampling_param=lambda: {"temperature": 0.2},
        )
        self.app.state.vllm_config = SimpleNamespace(model_config=model_config)
        self.app.post("/tokenize")(self.tokenize)
        self.app.post("/v1/completions")(self.complete)
        for path in ("/health", "/v1/models", "/ping", "/metrics", "/version"):
            self.app.get(path)(self.ok)
        self.app.post("/v1/chat/completions")(self.ok)
        self.app.add_middleware(middleware)

    async def ok(self) -> dict[str, str]:
        return {"status": "ok"}

    async def tokenize(self, request: Request) -> Mapping[str, Any]:
        body = await request.json()
        text = "".join(f"{self.template}{m['role']}{m['content']}" for m in body["messages"])
        return {"tokens": [ord(character) for character in text]}

    async def complete(self, request: Request) -> JSONResponse:
        if self.broken:
            return JSONResponse({"error": "dead"}, 500)
        self.completions += 1
        body = await request.json()
        tokens = [ord(character) for character in body["prompt"]]
        logprobs = [None] + [{str(token): {"logprob": self.weights}} for token in tokens[1:]]
        choice = {"prompt_token_ids": tokens, "prompt_logprobs": logprobs}
        return JSONResponse({"choices": [choice]})
