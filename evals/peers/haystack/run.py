"""Haystack's tutorial 30, "Preprocessing Different File Types": it indexes files and asks them.

Cleaner, splitter (150 words, 50 of overlap), number of passages (10) and prompt are the tutorial's
own. It has no HTML and no DOCX; Haystack's own converters for these are added.
"""

import queue
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from haystack import Pipeline
from haystack.components import converters
from haystack.components.builders import ChatPromptBuilder
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentCleaner, DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.components.routers import FileTypeRouter
from haystack.components.writers import DocumentWriter
from haystack.dataclasses import ChatMessage
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.utils import Secret

sys.path.insert(0, str(Path(__file__).parents[1]))
from protocol import Ask, Options, files, run

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CONVERTERS = {
    "text/markdown": converters.MarkdownToDocument,
    "application/pdf": converters.PyPDFToDocument,
    "text/html": converters.HTMLToDocument,
    DOCX: converters.DOCXToDocument,
}
TEMPLATE = """
Answer the questions based on the given context.

Context:
{% for document in documents %}
    {{ document.content }}
{% endfor %}

Question: {{ question }}
Answer:
"""


def ingest(options: Options) -> Ask:
    """Convert, clean, split, embed and store; returns the pipeline's streamed reply."""
    document_store = InMemoryDocumentStore()
    key = Secret.from_token("none")
    endpoint = {"model": options.embed_model, "api_base_url": options.embed_url, "api_key": key}
    indexing = Pipeline()
    indexing.add_component("router", FileTypeRouter(mime_types=list(CONVERTERS)))
    indexing.add_component("joiner", DocumentJoiner())
    for mime_type, converter in CONVERTERS.items():
        indexing.add_component(converter.__name__, converter())
        indexing.connect(f"router.{mime_type}", f"{converter.__name__}.sources")
        indexing.connect(converter.__name__, "joiner")
    indexing.add_component("cleaner", DocumentCleaner())
    indexing.add_component("splitter", DocumentSplitter("word", 150, 50))
    indexing.add_component("embedder", OpenAIDocumentEmbedder(**endpoint))
    indexing.add_component("writer", DocumentWriter(document_store))
    for sender, receiver in pairwise(("joiner", "cleaner", "splitter", "embedder", "writer")):
        indexing.connect(sender, receiver)
    indexing.run({"router": {"sources": files(options.documents)}})

    pool, pieces = ThreadPoolExecutor(1), queue.Queue()
    llm = OpenAIChatGenerator(
        model=options.llm_model,
        api_base_url=options.llm_url,
        api_key=Secret.from_token(options.llm_key),
        streaming_callback=lambda chunk: pieces.put(chunk.content),
    )
    pipe = Pipeline()
    pipe.add_component("embedder", OpenAITextEmbedder(**endpoint))
    pipe.add_component("retriever", InMemoryEmbeddingRetriever(document_store=document_store))
    pipe.add_component("prompt", ChatPromptBuilder(template=[ChatMessage.from_user(TEMPLATE)]))
    pipe.add_component("llm", llm)
    pipe.connect("embedder.embedding", "retriever.query_embedding")
    pipe.connect("retriever", "prompt.documents")
    pipe.connect("prompt.prompt", "llm.messages")

    def ask(question: str) -> Iterator[str]:
        inputs = {"embedder": {"text": question}, "prompt": {"question": question}}
        running = pool.submit(pipe.run, inputs)
        running.add_done_callback(lambda _: pieces.put(None))
        yield from iter(pieces.get, None)
        running.result()  # raises what the pipeline raised

    return ask


if __name__ == "__main__":
    run(ingest)
