"""Prometheus metrics: an `AnswerLog` that counts, beside the one that writes."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from contracts.answer import AnswerEvent

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
FINISH_REASONS = ("stop", "length", "content_filter")
SPANS = ("embed", "search", "first_token", "generate", "total")


class Metrics:
    """One registry for each application, so that tests may build several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.in_flight = Gauge(
            "application_requests_in_flight", "Requests under way", registry=self.registry
        )
        self.shed = Counter(
            "application_requests_shed", "Requests refused as too many", registry=self.registry
        )
        self.replies = Counter(
            "application_replies", "Replies of the API", ["status"], registry=self.registry
        )
        self._answers = Counter(
            "application_answers", "Answers given", ["status", "probe"], registry=self.registry
        )
        self._finishes = Counter(
            "application_generations",
            "Generations by how they ended, as the model says",
            ["finish_reason"],
            registry=self.registry,
        )
        self.events_lost = Gauge(
            "application_events_lost", "Events of answers not written", registry=self.registry
        )
        self._evidence = Histogram(
            "application_evidence",
            "Evidence of answers",
            buckets=[step / 10 for step in range(1, 11)],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "application_span_seconds",
            "Time taken by each step of an answer",
            ["span"],
            buckets=SECONDS,
            registry=self.registry,
        )

    def append(self, event: AnswerEvent) -> None:
        """Counts one answer; probes are told apart."""
        self._answers.labels(event.status, str(event.probe).lower()).inc()
        reason = event.features.finish_reason
        if reason:
            self._finishes.labels(reason if reason in FINISH_REASONS else "other").inc()
        self._evidence.observe(event.features.evidence)
        for span in SPANS:
            milliseconds = getattr(event.timings, f"{span}_ms")
            if milliseconds is not None:
                self._seconds.labels(span).observe(milliseconds / 1000)

    def text(self) -> bytes:
        """Everything counted, in Prometheus' text format."""
        return generate_latest(self.registry)
