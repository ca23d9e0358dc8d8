"""Ids and digests are the same on every machine, and a fingerprint tells embedders apart."""

from pathlib import Path

import pytest

from contracts.endpoints import EmbedderFingerprint, EmbedderManifest, digest_of
from contracts.index import (
    CollectionSpec,
    chunk_point_id,
    manifest_alias,
    manifest_point_id,
)


def fingerprint(**changes: object) -> EmbedderFingerprint:
    fields: dict[str, object] = {
        "model": "all-minilm-l6-v2",
        "weights_sha256": "a" * 64,
        "tokenizer_sha256": "b" * 64,
        "pooling": "mean",
        "normalised": True,
        "max_tokens": 256,
        "dimensions": 2,
        "probe_vectors": [[1.0, 0.0], [0.0, 1.0]],
    }
    return EmbedderFingerprint.model_validate(fields | changes)


def spec(**changes: object) -> CollectionSpec:
    fields: dict[str, object] = {
        "embedder": fingerprint(),
        "precision": "bfloat16",
        "backend": "sentence-transformers",
        "sparse": "bm25",
        "chunker": "tokens:size=200",
    }
    return CollectionSpec.model_validate(fields | changes)


def test_a_chunks_point_id_never_changes_between_releases() -> None:
    assert chunk_point_id("default", "sample/leave.md", "c" * 64, "d" * 16, 3) == (
        "e7f85bbb-7cc8-5336-b021-eb0126c8dd8d"
    )


@pytest.mark.parametrize("position", range(6))
def test_a_chunks_point_id_depends_on_each_of_its_parts(position: int) -> None:
    parts: list[object] = ["default", "sample/leave.md", "v1", "spec", 3, "default"]
    changed = list(parts)
    changed[position] = 4 if position == 4 else "other"
    assert chunk_point_id(*parts) != chunk_point_id(*changed)  # type: ignore[arg-type]


def test_parts_of_an_id_do_not_run_into_each_other() -> None:
    assert manifest_point_id("a", "bc") != manifest_point_id("ab", "c")


def test_the_manifests_of_an_index_have_an_alias_of_their_own() -> None:
    assert manifest_alias("faultline") == "faultline-manifest"


def test_equal_hashes_and_nearly_equal_vectors_are_the_same_embedder() -> None:
    assert fingerprint().matches(fingerprint(probe_vectors=[[0.9999, 0.01], [0.0, 1.0]]))


def test_an_embedder_without_prefixes_keeps_the_digest_that_it_had_before_there_were_any() -> None:
    file = Path(__file__).parents[2] / "contract" / "examples" / "EmbedderManifest.json"
    manifest = EmbedderManifest.model_validate_json(file.read_text())
    assert manifest.fingerprint.digest == "74974afce19a5168"


@pytest.mark.parametrize("name", ["query_prefix", "document_prefix"])
def test_another_prefix_is_another_embedder(name: str) -> None:
    digests = {fingerprint(**{name: prefix}).digest for prefix in ("", "query: ", "passage: ")}
    assert len(digests) == 3


def test_swapped_weights_of_equal_dimension_are_another_embedder() -> None:
    assert not fingerprint().matches(fingerprint(weights_sha256="e" * 64))


def test_a_hosted_embedder_that_changed_in_silence_is_seen_by_its_vectors() -> None:
    hosted = fingerprint(weights_sha256="unknown", tokenizer_sha256="unknown")
    swapped = hosted.model_copy(update={"probe_vectors": [[0.0, 1.0], [1.0, 0.0]]})
    assert hosted.digest == swapped.digest
    assert not hosted.matches(swapped)


def test_a_zero_vector_matches_nothing() -> None:
    assert fingerprint().lowest_cosine(fingerprint(probe_vectors=[[0.0, 0.0], [0.0, 1.0]])) == 0


@pytest.mark.parametrize(
    "change", [{"sparse": "other"}, {"chunker": "other"}, {"embedder": fingerprint(model="other")}]
)
def test_another_embedder_chunker_or_sparse_setting_is_another_collection(
    change: dict[str, object],
) -> None:
    assert spec().digest != spec(**change).digest


def test_precision_and_backend_are_recorded_but_are_not_identity() -> None:
    assert spec().digest == spec(precision="float32", backend="openvino").digest


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
