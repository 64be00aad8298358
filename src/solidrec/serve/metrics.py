"""What the service counts, in the format of Prometheus."""

from __future__ import annotations

from typing import final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

STAGES = ("parse", "queue", "answer", "write")
"""Reading a request, waiting, the model, writing the answer."""
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


@final
class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._stages = Histogram(
            "solidrec_stage_seconds",
            "Seconds of a request by stage",
            ["stage"],
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._stage = {name: self._stages.labels(name) for name in STAGES}
        self._responses = Counter(
            "solidrec_responses", "Responses", ["path", "status"], registry=self.registry
        )
        self._batches = Histogram(
            "solidrec_batch_size", "Requests in a batch", registry=self.registry, buckets=_SIZES
        )
        self._fallbacks = Counter(
            "solidrec_fallbacks", "Answers by popularity", registry=self.registry
        )
        self._memory_down = Counter(
            "solidrec_memory_failures",
            "Times that the memory of events did not answer",
            registry=self.registry,
        )
        self._dropped = Counter(
            "solidrec_impressions_dropped",
            "Rows of the impression log that the disk did not take",
            registry=self.registry,
        )
        self._shadow = Histogram(
            "solidrec_shadow_overlap",
            "Rank-biased overlap of the shadow version's answers with those that were given",
            registry=self.registry,
            buckets=_SHARES,
        )
        self._version = Gauge(
            "solidrec_model", "The model that answers", ["version"], registry=self.registry
        )

    def observe(self, stage: str, seconds: float) -> None:
        """Note how long a stage took."""
        self._stage[stage].observe(seconds)

    def batch(self, size: int, seconds: float) -> None:
        """Note a batch and how long the model took for it."""
        self._batches.observe(size)
        self._stage["answer"].observe(seconds)

    def response(self, path: str, status: int) -> None:
        """Count a response."""
        self._responses.labels(path, str(status)).inc()

    def fallback(self) -> None:
        """Count an answer by popularity."""
        self._fallbacks.inc()

    def memory_down(self) -> None:
        """Count a time that the memory of events did not answer."""
        self._memory_down.inc()

    def dropped(self, rows: int) -> None:
        """Count rows of the impression log that were dropped."""
        self._dropped.inc(rows)

    def shadow(self, overlap: float) -> None:
        """Note how alike the shadow version answered."""
        self._shadow.observe(overlap)

    def version(self, name: str) -> None:
        """Note which model answers from now on."""
        self._version.clear()
        self._version.labels(name).set(1)

    def text(self) -> bytes:
        """Return all of it as text."""
        return generate_latest(self.registry)
