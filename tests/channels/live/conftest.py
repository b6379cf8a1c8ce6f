import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from bench.chaos.proxy import Proxy
from bench.ports import free_port
from channels.live import tickets
from customers.access import keys
from customers.models import Customer, SourceKey
from tests import conftest, factories
from tests.channels.live.stream_reader import Reader, by_key


@pytest.fixture
def proxied(running) -> Iterator[tuple[Proxy, str]]:
    """Yield a proxy to the test database, and the database URL through the proxy."""
    with Proxy.in_front_of(url := running.env["DATABASE_URL"]) as proxy:
        yield proxy, proxy.proxied_url(url)


class Streams(NamedTuple):
    """The URL of a live process, with a key that may read all streams."""

    url: str
    key: str

    def open(self, path: str = "/live/me", **headers: str) -> Reader:
        return Reader(self.url + path, {k.replace("_", "-"): v for k, v in headers.items()})

    def follow(self, customer: Customer, after: int | None = None) -> Reader:
        """Follow one customer with the key, and wait for the first frame."""
        query = "" if after is None else f"?after={after}"
        reader = Reader(f"{self.url}/live/customers/{customer.id}{query}", by_key(self.key))
        if reader.status == 200:
            reader.wait(lambda r: r.frames)
        return reader


class Login(NamedTuple):
    """A signed-in customer, with the user and the session key."""

    customer: Customer
    user: object
    session: str

    def ticket(self) -> str:
        return tickets.issue(session_key=self.session, now=datetime.now(UTC))


@pytest.fixture
def key(running) -> str:
    return make_key(["read"])


@pytest.fixture
def streams(running, key) -> Streams:
    return Streams(running.live, key)


def make_key(scopes: list[str], *, is_secret: bool = True, **fields) -> str:
    new_key = keys.generate_key(is_secret=is_secret)
    SourceKey.objects.create(
        source=factories.source(),
        prefix=new_key.prefix,
        digest=new_key.digest,
        is_secret=is_secret,
        scopes=scopes,
        **fields,
    )
    return new_key.text


def guest(name: str = "noor") -> Customer:
    return factories.customer(("user_id", name))


def store_events(customer, *, times: int = 1, **facts) -> None:
    """Store events of a customer through ingest."""
    known_as = customer.identifiers.filter(kind="user_id").first().value.partition("/")[2]
    factories.record(
        *[factories.incoming_event(("user_id", known_as), **facts) for _ in range(times)]
    )


def sign_in(customer: Customer | None, **fields) -> Login:
    """Create a user of the customer and sign the user in with Django."""
    email = f"guest-{time.monotonic_ns()}@example.com"
    user = get_user_model().objects.create_user(email, "a good password", record=customer, **fields)
    client = Client()
    client.force_login(user)
    return Login(customer, user, client.session.session_key)


@pytest.fixture
def noor(running) -> Login:
    return sign_in(factories.customer(("user_id", "noor")))


@pytest.fixture
def start_streams(running, key, tmp_path) -> Iterator[Callable[..., Streams]]:
    """Start further live processes with other limits or other services."""
    with contextlib.ExitStack() as stack:

        def start(*, limits: dict | None = None, **env: str) -> Streams:
            port = free_port()
            process = stack.enter_context(
                live_process(port, {**running.env, **env}, limits or {}, tmp_path / f"{port}.log")
            )
            streams = Streams(f"http://127.0.0.1:{port}", key)
            start.processes[streams] = process
            return streams

        start.processes = {}
        yield start


@contextlib.contextmanager
def live_process(
    port: int, env: dict[str, str], limits: dict, log: Path
) -> Iterator[subprocess.Popen]:
    env = {**env, "LIMITS": json.dumps(limits)}
    process = conftest._granian(
        "asgi", "tests.channels.live.short_streams:application", port, env, log
    )
    try:
        conftest._await(f"http://127.0.0.1:{port}/livez", process, log)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
