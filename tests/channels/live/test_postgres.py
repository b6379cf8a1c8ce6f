"""The live process with a Postgres that stays connected but does not answer."""

import asyncio
import time

import psycopg
import pytest

from channels.live.postgres import ConnectionPool, DatabaseUnavailable


async def ask(connections: ConnectionPool, times: int = 1) -> None:
    await asyncio.gather(*(connections.fetch(b"SELECT pg_sleep(0.1)", {}) for _ in range(times)))


def connections_to(url: str, *, patience: float) -> ConnectionPool:
    parameters = psycopg.conninfo.conninfo_to_dict(url)
    return ConnectionPool(
        {name.upper(): parameters[name] for name in ("user", "host", "port")}
        | {"NAME": parameters["dbname"], "OPTIONS": {}},
        max_size=3,
        timeout=patience,
    )


@pytest.mark.parametrize("at_hand", [0, 3])
def test_mute_postgres_is_given_up_after_the_timeout_and_used_again_later(proxied, at_hand):
    proxy, url = proxied
    connections = connections_to(url, patience=1)

    async def play() -> float:
        await ask(connections, at_hand)
        proxy.toxics.is_mute = True
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await ask(connections)
        took = time.monotonic() - began
        proxy.heal()
        proxy.reset()
        await ask(connections, 6)
        await connections.close()
        return took

    # Without the timeout of a second, the statement waits until the proxy heals: for ever.
    assert asyncio.run(play()) < 10


def test_cancelled_statement_gives_its_connection_back(proxied):
    proxy, url = proxied
    connections = connections_to(url, patience=30)

    async def play() -> None:
        await ask(connections, 3)
        proxy.toxics.is_mute = True
        tasks = [asyncio.create_task(connections.fetch(b"SELECT 1", {})) for _ in range(3)]
        await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=30)
        assert all(task.cancelled() for task in tasks)
        proxy.heal()
        proxy.reset()
        await ask(connections, 3)
        await connections.close()

    asyncio.run(play())
