"""One table for the addresses of servers: every layer reads them by these functions."""

from base64 import b64encode

import pytest

from contracts.urls import (
    authorization,
    openai_base,
    openai_url,
    qdrant_address,
    service_root,
    without_credentials,
)

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("given", "base", "root"),
    [
        ("http://llm:8000", "http://llm:8000/v1", "http://llm:8000"),
        ("http://llm:8000/", "http://llm:8000/v1", "http://llm:8000"),
        ("http://llm:8000/v1", "http://llm:8000/v1", "http://llm:8000"),
        ("http://llm:8000/v1/", "http://llm:8000/v1", "http://llm:8000"),
        ("http://[::1]:8000", "http://[::1]:8000/v1", "http://[::1]:8000"),
        (" https://llm ", "https://llm/v1", "https://llm"),
        ("https://h/v1beta/openai", "https://h/v1beta/openai", "https://h/v1beta/openai"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai", "https://h/v1beta/openai"),
        ("https://h/api/v1", "https://h/api/v1", "https://h/api"),
        ("https://h/openai/v2", "https://h/openai/v2", "https://h/openai/v2"),
        (f"https://bob:{SECRET}@h", "https://h/v1", "https://h"),
        (f"https://bob:{SECRET}@h:9/v1?key={SECRET}#x", "https://h:9/v1", "https://h:9"),
        (f"https://{SECRET}@h/v1", "https://h/v1", "https://h"),
        (f"https://bob:a@b{SECRET}@h/v1", "https://h/v1", "https://h"),
    ],
)
def test_a_path_is_used_as_given_and_a_bare_host_gets_v1(given: str, base: str, root: str) -> None:
    assert (openai_base(given), service_root(given)) == (base, root)
    assert SECRET not in without_credentials(given)


def test_a_query_stays_behind_the_route() -> None:
    given = "https://h/openai/deployments/gpt?api-version=2026-01-01"
    asked = "https://h/openai/deployments/gpt/chat/completions?api-version=2026-01-01"
    assert openai_url(given, "chat/completions") == asked


@pytest.mark.parametrize(
    ("url", "key", "header"),
    [
        ("https://h", None, None),
        ("https://h", "k", "Bearer k"),
        ("https://bob:s3cret@h", None, "Basic " + b64encode(b"bob:s3cret").decode()),
        ("https://bob:p%40ss%3A@h/v1", None, "Basic " + b64encode(b"bob:p@ss:").decode()),
        ("https://token@h", None, "Basic " + b64encode(b"token:").decode()),
        ("https://bob:s3cret@h", "k", "Bearer k"),
    ],
)
def test_credentials_become_a_header(url: str, key: str | None, header: str | None) -> None:
    assert authorization(url, key).get("Authorization") == header


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:6333", ("http://127.0.0.1:6333", 6333)),
        ("http://vectors", ("http://vectors", 6333)),
        ("https://vectors.example.com", ("https://vectors.example.com", 443)),
        ("https://vectors.example.com:6333", ("https://vectors.example.com:6333", 6333)),
        ("https://host.example.com/qdrant/", ("https://host.example.com/qdrant", 443)),
        (f"https://bob:{SECRET}@vectors.example.com", ("https://vectors.example.com", 443)),
    ],
)
def test_qdrant_over_https_is_port_443_unless_the_url_says_otherwise(
    url: str, address: tuple[str, int]
) -> None:
    assert qdrant_address(url) == address
