import contextlib
import os
import signal
from collections.abc import Iterator

import pytest

from bench.chaos.proxy import Proxy
from bench.ports import free_port
from tests import conftest


@pytest.fixture
def proxy(running) -> Iterator[Proxy]:
    """A network to Postgres that can be made to fail."""
    with Proxy.in_front_of(running.env["DATABASE_URL"]) as proxy:
        yield proxy


@pytest.fixture
def web(running, proxy, tmp_path) -> Iterator[str]:
    """A web process whose way to Postgres leads through the proxy."""
    url = proxy.proxied_url(running.env["DATABASE_URL"])
    port, log = free_port(), tmp_path / "web.log"
    # As on a server: in DEBUG every failure writes a long story, which takes its time.
    env = {**running.env, "DATABASE_URL": url, "DEBUG": "0", "ALLOWED_HOSTS": "127.0.0.1"}
    env["BUTLER_ALLOW_RESERVED_DOMAINS"] = "1"
    process = conftest._granian("wsgi", "config.wsgi:application", port, env, log)
    try:
        conftest._await(f"http://127.0.0.1:{port}/livez", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        proxy.heal()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
