"""Metrics of the live process, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

registry = CollectorRegistry()

open_streams = Gauge("butler_live_streams", "Open streams.", registry=registry)
sent_events = Counter("butler_live_events", "Events sent to streams.", registry=registry)
event_reads = Counter("butler_live_reads", "Statements that read logs.", registry=registry)
notifications = Counter(
    "butler_live_notifications", "Change notifications received from Redis.", registry=registry
)
is_subscribed = Gauge(
    "butler_live_subscribed", "1 while this process is subscribed in Redis.", registry=registry
)
missed_notifications = Counter(
    "butler_live_missed_notifications",
    "New versions found without a notification.",
    registry=registry,
)
ended_streams = Counter(
    "butler_live_ended", "Streams ended by this process.", ["reason"], registry=registry
)
refused_streams = Counter(
    "butler_live_refused", "Streams not opened.", ["status"], registry=registry
)


def exposition() -> bytes:
    """Return the metrics in the text format of Prometheus."""
    return generate_latest(registry)
