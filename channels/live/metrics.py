"""What an operator sees of the streams, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

registry = CollectorRegistry()

streams = Gauge("butler_live_streams", "Open streams.", registry=registry)
events = Counter("butler_live_events", "Events handed to streams.", registry=registry)
reads = Counter("butler_live_reads", "Statements that read logs.", registry=registry)
rings = Counter("butler_live_rings", "Rings heard from Redis.", registry=registry)
hears_rings = Gauge("butler_live_hears_rings", "1 while Redis can ring here.", registry=registry)
unheard = Counter(
    "butler_live_unheard", "Events found on a log that had not rung.", registry=registry
)
ended = Counter(
    "butler_live_ended", "Streams ended by this process.", ["reason"], registry=registry
)
refused = Counter("butler_live_refused", "Streams not opened.", ["status"], registry=registry)


def text() -> bytes:
    return generate_latest(registry)
