"""The metrics of a process as objects of prometheus_client, and their text for all processes.

prometheus_client decides when it is imported whether processes share their values by files: in
the folder PROMETHEUS_MULTIPROC_DIR. So this module is only imported where metrics are served.
"""

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client import Counter as CounterMetric
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from server.observability.catalogue import METRICS, SECONDS
from server.observability.folder import FOLDER

# The times at which counters were made: a series more for each, which nothing needs.
disable_created_metrics()  # type: ignore[no-untyped-call]

# The values of a metric that is read when metrics are asked for, by its labels' values.
Readings = Mapping[str, Mapping[tuple[str, ...], float]]


class Times:
    """Values of a histogram that are not written yet, by the buckets of SECONDS."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.seconds = 0.0
        self.buckets: Counter[int] = Counter()

    def add(self, values: Sequence[float]) -> None:
        """Add values."""
        self.seconds += sum(values)
        # Without a step of Python for each.
        self.buckets.update(map(bisect_left, repeat(SECONDS), values))


class Registry:
    """All metrics. Values of a metric with labels are kept for each combination of labels.

    What is added and observed is only noted, and written by `write`: the library would take ten
    times as long for it, and more where processes share files.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._children: dict[tuple[str, ...], Any] = {}
        # What is added to counters, by their name and labels.
        self.counts: Counter[tuple[str, ...]] = Counter()
        self._times: dict[tuple[str, ...], Times] = {}
        self._totals: dict[tuple[str, ...], float] = {}
        self.readings: Readings = {}
        self._made = {
            each.name: _make(each.name, self._registry)
            for each in METRICS.values()
            if not each.is_read
        }
        self._shown = self._registry
        if FOLDER in os.environ:
            self._shown = CollectorRegistry()
            MultiProcessCollector(self._shown)  # type: ignore[no-untyped-call]
        self._shown.register(_Read(self))

    def times(self, name: str, *labels: str) -> Times:
        """Return what adds values to a histogram."""
        key = (name, *labels)
        found = self._times.get(key)
        if found is None:
            found = self._times[key] = Times()
        return found

    def write(self) -> None:
        """Write what was added and observed since the last time."""
        for key, amount in self.counts.items():
            self._child(*key).inc(amount)
        self.counts.clear()
        for key, times in self._times.items():
            child = self._child(*key)
            child._sum.inc(times.seconds)  # noqa: SLF001 - there is no way to add several values
            for index, number in times.buckets.items():
                child._buckets[index].inc(number)  # noqa: SLF001 - as above
            times.clear()

    def set(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge."""
        self._child(name, *labels).set(value)

    def start_at(self, name: str, total: float, *labels: str) -> None:
        """Leave out what was counted before these metrics were made."""
        self._totals[(name, *labels)] = total

    def raise_to(self, name: str, total: float, *labels: str) -> None:
        """Add to a counter what was counted elsewhere since the last time."""
        before = self._totals.get((name, *labels), 0)
        self._totals[(name, *labels)] = total
        self._child(name, *labels).inc(max(0.0, total - before))

    def text(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics of all processes, and the media type, of those that are accepted."""
        encode, media_type = choose_encoder(accept)
        return encode(self._shown), media_type

    def _child(self, *key: str) -> Any:
        child = self._children.get(key)
        if child is None:
            metric = self._made[key[0]]
            child = self._children[key] = metric.labels(*key[1:]) if len(key) > 1 else metric
        return child


class _Read(Collector):
    """The readings, which are the same in all processes."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        for name, values in self._registry.readings.items():
            metric = METRICS[name]
            family = GaugeMetricFamily(name, metric.meaning, labels=metric.labels)
            for labels, value in values.items():
                family.add_metric(labels, value)
            yield family

    def describe(self) -> Iterable[Metric]:
        return ()


def _make(name: str, registry: CollectorRegistry) -> Any:
    metric = METRICS[name]
    given = (name, metric.meaning, metric.labels)
    if metric.kind == "counter":
        return CounterMetric(*given, registry=registry)
    if metric.kind == "histogram":
        return Histogram(*given, registry=registry, buckets=SECONDS)
    return Gauge(*given, registry=registry, multiprocess_mode=metric.merge)
