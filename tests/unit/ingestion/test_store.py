"""The store's errors: each says where, and what to do next."""

import pytest
from httpx import Headers
from qdrant_client.http.exceptions import UnexpectedResponse

from ingestion.errors import IngestionError, Refused, Unavailable
from ingestion.index.store import aliases, connect, translated


def test_a_store_that_does_not_answer_is_named_by_its_address() -> None:
    client = connect("http://127.0.0.1:9", None, 1)
    with pytest.raises(Unavailable, match=r"at http://127\.0\.0\.1:9/ does not answer"):
        aliases(client)


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (401, Refused, "set INGESTION_QDRANT_API_KEY to its key"),
        (403, Refused, "this key may only read"),
        (404, Refused, "INGESTION_QDRANT_URL names something else"),
        (507, Refused, "its disk is full; free some space"),
        (503, Unavailable, "is not ready: 503"),
        (400, Refused, "refused a request: 400"),
    ],
)
def test_a_refusal_says_what_to_do_and_what_the_store_said(
    status: int, kind: type[IngestionError], says: str
) -> None:
    with pytest.raises(kind, match=says) as raised, translated():
        raise UnexpectedResponse(status, "reason", b"its own words", Headers())
    assert "its own words" in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"status": {"error": "Wrong input: x"}, "time": 0.1}', ": 400 Wrong input: x"),
        (b'{"status": "error"}', ': 400 {"status": "error"}'),
        (b"<html>\n  <p>Not\n  here", ": 400 <html> <p>Not here"),
    ],
)
def test_what_the_store_said_is_told_without_its_envelope(content: bytes, said: str) -> None:
    with pytest.raises(Refused) as raised, translated():
        raise UnexpectedResponse(400, "reason", content, Headers())
    assert str(raised.value).endswith(said)


@pytest.mark.parametrize(("seconds", "whole"), [(0.5, 1), (1, 1), (1.2, 2), (120, 120)])
def test_a_timeout_of_part_of_a_second_is_not_none(seconds: float, whole: int) -> None:
    client = connect("http://127.0.0.1:1", None, seconds)
    assert client._client._timeout == whole  # type: ignore[attr-defined]
    client.close()
