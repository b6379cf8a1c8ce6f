"""Cut the database connection of a request between two statements, and restore the rows."""

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import RequestFactory

from config.api_handler import ApiHandler, RoutingApplication
from customers.access import access_log

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
_CSRF = "a" * 32


class Call(NamedTuple):
    """The request of a client."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}
    cookies: Mapping[str, str] = {}


class Reply(NamedTuple):
    """The response that a client reads."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Site:
    """The handlers of the web processes, with real connections from the pool."""

    def __init__(self) -> None:
        self._application = RoutingApplication(ApiHandler(), WSGIHandler())

    def send(self, call: Call, *, forgets_looks: bool = True) -> Reply:
        """Send one request through WSGI, close its response as a server does, and return it."""
        if forgets_looks:
            # The process does not repeat access log entries, but their rows were restored.
            access_log._recent.clear()
        cookies = {"csrftoken": _CSRF, **call.cookies}
        request = RequestFactory().generic(
            call.method,
            call.path,
            call.body,
            content_type=call.content_type,
            headers={"accept": BROWSER, "x-csrftoken": _CSRF, **call.headers},
            HTTP_COOKIE="; ".join(f"{name}={value}" for name, value in cookies.items()),
        )
        environ = {**request.environ, "wsgi.input": io.BytesIO(call.body)}
        start: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            start.update(status=int(status[:3]), headers=dict(headers))

        response = self._application(environ, start_response)
        body = b"".join(response)
        response.close()  # type: ignore[attr-defined]
        return Reply(start["status"], start["headers"], body)


class Cutter:
    """Counts the statements, commits and rollbacks of this thread, and cuts before a chosen one."""

    def __init__(self, monkeypatch, admin: psycopg.Connection) -> None:
        self._admin = admin
        self._thread = threading.get_ident()
        self._cut_at = 0
        self.steps: list[str] = []
        self._watch(monkeypatch, psycopg.Cursor, "execute")
        self._watch(monkeypatch, psycopg.Connection, "commit")
        self._watch(monkeypatch, psycopg.Connection, "rollback")

    @contextmanager
    def before(self, number: int) -> Iterator[None]:
        """End the backend before this step of the block, counted from 1; 0 means no cut."""
        self.steps, self._cut_at = [], number
        try:
            yield
        finally:
            self._cut_at = 0

    def _watch(self, monkeypatch, owner: type, name: str) -> None:
        original = getattr(owner, name)

        def step(subject, *args, **kwargs):
            raw = getattr(subject, "connection", subject)
            if raw is not self._admin and threading.get_ident() == self._thread:
                text = args[0] if args else name
                self.steps.append(text if isinstance(text, str) else text.decode())
                if len(self.steps) == self._cut_at:
                    self.end_backend(raw)
            return original(subject, *args, **kwargs)

        monkeypatch.setattr(owner, name, step)

    def end_backend(self, raw: psycopg.Connection) -> None:
        """End the Postgres process of this connection, and wait until it has ended."""
        if not raw.closed:
            self._admin.execute("SELECT pg_terminate_backend(%s, 5000)", [raw.info.backend_pid])


class Rows:
    """A copy of the rows of all tables, to restore them and to compare with them."""

    def __init__(self, admin: psycopg.Connection) -> None:
        self._admin = admin
        columns = admin.execute(
            "SELECT table_name, string_agg(quote_ident(column_name), ', ')"
            "  FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            "   AND is_generated = 'NEVER' AND table_name <> 'django_migrations'"
            " GROUP BY table_name"
        ).fetchall()
        self._columns = dict(columns)
        admin.execute("DROP SCHEMA IF EXISTS saved CASCADE; CREATE SCHEMA saved")
        for table in self._columns:
            admin.execute(f"CREATE TABLE saved.{table} AS TABLE public.{table}")
        back = [
            f"DELETE FROM public.{table}; INSERT INTO public.{table} ({names})"
            f" OVERRIDING SYSTEM VALUE SELECT {names} FROM saved.{table};"
            for table, names in self._columns.items()
        ]
        # Disable the triggers of pgtrigger until the end of this transaction.
        ignoring = "SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true)"
        ignoring += " FROM pg_trigger WHERE tgname LIKE 'pgtrigger%';"
        self._back = f"BEGIN; SET CONSTRAINTS ALL DEFERRED; {ignoring}{''.join(back)}"

    def put_back(self) -> None:
        self._admin.execute(self._back + "COMMIT")

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        parts = [f"SELECT '{table}', count(*) FROM public.{table}" for table in self._columns]
        return dict(self._admin.execute(" UNION ALL ".join(parts)).fetchall())

    def forget(self) -> None:
        self._admin.execute("DROP SCHEMA IF EXISTS saved CASCADE")


def connect() -> psycopg.Connection:
    """Open a second connection to the database of Django's connection."""
    parts = connection.settings_dict
    return psycopg.connect(
        dbname=parts["NAME"],
        host=parts["HOST"],
        port=parts["PORT"] or None,
        user=parts["USER"],
        password=parts["PASSWORD"] or None,
        autocommit=True,
    )
