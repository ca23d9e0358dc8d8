"""A hosted server's reason is one short line, in whatever form it comes, and gives nothing away."""

import json

import pytest

from serving.reasons import SHOWN, reason_of

DOCUMENT = "The pump in building seven failed on Monday.\nIts bearing was worn."


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": {"message": "batch too large", "type": "x"}}, "batch too large"),
        ({"error": "batch too large"}, "batch too large"),
        ({"message": "batch too large"}, "batch too large"),
        ({"detail": "batch too large"}, "batch too large"),
        ({"detail": [{"loc": ["body"], "msg": "batch too large"}]}, "batch too large"),
        ([{"error": {"code": 400, "message": "batch too large"}}], "batch too large"),
        ({"errors": ["batch too large"]}, "batch too large"),
        ({"error": {"message": "two\r\n lines\x1b[31m\u202e"}}, "two lines [31m"),
        ({"error": None}, ""),
        ({"error": {"code": 7}}, ""),
        ([], ""),
        (7, ""),
    ],
)
def test_the_sentence_is_found_in_every_servers_form(body: object, reason: str) -> None:
    assert reason_of(json.dumps(body).encode()) == reason


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"\xff\xfe", b"{"])
def test_a_page_that_is_no_json_gives_no_reason(body: bytes) -> None:
    assert reason_of(body) == ""


@pytest.mark.parametrize(
    "told",
    [
        "Incorrect API key provided: my-own-key-1234",
        "Incorrect API key provided: sk-abc***wxyz",
        "bad header Bearer abcdef123",
        "cannot reach https://user:pass@inner.example/v1",
        f"cannot embed {DOCUMENT}",
        "cannot embed 'The pump in building seven failed on Monday.'",
        "cannot embed The pump in building",
        "cannot embed its text: bearing was worn. (line 2)",
    ],
)
def test_keys_credentials_and_documents_are_left_out(told: str) -> None:
    reason = reason_of(json.dumps({"error": told}).encode(), "my-own-key-1234", [DOCUMENT])
    for secret in ("my-own-key", "sk-abc", "abcdef123", "user:pass", "pump in", "bearing"):
        assert secret not in reason


def test_a_long_reason_is_cut() -> None:
    assert len(reason_of(json.dumps({"error": "why " * 400}).encode())) <= SHOWN
