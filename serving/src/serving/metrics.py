"""What the embedder counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from contracts.endpoints import EmbedderManifest


class Metrics:
    """Counters of one app; a registry of its own, so that two apps can live in one process."""

    def __init__(self, manifest: EmbedderManifest) -> None:
        self._registry = CollectorRegistry()
        self._texts = Counter("serving_embed_texts", "Texts embedded", registry=self._registry)
        self._tokens = Counter("serving_embed_tokens", "Tokens embedded", registry=self._registry)
        self._seconds = Histogram(
            "serving_embed_request_seconds", "Seconds per request", registry=self._registry
        )
        info = Gauge(
            "serving_embed_info",
            "Always 1; the labels say what is running",
            ["model", "manifest", "precision"],
            registry=self._registry,
        )
        info.labels(manifest.fingerprint.model, manifest.digest, manifest.precision).set(1)

    def embedded(self, texts: int, tokens: int, seconds: float) -> None:
        """Count one answered request."""
        self._texts.inc(texts)
        self._tokens.inc(tokens)
        self._seconds.observe(seconds)

    def page(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self._registry)
