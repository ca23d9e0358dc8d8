"""LlamaIndex's starter tutorial: SimpleDirectoryReader, VectorStoreIndex, as_query_engine.

Splitter (1,024 tokens), number of passages (2) and prompts are the library's defaults. Only the
endpoints are named, by the classes that are documented for OpenAI-compatible servers.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from llama_index.core import Settings, SimpleDirectoryReader, VectorStoreIndex
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai_like import OpenAILike

sys.path.insert(0, str(Path(__file__).parents[1]))
from protocol import Ask, Options, run


def ingest(options: Options) -> Ask:
    """Read, split, embed and store; returns the query engine's streamed reply to a question."""
    Settings.llm = OpenAILike(
        model=options.llm_model,
        api_base=options.llm_url,
        api_key=options.llm_key,
        is_chat_model=True,
    )
    Settings.embed_model = OpenAIEmbedding(
        model_name=options.embed_model, api_base=options.embed_url, api_key="none"
    )
    documents = SimpleDirectoryReader(str(options.documents), recursive=True).load_data()
    query_engine = VectorStoreIndex.from_documents(documents).as_query_engine(streaming=True)

    def ask(question: str) -> Iterator[str]:
        yield from query_engine.query(question).response_gen

    return ask


if __name__ == "__main__":
    run(ingest)
