"""A few connections to Postgres for a process that mostly waits. None is held while waiting."""

import asyncio
from collections.abc import AsyncIterator, Buffer, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import waiting
from psycopg.abc import RV, PQGen
from psycopg.adapt import Loader

# Options of Django's connection pool; a single connection does not know them.
_DJANGO_ONLY = frozenset({"pool", "server_side_binding", "isolation_level", "assume_role"})

_SQL = Path(__file__).parent / "sql"


class Away(Exception):
    """Postgres does not answer."""


class Connection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """Ends with the statement that somebody gave up.

    psycopg would ask Postgres to cancel it, and wait ten seconds for one that says nothing.
    """

    # psycopg's own signature, and how it waits.
    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> RV:
        try:
            return await waiting.wait_async(
                gen, self.pgconn.socket, interval=interval, timeout=timeout
            )
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise


class _Verbatim(Loader):
    """Hand JSON on as it is stored: it goes out as it came, unread."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def statement(name: str) -> bytes:
    return (_SQL / f"{name}.sql").read_bytes()


class Connections:
    """At most `most` connections, opened when needed and kept while they work."""

    def __init__(self, database: Mapping[str, Any], *, most: int, patience: float) -> None:
        options = database.get("OPTIONS", {})
        self._settings = {k: v for k, v in options.items() if k not in _DJANGO_ONLY}
        for ours, theirs in (
            ("dbname", "NAME"),
            ("user", "USER"),
            ("password", "PASSWORD"),
            ("host", "HOST"),
            ("port", "PORT"),
        ):
            if value := database.get(theirs):
                self._settings[ours] = value
        self._idle: list[Connection] = []
        self._turns = asyncio.Semaphore(most)
        self._patience = patience

    async def fetch(self, query: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement that stands alone; a connection that died meanwhile is replaced."""
        try:
            async with asyncio.timeout(self._patience), self._turns:
                try:
                    return await self._run(query, values)
                except psycopg.OperationalError:
                    # All connections die together when Postgres restarts. One new one tells
                    # whether it is back.
                    await self._drop_idle()
                    return await self._run(query, values)
        except (TimeoutError, OSError, psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Away from error

    async def _run(self, query: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        async with self._connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        connection = self._idle.pop() if self._idle else await self._connect()
        try:
            yield connection
        except BaseException:
            # Whatever it was in the middle of, the next one must not meet it.
            await connection.close()
            raise
        self._idle.append(connection)

    async def _connect(self) -> Connection:
        connection = await Connection.connect(autocommit=True, **self._settings)
        connection.adapters.register_loader("jsonb", _Verbatim)
        return connection

    async def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    async def close(self) -> None:
        await self._drop_idle()
