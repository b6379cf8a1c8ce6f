"""Writes an entry of the access log for each stream that a key or a colleague opens.

A console page has written its own entry before its script opens the stream of the record.
"""

import time
from datetime import datetime, timedelta

from channels.live import postgres
from channels.live.account_reader import Fetch
from customers import sql

INSERT_ACCESS_LOG = sql.load("insert_access_log").encode()
LOG_STAFF_STREAM = postgres.load_statement("log_staff_stream")
# If a reader opens a stream of a record again within this time, the process writes no second row.
_REPEAT_SECONDS = 600.0
_MAX_RECENT = 20_000


class StreamAccessLog:
    """The entries that this process writes: one for each reader and record in ten minutes."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        # The monotonic time of the last entry, by reader and record.
        self._recent: dict[tuple[str, str], float] = {}

    async def add(self, reader: str, customer_id: str, *, now: datetime) -> None:
        """Log that a reader opened a stream of a record. Raises DatabaseUnavailable."""
        access, moment = (reader, customer_id), time.monotonic()
        if moment - self._recent.get(access, -_REPEAT_SECONDS) < _REPEAT_SECONDS:
            return
        is_staff = reader.startswith("staff:")
        params: dict[str, object] = {
            "ids": [customer_id],
            "at": now,
            "actor": reader[:100],
            "role": "staff" if is_staff else "api",
            "what": "stream",
            "reason": "",
        }
        if is_staff:
            params["since"] = now - timedelta(seconds=_REPEAT_SECONDS)
        await self._fetch(LOG_STAFF_STREAM if is_staff else INSERT_ACCESS_LOG, params)
        if len(self._recent) >= _MAX_RECENT:
            self._recent.clear()
        self._recent[access] = moment
