"""What drills do beside plain edits: `python actions.py ACTION ...`; public surfaces only.

Index actions speak Qdrant's REST API (EVALS_QDRANT_URL, EVALS_QDRANT_WRITE_KEY) and keep the
points that they change in a folder, from which `put-back` restores them.
"""

import json
import os
import random
import shutil
import sys
import uuid
from pathlib import Path

INDEX = os.environ.get("EVALS_INDEX", "faultline")
VICTIM = "sample"  # the source whose chunks are changed


def poison(sample: str) -> None:
    """Pages that repeat the headings of the real ones, with figures that are wrong."""
    for page in sorted(Path(sample).rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        wrong = "".join(str((int(c) + 3) % 10) if c.isdigit() else c for c in text)
        page.with_name(f"{page.stem}-current.md").write_text(wrong, encoding="utf-8")


def client_side(sample: str) -> None:
    """Markdown pages become HTML whose text is drawn by a script in the browser."""
    for page in sorted(Path(sample).rglob("*.md")):
        data = json.dumps(page.read_text(encoding="utf-8")).replace("</", "<\\/")
        page.with_suffix(".html").write_text(
            f"<!doctype html>\n<html><head><title>{page.stem}</title></head>\n<body>"
            '<div id="app"></div><noscript>Please enable JavaScript to view this page.</noscript>'
            f"<script>render({data})</script></body></html>\n",
            encoding="utf-8",
        )
        page.unlink()


def perturb(model: str, copy: str, scale: str) -> None:
    """A copy of a model with noise in its weights, `scale` times each matrix's own deviation."""
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(model, copy, dirs_exist_ok=True)
    torch.manual_seed(7)
    for file in Path(copy).rglob("*.safetensors"):
        weights = load_file(file)
        for name, matrix in weights.items():
            if matrix.ndim == 2 and matrix.is_floating_point():
                noise = torch.randn_like(matrix, dtype=torch.float32) * matrix.float().std()
                weights[name] = (matrix.float() + float(scale) * noise).to(matrix.dtype)
        save_file(weights, file, metadata={"format": "pt"})


def altered(model: str, copy: str, file: str, old: str, new: str) -> None:
    """A copy of a model with one text in one of its files replaced."""
    shutil.copytree(model, copy, dirs_exist_ok=True)
    path = Path(copy) / file
    text = path.read_text(encoding="utf-8")
    if old not in text:
        sys.exit(f"{path} does not hold {old!r}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def stop_tokens(model: str, copy: str, *texts: str) -> None:
    """A copy of a model that ends a reply at any of these texts, too."""
    from transformers import AutoTokenizer

    shutil.copytree(model, copy, dirs_exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(copy)
    path = Path(copy) / "generation_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    stops = [tokenizer.eos_token_id, *(tokenizer.encode(text)[0] for text in texts)]
    path.write_text(json.dumps(config | {"eos_token_id": stops}), encoding="utf-8")


def delete_points(saved: str) -> None:
    """Two thirds of the victim's chunks."""
    points = [point for point in _keep(saved) if random.Random(point["id"]).random() < 0.67]
    _post(f"/collections/{INDEX}/points/delete?wait=true", {"points": [p["id"] for p in points]})


def overwrite_text(saved: str) -> None:
    """Every second chunk's text becomes a placeholder, its vectors stay."""
    text = "This page has moved. See the new portal."
    _upsert([_with(point, text=text) for point in _keep(saved)[::2]])


def rename_tenant(saved: str) -> None:
    """The chunks belong to another tenant, and no filter finds them."""
    _upsert([_with(point, tenant="tenant-1") for point in _keep(saved)])


def foreign_vectors(saved: str) -> None:
    """Vectors of the same length from somewhere else, dense and sparse."""
    points, shifted = _keep(saved), []
    for point, other in zip(points, points[17:] + points[:17], strict=True):
        shifted.append({**point, "vector": other["vector"]})
    _upsert(shifted)


def duplicate_points(saved: str) -> None:
    """Every chunk five times."""
    copies = [
        {**point, "id": str(uuid.uuid5(uuid.UUID(point["id"]), str(copy)))}
        for point in _keep(saved)
        for copy in range(4)
    ]
    (Path(saved) / "added.json").write_text(json.dumps([copy["id"] for copy in copies]))
    _upsert(copies)


def delete_manifests(saved: str) -> None:
    """Every second document of the victim is no longer committed, as if its run had died."""
    manifests = _keep(saved, f"{INDEX}-manifest")
    ids = [point["id"] for point in manifests if point["payload"].get("kind") == "document"][::2]
    _post(f"/collections/{INDEX}-manifest/points/delete?wait=true", {"points": ids})


def staging(sample: str) -> None:
    """Drafts of every page, with figures that nobody has checked."""
    for page in sorted(Path(sample).rglob("*.md")):
        draft = Path(sample) / "staging" / page.relative_to(sample)
        draft.parent.mkdir(parents=True, exist_ok=True)
        text = page.read_text(encoding="utf-8")
        wrong = "".join(str((int(c) + 5) % 10) if c.isdigit() else c for c in text)
        draft.write_text(wrong, encoding="utf-8")


def put_back(saved: str) -> None:
    """Every kept point as it was, and none that was added."""
    kept, added = Path(saved) / "points.json", Path(saved) / "added.json"
    if added.exists():
        ids = json.loads(added.read_text())
        _post(f"/collections/{INDEX}/points/delete?wait=true", {"points": ids})
        added.unlink()
    if kept.exists():
        collection, points = json.loads(kept.read_text())
        _upsert(points, collection)
        kept.unlink()


def _keep(saved: str, collection: str = INDEX) -> list[dict]:
    """The victim's points, kept before they are changed."""
    must = [{"key": "source", "match": {"value": VICTIM}}]
    body = {"limit": 100_000, "with_vector": True, "with_payload": True, "filter": {"must": must}}
    points = _post(f"/collections/{collection}/points/scroll", body)["result"]["points"]
    Path(saved).mkdir(parents=True, exist_ok=True)
    (Path(saved) / "points.json").write_text(json.dumps([collection, points]))
    return points


def _with(point: dict, **fields: object) -> dict:
    return {**point, "payload": {**point["payload"], **fields}}


def _upsert(points: list[dict], collection: str = INDEX) -> None:
    for start in range(0, len(points), 256):
        rows = [
            {key: p[key] for key in ("id", "vector", "payload")}
            for p in points[start : start + 256]
        ]
        _post(f"/collections/{collection}/points?wait=true", {"points": rows}, "PUT")


def _post(path: str, body: dict, method: str = "POST") -> dict:
    import httpx

    key = os.environ.get("EVALS_QDRANT_WRITE_KEY") or os.environ.get("EVALS_QDRANT_API_KEY", "")
    url = os.environ.get("EVALS_QDRANT_URL", "http://127.0.0.1:6333")
    reply = httpx.request(method, url + path, json=body, headers={"api-key": key}, timeout=60)
    reply.raise_for_status()
    return reply.json()


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    globals()[name.replace("-", "_")](*arguments)
