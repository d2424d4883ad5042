"""The numbers in the form that Prometheus reads. Imported only when somebody asks for them.

In: the tally and a snapshot, taken at each scrape. Out: the text of ``/metrics``. Every name begins with
``teleport_email_`` and is described in docs/monitoring.md.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from teleport_email import __version__
from teleport_email.telemetry.health import Snapshot
from teleport_email.telemetry.tally import Tally

PREFIX = "teleport_email_"


class Metrics(Collector):
    """All metrics, in a registry of their own."""

    def __init__(self, look: Callable[[], Snapshot], tally: Tally) -> None:
        """``look`` takes a snapshot of the daemon."""
        self._look = look
        self._tally = tally
        self._registry = CollectorRegistry()
        self._registry.register(self)
        # Memory, CPU time, open files: under the names that every dashboard knows.
        ProcessCollector(registry=self._registry)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The text and its content type, in the format that an ``Accept`` header asks for; the plain one for
        a header that cannot be understood."""
        try:
            encode, content_type = choose_encoder(accept)
        except Exception:  # noqa: BLE001 - foreign text, and the library's reading of it raises as it comes
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type

    def collect(self) -> Iterable[Metric]:
        """All metrics, now."""
        yield _labelled("build", "Version of the program; always 1.", _versions())
        yield from self._of_the_moment(self._look())
        yield from self._since_start(self._tally)

    def _of_the_moment(self, now: Snapshot) -> Iterable[Metric]:
        yield _gauge("ready", "1 while ready to tell people about requests.", not now.obstacles())
        yield _gauge("connected", "1 while the watch of the cluster stands.", now.connected)
        yield _gauge("mailer_paused", "1 while sending is paused because of the account.", bool(now.paused))
        yield _timestamp("identity_expiry", "End of the identity's certificate.", now.link.identity_ends)
        yield _gauge("open_requests", "Requests that are known and not gone.", now.open)
        queue = GaugeMetricFamily(
            f"{PREFIX}queue_requests", "Requests in the queue, by what they wait for.", labels=["state"]
        )
        for state, count in (("ready", now.ready), ("working", now.working), ("delayed", now.delayed)):
            queue.add_metric([state], count)
        yield queue
        yield _gauge(
            "oldest_waiting_seconds",
            "How long something has been due for the request that has waited longest.",
            now.oldest_waiting,
        )
        yield _counter(
            "requests_seen", "Requests seen, those that were there at the start included.", now.seen
        )

        reviews = now.reviews
        yield _gauge(
            "access_list_reviews_open",
            "Access Lists whose review is open, overdue ones included.",
            reviews.open if reviews else None,
        )
        yield _gauge(
            "access_list_reviews_overdue",
            "Access Lists whose review is overdue.",
            reviews.overdue if reviews else None,
        )
        yield _timestamp(
            "access_lists_polled",
            "When all Access Lists were last looked through.",
            reviews.polled_at if reviews else None,
        )

    def _since_start(self, tally: Tally) -> Iterable[Metric]:
        messages = CounterMetricFamily(
            f"{PREFIX}messages", "Attempts to send a message.", labels=["kind", "outcome"]
        )
        for labels, count in tally.messages.items():
            messages.add_metric(list(labels), count)
        yield messages
        times = HistogramMetricFamily(f"{PREFIX}send_seconds", "Time of one attempt to send a message.")
        buckets = [("+Inf" if bound == float("inf") else str(bound), n) for bound, n in tally.histogram()]
        times.add_metric([], buckets, tally.send_seconds)
        yield times
        yield _timestamp("last_delivery", "When a server last took a message.", tally.last_delivery)
        yield _counter(
            "unroutable", "Requests with nobody to tell, or only the fallback.", tally.without_recipient
        )
        yield _counter(
            "rule_faults",
            "Conditions of Access Monitoring Rules that do not parse or evaluate.",
            tally.rule_faults,
        )
        yield _counter("ledger_conflicts", "Writes to a ledger that were not confirmed.", tally.conflicts)
        yield _counter("reconnects", "Connections to the cluster that came back.", tally.reconnects)
        reloads = CounterMetricFamily(f"{PREFIX}reloads", "Reloads of the configuration.", labels=["result"])
        for good, result in ((True, "good"), (False, "bad")):
            reloads.add_metric([result], tally.reloads[good])
        yield reloads
        yield _gauge(
            "last_reload_successful", "0 while a newer configuration was refused.", tally.last_reload_good
        )
        yield _timestamp("last_reload", "When the configuration was last reloaded.", tally.last_reload)


def _versions() -> dict[str, str]:
    return {"version": __version__, "python": platform.python_version()}


def _gauge(name: str, text: str, value: float | None) -> GaugeMetricFamily:
    """Without a sample where there is nothing to count."""
    return GaugeMetricFamily(f"{PREFIX}{name}", text, value=None if value is None else float(value))


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"{PREFIX}{name}", text, value=value)


def _timestamp(name: str, text: str, moment: datetime | None) -> GaugeMetricFamily:
    """Seconds since 1970; without a sample while there is no such moment: a zero would look like 1970."""
    family = GaugeMetricFamily(f"{PREFIX}{name}_timestamp_seconds", text)
    if moment is not None:
        family.add_metric([], moment.timestamp())
    return family


def _labelled(name: str, text: str, labels: dict[str, str]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}{name}_info", text, labels=list(labels))
    family.add_metric(list(labels.values()), 1)
    return family
