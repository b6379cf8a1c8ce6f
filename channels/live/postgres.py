"""A pool of few Postgres connections; a stream holds none while it waits for events."""

import asyncio
from collections.abc import AsyncIterator, Buffer, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import waiting
from psycopg.abc import RV, PQGen
from psycopg.adapt import Loader

# Options for Django, which psycopg connections do not accept.
_DJANGO_ONLY = frozenset({"pool", "server_side_binding", "isolation_level", "assume_role"})

_SQL = Path(__file__).parent / "sql"


class DatabaseUnavailable(Exception):
    """Postgres does not answer."""


class Connection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """A connection that closes if its statement is cancelled.

    psycopg would ask Postgres to cancel the statement, and wait ten seconds for an answer.
    """

    # The signature and the waiting are those of psycopg.
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


class _RawJsonLoader(Loader):
    """Returns jsonb as bytes, without decoding it."""

    def load(self, buffer: Buffer) -> bytes:
        """Return the JSON as the bytes that Postgres sent, without decoding it."""
        return bytes(buffer)


def load_statement(name: str) -> bytes:
    """Return the content of a file of `sql/`; the name has no `.sql`."""
    return (_SQL / f"{name}.sql").read_bytes()


class ConnectionPool:
    """A pool of at most `max_size` connections, opened when needed and kept while they work."""

    def __init__(self, database: Mapping[str, Any], *, max_size: int, timeout: float) -> None:
        options = database.get("OPTIONS", {})
        self._settings = {
            option: value for option, value in options.items() if option not in _DJANGO_ONLY
        }
        for parameter, setting in (
            ("dbname", "NAME"),
            ("user", "USER"),
            ("password", "PASSWORD"),
            ("host", "HOST"),
            ("port", "PORT"),
        ):
            if value := database.get(setting):
                self._settings[parameter] = value
        self._idle: list[Connection] = []
        self._slots = asyncio.Semaphore(max_size)
        self._timeout = timeout

    async def fetch(self, query: bytes, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement in autocommit mode and return its rows. Raises DatabaseUnavailable.

        A lost connection is replaced once.
        """
        try:
            async with asyncio.timeout(self._timeout), self._slots:
                try:
                    return await self._run(query, values)
                except psycopg.OperationalError:
                    # A restart of Postgres closes all connections, so try once with a new one.
                    await self._close_idle()
                    return await self._run(query, values)
        except (TimeoutError, OSError, psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise DatabaseUnavailable from error

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
            # Its state is unknown, so it must not be used again.
            await connection.close()
            raise
        self._idle.append(connection)

    async def _connect(self) -> Connection:
        connection = await Connection.connect(autocommit=True, **self._settings)
        connection.adapters.register_loader("jsonb", _RawJsonLoader)
        return connection

    async def _close_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    async def close(self) -> None:
        """Close the idle connections; a connection that runs a statement stays open."""
        await self._close_idle()
