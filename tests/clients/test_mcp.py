"""MCP with the SDK's own client, over HTTP and over stdio, against the real application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from tests.clients.light_stack import VENVS, LightStack
from tests.clients.test_openai_clients import QUESTIONS, asked

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
Connect = Callable[[LightStack], AbstractAsyncContextManager[Client]]


@asynccontextmanager
async def over_http(stack: LightStack) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=stack.auth, timeout=60) as http,
        Client(streamable_http_client(f"{stack.url}/mcp", http_client=http)) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(stack: LightStack) -> AsyncIterator[Client]:
    command = str(VENVS / "application" / "bin" / "application")
    env = stack.env | {"APPLICATION_KEY": stack.key, "APPLICATION_URL": stack.url}
    async with Client(StdioServerParameters(command=command, args=["mcp"], env=env)) as client:
        yield client


EACH = pytest.mark.parametrize("connect", [over_http, over_stdio])


async def called(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


@EACH
async def test_ask_gives_the_answers_and_citations_of_ask(
    faultline: LightStack, connect: Connect
) -> None:
    questions = QUESTIONS if connect is over_http else QUESTIONS[:5]
    async with connect(faultline) as client:
        for question in questions:
            ours = asked(faultline, question)
            told = await called(client, "ask", question=question)
            assert (told["text"], told["citations"]) == (ours["text"], ours["citations"])
            assert told["statements"] == ours["statements"]


@EACH
async def test_a_passage_that_is_found_can_be_read_in_its_document(
    faultline: LightStack, connect: Connect
) -> None:
    async with connect(faultline) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == [
            "search",
            "ask",
            "read_document",
        ]
        found = await called(client, "search", question=QUESTIONS[0], limit=3)
        assert len(found["passages"]) == 3
        best = found["passages"][0]
        part = await called(
            client,
            "read_document",
            document_id=best["document_id"],
            start=best["start"],
            length=best["end"] - best["start"],
        )
        assert part["text"] == best["text"]


@EACH
async def test_an_error_is_a_sentence_for_the_calling_model(
    faultline: LightStack, connect: Connect
) -> None:
    async with connect(faultline) as client:
        result = await client.call_tool("read_document", {"document_id": "sample/nowhere.md"})
    assert result.is_error
    assert "There is no document" in str(result.content)


def test_without_a_key_there_is_no_tool(faultline: LightStack) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    reply = httpx.post(f"{faultline.url}/mcp", json=body)
    assert (reply.status_code, reply.json()["title"]) == (401, "Not authenticated")
    assert httpx.get(f"{faultline.url}/mcp", headers=faultline.auth).status_code == 405
