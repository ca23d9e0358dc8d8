"""The body of `POST /v1/embeddings`: what OpenAI's clients send, and what of it is refused."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from serving.prefixes import Kind

INPUT_TYPES: dict[str, Kind] = {  # as Voyage, Cohere and NVIDIA name them
    "query": "query",
    "search_query": "query",
    "document": "document",
    "search_document": "document",
    "passage": "document",
}


def _texts(value: object) -> object:
    """A single text as a list; token ids and empty texts are refused in a sentence."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return value
    for index, item in enumerate(value):
        if _is_token_ids(item):
            raise PydanticCustomError(
                "token_ids",
                "token ids cannot be embedded, because ids of another tokenizer would be other "
                "words here. Send text. LangChain's OpenAIEmbeddings sends text with "
                "check_embedding_ctx_length=False.",
            )
        if item == "":
            raise PydanticCustomError(
                "empty_text", "input {index} is empty. Leave it out.", {"index": index}
            )
    return value


def _is_token_ids(item: object) -> bool:
    if isinstance(item, list):
        return bool(item) and all(_is_token_ids(each) for each in item)
    return isinstance(item, int | float)


def _kind(value: object) -> object:
    if value is None:
        return "document"
    if isinstance(value, str) and value.lower() in INPUT_TYPES:
        return INPUT_TYPES[value.lower()]
    raise PydanticCustomError(
        "input_type", "say one of {names}, or leave it out.", {"names": ", ".join(INPUT_TYPES)}
    )


Text = Annotated[str, Field(min_length=1)]  # the limit also refuses half a character


class EmbeddingsRequest(BaseModel):
    """OpenAI's body and `input_type`; null is as good as leaving a field out."""

    input: Annotated[list[Text], Field(min_length=1, max_length=2048), BeforeValidator(_texts)]
    model: str | None = None  # a name of ours, or none
    encoding_format: Literal["float", "base64"] | None = None  # base64: little-endian float32
    dimensions: int | None = None  # ours, or none
    user: Any = None  # taken and not used
    input_type: Annotated[Kind, BeforeValidator(_kind)] = "document"
