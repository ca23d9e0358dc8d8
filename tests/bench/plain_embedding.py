"""The other arm of G2: sentence-transformers as its manual shows it, in the embedder's environment.

Reads FOLDER/texts.json, writes FOLDER/plain.npy and prints the seconds that encoding took.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

model_folder, folder = sys.argv[1], Path(sys.argv[2])
texts = json.loads((folder / "texts.json").read_text())
model = SentenceTransformer(model_folder, device="cpu", local_files_only=True)
model.encode(texts[:32])  # the first batch pays for what is set up once
started = time.perf_counter()
vectors = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
print(time.perf_counter() - started)
np.save(folder / "plain.npy", vectors)
