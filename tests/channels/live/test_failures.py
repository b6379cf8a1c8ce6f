"""The effects on streams if the network, Redis, Postgres or the process itself fails."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from bench.chaos.proxy import Proxy
from bench.ports import free_port
from channels.live.notifications import CHANNEL
from deploy.local import programs
from deploy.local.home import Home
from tests import factories
from tests.channels.live.conftest import guest, store_events
from tests.channels.live.stream_reader import by_key
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

# Without checks, only a notification can make the process read the events.
NO_CHECKS = {"check_interval": 3600.0}
# Seconds. A request that waits for Postgres without a limit waits for ever.
MAX_WAIT = 25


# Time ----------------------------------------------------------------------------------


def test_a_silent_stream_is_kept_alive(start_streams):
    streams = start_streams(limits={"heartbeat_interval": 0.2})

    with streams.follow(guest()) as reader:
        reader.wait(lambda r: r.comments >= 3)

    assert reader.names == ["hello"]


def test_stream_at_the_end_of_its_lifetime_ends_with_a_retry_delay(start_streams):
    streams = start_streams(limits={"heartbeat_interval": 0.2, "max_lifetime": 0.5})

    with streams.follow(guest()) as reader:
        reader.wait_for_end()

    assert reader.frames[-1] == ("ended", {"reason": "lifetime"}, None)
    assert 0 < reader.retry <= 3000


def test_stopping_process_ends_its_streams_first(start_streams):
    streams = start_streams()
    process = start_streams.processes[streams]

    with streams.follow(guest()) as reader:
        process.send_signal(signal.SIGTERM)
        reader.wait_for_end()
        process.wait(30)

    assert reader.frames[-1] == ("ended", {"reason": "restart"}, None)


# Readers -------------------------------------------------------------------------------


def test_stalled_reader_is_dropped_without_delaying_others(start_streams):
    streams = start_streams(limits={"heartbeat_interval": 0.4, "stall_timeout": 1.0})
    noor = guest()
    with contextlib.closing(open_and_never_read(streams, noor)):
        with streams.follow(noor) as attentive:
            for _ in range(20):
                store_events(noor, times=20, properties={"note": "x" * 20_000})
            attentive.wait(lambda r: len(r.versions) == 400, seconds=60)
            assert attentive.versions == list(range(2, 402))
        wait_until(lambda: metric(streams, 'butler_live_ended_total{reason="slow"}') == 1)

    assert metric(streams, "butler_live_streams") == 0
    assert resident(streams, start_streams) < 200


def open_and_never_read(streams, customer) -> socket.socket:
    address = urlsplit(streams.url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((address.hostname, address.port))
    header = by_key(streams.key)["Authorization"]
    path = f"/live/customers/{customer.id}"
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {header}\r\n\r\n".encode())
    wait_until(lambda: metric(streams, "butler_live_streams") == 1)
    return sock


def resident(streams, start_streams) -> float:
    """Return the memory of the process and its workers in MB."""
    group = os.getpgid(start_streams.processes[streams].pid)
    kilobytes = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(status.parent.name)) == group:
                line = status.read_text().partition("VmRSS:")[2]
                kilobytes = max(kilobytes, int(line.split()[0]))
    return kilobytes / 1024


# Redis ---------------------------------------------------------------------------------


class OwnValkey:
    """Start a Valkey for this test only, which the test may kill."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = folder
        self.server = str(programs.valkey(Home(folder)))
        self.client = redis.Redis.from_url(self.url)

    def start(self) -> None:
        command = [self.server, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(
            [*command, "--dir", str(self.folder)], stdout=subprocess.DEVNULL
        )
        wait_until(self._answers)

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def publish_change(self, customer) -> None:
        customer.refresh_from_db()
        self.client.publish(CHANNEL, json.dumps([[str(customer.id), customer.version]]))


@pytest.fixture
def valkey(tmp_path):
    valkey = OwnValkey(tmp_path)
    valkey.start()
    yield valkey
    valkey.client.close()
    valkey.kill()


def test_notified_event_does_not_wait_for_the_next_check(start_streams, valkey):
    streams = start_streams(REDIS_URL=valkey.url, limits=NO_CHECKS)
    noor = guest()

    with streams.follow(noor) as reader:
        store_events(noor)
        valkey.publish_change(noor)
        reader.wait(lambda r: r.versions == [2])


def test_event_without_a_notification_arrives_within_seconds(start_streams, valkey):
    streams = start_streams(REDIS_URL=valkey.url)
    noor = guest()

    with streams.follow(noor) as reader:
        store_events(noor)
        reader.wait(lambda r: r.versions == [2])

    assert metric(streams, "butler_live_missed_notifications_total") == 1


def test_a_flushed_redis_changes_nothing(start_streams, valkey):
    streams = start_streams(REDIS_URL=valkey.url, limits=NO_CHECKS)
    noor = guest()

    with streams.follow(noor) as reader:
        valkey.client.flushall()
        store_events(noor)
        valkey.publish_change(noor)
        reader.wait(lambda r: r.versions == [2])


def test_a_killed_redis_delays_events_and_loses_none(start_streams, valkey):
    streams = start_streams(REDIS_URL=valkey.url)
    noor = guest()

    with streams.follow(noor) as reader:
        valkey.kill()
        store_events(noor, times=3)
        reader.wait(lambda r: r.versions == [2, 3, 4])
        valkey.start()
        wait_until(lambda: metric(streams, "butler_live_subscribed") == 1)
        store_events(noor)
        valkey.publish_change(noor)
        reader.wait(lambda r: r.versions == [2, 3, 4, 5])


def test_mute_redis_is_noticed(start_streams, valkey):
    """The connection is open but silent, so only a ping without an answer shows the failure."""
    noor = guest()
    with Proxy(("127.0.0.1", valkey.port)) as proxy:
        streams = start_streams(REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0")
        with streams.follow(noor) as reader:
            proxy.toxics.is_mute = True
            wait_until(lambda: metric(streams, "butler_live_subscribed") == 0)
            store_events(noor)
            reader.wait(lambda r: r.versions == [2])
            proxy.heal()
            wait_until(lambda: metric(streams, "butler_live_subscribed") == 1)


@pytest.mark.parametrize("payload", [b"", b"[1]", b'{"a":1}', b'[["x","y"]]', b"\xff"])
def test_malformed_notification_is_ignored(start_streams, valkey, payload):
    streams = start_streams(REDIS_URL=valkey.url, limits=NO_CHECKS)
    noor = guest()

    with streams.follow(noor) as reader:
        valkey.client.publish(CHANNEL, payload)
        store_events(noor)
        valkey.publish_change(noor)
        reader.wait(lambda r: r.versions == [2])


def test_notifications_with_a_wrong_version_do_no_harm(start_streams, valkey):
    streams = start_streams(REDIS_URL=valkey.url)
    noor = guest()

    with streams.follow(noor) as reader:
        valkey.client.publish(CHANNEL, json.dumps([[str(noor.id), 99]]))
        valkey.client.publish(CHANNEL, json.dumps([[str(noor.id), 1]]))
        store_events(noor, times=2)
        valkey.publish_change(noor)
        reader.wait(lambda r: r.versions == [2, 3])
        time.sleep(0.5)

    # If the process trusted the wrong version, it would read without end.
    assert 0 < metric(streams, "butler_live_reads_total") < 10


# Postgres ------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", ["down", "mute"])
def test_postgres_away_is_said_soon_and_open_streams_wait(start_streams, proxied, failure):
    proxy, url = proxied
    streams = start_streams(DATABASE_URL=url)
    noor = guest()

    with streams.follow(noor) as reader:
        if failure == "down":
            proxy.down()
        else:
            proxy.toxics.is_mute = True
        store_events(noor, times=3)
        started = time.monotonic()
        with streams.open(f"/live/customers/{noor.id}", **by_key(streams.key)) as late:
            problem = late.problem
        assert time.monotonic() - started < MAX_WAIT
        assert (late.status, problem["status"]) == (503, 503)
        assert int(late.answer.headers["Retry-After"]) > 0
        with streams.open("/readyz") as ready:
            assert ready.status == 503
        assert not reader.has_ended
        proxy.heal()
        proxy.reset()
        reader.wait(lambda r: r.versions == [2, 3, 4])

    with streams.follow(noor) as again:
        assert again.status == 200


def test_rights_that_were_lost_while_postgres_was_away_are_noticed_first(
    start_streams, proxied, noor
):
    proxy, url = proxied
    streams = start_streams(DATABASE_URL=url, limits={"max_access_age": 0.5})

    with streams.open(X_Session_Token=noor.session) as reader:
        reader.wait(lambda r: r.frames)
        with proxy.outage():
            type(noor.user).objects.update(is_active=False)
            factories.record(factories.incoming_event(("user_id", "noor"), name="Secret"))
            time.sleep(1)
        reader.wait_for_end()

    assert "Secret" not in reader.names


# Helpers ---------------------------------------------------------------------------------


def metric(streams, name: str) -> float:
    with urllib.request.urlopen(f"{streams.url}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), 0)
