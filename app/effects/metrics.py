"""What is counted, for Prometheus. No token, no name, no id: only what has few values."""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The service's counters. With several worker processes they are added up through files of prometheus_client's."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self._requests = Counter("gatepass_http_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram(
            "gatepass_http_seconds",
            "From the request to its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._decisions = Counter(
            "gatepass_verifications",
            "Verifications decided.",
            ("decision", "reason"),
            registry=self._registry,
        )
        self._discarded = Counter(
            "gatepass_face_fields_discarded",
            "Face fields discarded undecoded, by kind of connection.",
            ("kind",),
            registry=self._registry,
        )
        self._deliveries = Counter(
            "gatepass_device_verdicts",
            "Verdicts that devices had to be called with, by kind of connection and by what became of them.",
            ("kind", "delivery"),
            registry=self._registry,
        )
        # Finding a child by its labels costs more than counting with it.
        self._known_requests: dict[tuple[str, str, int], Counter] = {}
        self._known_seconds: dict[str, Histogram] = {}
        self._known_decisions: dict[tuple[str, str], Counter] = {}

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request. `route` is the route's pattern, never the path that was asked for."""
        key = (route, method, status)
        counter = self._known_requests.get(key)
        if counter is None:
            if method not in ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"):
                method = "other"
            counter = self._known_requests[key] = self._requests.labels(route, method, str(status))
        counter.inc()
        histogram = self._known_seconds.get(route)
        if histogram is None:
            histogram = self._known_seconds[route] = self._seconds.labels(route)
        histogram.observe(seconds)

    def decision(self, decision: str, reason: str) -> None:
        """Count a verification."""
        counter = self._known_decisions.get((decision, reason))
        if counter is None:
            counter = self._known_decisions[decision, reason] = self._decisions.labels(decision, reason)
        counter.inc()

    def discarded(self, kind: str, fields: int = 1) -> None:
        """Count fields of a request that may have held a face, and were dropped without being looked at."""
        if fields:
            self._discarded.labels(kind).inc(fields)

    def delivery(self, kind: str, delivery: str) -> None:
        """Count a verdict that a device was called with: `delivered`, `not_delivered` or `unknown`."""
        self._deliveries.labels(kind, delivery).inc()

    def render(self) -> tuple[bytes, str]:
        """The Prometheus text format, and its content type."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST
