"""The embedder's real HTTP server over vectors that are hashes of words.

Run it: python -P tests/fakes/hash_embedder_app.py [port]   (in the embedder's environment)
"""

import os
import socket
import sys
import tempfile
from pathlib import Path

import uvicorn

sys.path.append(str(Path(__file__).parents[2]))

from tests.fakes.encoder import HashEncoder, opened_with
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from serving.embed_app import create_app
from serving.settings import Settings
from serving.tokenizer import ModelTokenizer

MOST_TOKENS = 256


def tokenizer() -> ModelTokenizer:
    """Counts words."""
    words = Tokenizer(WordLevel({"[UNK]": 0, "word": 1}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    path = Path(tempfile.mkdtemp()) / "tokenizer.json"
    words.save(str(path))
    return ModelTokenizer(path, max_tokens=MOST_TOKENS)


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    settings = Settings(embed_api_key=os.environ.get("SERVING_EMBED_API_KEY") or None)
    app = create_app(settings, opened_with(tokenizer(), HashEncoder()))
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
