"""The answer path as LangChain Runnables, for those who compose their own from its pieces.

`answer_chain(...)` takes a question and gives the `Answer` that the API would: the same steps, the
same request to the model, byte for byte.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForLLMRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.language_models.chat_models import (
    BaseChatModel,
    agenerate_from_stream,
)
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableBranch, RunnableLambda, RunnablePassthrough

from application.adapters.prompt import ROLES, ChatPrompt
from application.answer import Answerer, Ask, Found, Reply
from application.bundle import Bundle
from application.errors import ModelUnavailable
from application.ports import ChatModel, Message, Usage
from application.upstream import Deadline
from contracts.answer import Answer

START = Callable[[str], Ask]  # a question on behalf of a verified caller
ASYNC_ONLY = "Use ainvoke or astream: this pipeline is asynchronous."


class PassageRetriever(BaseRetriever):
    """Passages as LangChain documents, for the caller that `start` speaks for."""

    answerer: Any  # Answerer; pydantic knows no such schema
    start: START

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        found = await self.answerer.find(self.start(query))
        return [
            Document(passage.text, id=passage.chunk_id, metadata=passage.model_dump())
            for passage in found.retrieved.passages
        ]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        raise NotImplementedError(ASYNC_ONLY)


class StreamedChatModel(BaseChatModel):
    """Our one streaming client as a LangChain chat model."""

    model: Any  # ports.ChatModel
    bundle: Bundle
    deadline_seconds: float

    @property
    def _llm_type(self) -> str:
        return "faultline"

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        sent = [Message(role=ROLES[m.type], content=str(m.content)) for m in messages]
        deadline = Deadline(self.deadline_seconds)
        async for piece in self.model.stream(sent, self.bundle.sampling, deadline):
            if isinstance(piece, Usage):
                chunk = AIMessageChunk(content="", response_metadata={"usage": piece})
            else:
                chunk = AIMessageChunk(content=piece)
            yield ChatGenerationChunk(message=chunk)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError(ASYNC_ONLY)


def answer_chain(
    answerer: Answerer,
    start: START,
    prompt: ChatPrompt,
    model: ChatModel,
    bundle: Bundle,
    deadline_seconds: float,
) -> Runnable[str, Answer]:
    """Question -> passages -> prompt -> model -> cited answer."""
    chat = StreamedChatModel(model=model, bundle=bundle, deadline_seconds=deadline_seconds)

    def variables(state: dict[str, Found]) -> dict[str, str]:
        found = state["found"]
        return prompt.variables(bundle, found.ask.question, found.shown)

    def failed(state: dict[str, Any]) -> Reply:
        return Reply(failure=str(state["error"]))

    async def conclude(state: dict[str, Any]) -> Answer:
        return await answerer.conclude(state["found"], state["reply"])

    generate = (
        RunnableLambda(variables) | prompt.template(bundle) | chat | RunnableLambda(_reply)
    ).with_fallbacks(
        [RunnableLambda(failed)],
        exceptions_to_handle=(ModelUnavailable,),
        exception_key="error",
    )
    reply: Runnable[Any, Reply] = RunnableBranch(
        (lambda state: state["found"].is_enough, generate), lambda _: Reply()
    )
    return (
        {"found": RunnableLambda(start) | RunnableLambda(answerer.find)}
        | RunnablePassthrough.assign(reply=reply)
        | RunnableLambda(conclude)
    )


def _reply(message: AIMessage) -> Reply:
    return Reply(str(message.content), message.response_metadata["usage"])
