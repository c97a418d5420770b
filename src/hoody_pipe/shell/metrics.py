"""The figures of the server as Prometheus reads them, made when it asks (protocol G). Never a name or an address."""

import time
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from hoody_pipe import __version__
from hoody_pipe.core.rendezvous import Rendezvous
from hoody_pipe.shell.books import Books
from hoody_pipe.shell.counters import Histogram


class Metrics(Collector):
    """Reads what the books count."""

    def __init__(self, rendezvous: Rendezvous, books: Books) -> None:
        self._rendezvous = rendezvous
        self._books = books
        self._started = time.time()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> str:
        """All figures in the text format 0.0.4."""
        return generate_latest(self._registry).decode()

    def collect(self) -> Iterator[Metric]:
        """What the registry asks for."""
        counters, books = self._books.counters, self._books
        yield _gauge("build_info", "The version that runs.", {"version": {__version__: 1}})
        yield _gauge("start_time_seconds", "When the server started, in seconds since the epoch.", self._started)
        pipes = {"waiting": self._rendezvous.waiting, "streaming": self._rendezvous.active}
        yield _gauge("pipes_active", "Names in use, by what happens on them.", {"state": pipes})
        yield _gauge("spectators_active", "Connections that watch a name.", len(books.spectators))
        results = {"result": counters.results}
        yield _counter("transfers", "Transfers that started streaming, by how they ended.", results)
        moved, hashed = books.moving()
        yield _counter("transferred_bytes", "Bytes read from senders.", counters.moved + moved)
        yield _counter("hashed_bytes", "Bytes that were digested.", counters.hashed + hashed)
        yield _counter("rejections", "Parties turned away, by the limit.", {"reason": counters.rejections})
        yield from _not_yet()
        duration, first_byte = counters.durations, counters.first_bytes
        yield _histogram("transfer_duration_seconds", "Time from the start of a stream to its end.", duration)
        yield _histogram("time_to_first_byte_seconds", "Time until the first byte was moved.", first_byte)


Values = float | dict[str, dict[str, int]]


def _not_yet() -> Iterator[Metric]:
    """Features that are not there have nothing to count; whoever scrapes finds the names all the same."""
    pairs = {"state": {"waiting": 0, "paired": 0}}
    yield _gauge("ws_pairs_active", "WebSocket pairs, by what they do.", pairs)
    yield _counter("ws_relayed_bytes", "Bytes relayed between WebSocket peers.", 0)
    yield _counter("live_viewer_joins", "Viewers that got a first byte of a live stream.", 0)
    cut = {"reason": {"overflow": 0, "stall": 0}}
    yield _counter("live_viewers_cut", "Viewers of live streams that were cut, by why.", cut)


def _gauge(name: str, text: str, values: Values) -> Metric:
    return _fill(GaugeMetricFamily("hoody_pipe_" + name, text), values)


def _counter(name: str, text: str, values: Values) -> Metric:
    return _fill(CounterMetricFamily("hoody_pipe_" + name, text), values)


def _fill(family: Metric, values: Values) -> Metric:
    name = family.name + ("_total" if family.type == "counter" else "")
    if isinstance(values, dict):
        for label, numbers in values.items():
            for value, number in numbers.items():
                family.add_sample(name, {label: value}, number)
    else:
        family.add_sample(name, {}, values)
    return family


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    bounds = [*(str(bound) for bound in histogram.bounds), "+Inf"]
    buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
    return HistogramMetricFamily("hoody_pipe_" + name, text, buckets=buckets, sum_value=histogram.total)
