"""LLM_URL is asked as it is given, and shown without its password."""

import httpx
import pytest

from demo import start
from demo.settings import Settings

TABLE = [
    ("http://llm:8000", "http://llm:8000/v1/models", None),
    ("http://llm:8000/v1/", "http://llm:8000/v1/models", None),
    ("https://h/v1beta/openai", "https://h/v1beta/openai/models", None),
    ("https://bob:s3cret@h/v1", "https://h/v1/models", ("bob", "s3cret")),
]


@pytest.mark.parametrize(("given", "asked", "auth"), TABLE)
@pytest.mark.parametrize("status", [200, 401])
def test_the_address_is_used_as_given_and_shown_without_credentials(
    given: str, asked: str, auth: object, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, object]] = []

    def get(url: str, auth: object = None, **_: object) -> httpx.Response:
        seen.append((url, auth))
        request = httpx.Request("GET", url)
        return httpx.Response(status, json={"data": [{"id": "big"}]}, request=request)

    monkeypatch.setattr(httpx, "get", get)
    settings = Settings(llm_url=given)
    if status == 200:
        assert start.with_hosted_model(settings).llm_model == "big"
    else:
        with pytest.raises(start.StartError, match="set LLM_KEY") as raised:
            start.with_hosted_model(settings)
        assert "s3cret" not in str(raised.value)
    assert seen == [(asked, auth)]
