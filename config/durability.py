"""What the database must promise before an acknowledgement may mean anything."""

from django.db import connection

# With any of these off, what was acknowledged can be gone after a power cut.
REQUIRED_ON = ("fsync", "full_page_writes", "synchronous_commit")
_GOOD = {"on", "remote_write", "remote_apply", "local"}


def broken_promises() -> list[str]:
    """Name the settings of this database under which an acknowledgement would be a lie."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY (%s) ORDER BY name",
            [list(REQUIRED_ON)],
        )
        return [name for name, setting in cursor.fetchall() if setting not in _GOOD]
