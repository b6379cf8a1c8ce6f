"""Reads the subjects, such as orders and calls, that a session opens of a record."""

from typing import NamedTuple

from customers import db, sql
from customers.types import OpenedRecord

# The beginnings of subjects, as customers.projections has them.
_INTERACTIONS = ("call:", "visit:", "chat:")


class OpenedSubjects(NamedTuple):
    """The subjects that a session opens, as events name them in `about`."""

    abouts: list[str]

    @property
    def orders(self) -> list[str]:
        """The numbers of the orders."""
        return self._names("order:")

    @property
    def members(self) -> list[str]:
        """The references of the members of the party."""
        return self._names("member:")

    @property
    def requests(self) -> list[str]:
        """The references of the service requests."""
        return self._names("request:")

    @property
    def interactions(self) -> list[str]:
        """The references of the calls, visits and chats, which are the subjects themselves."""
        return [about for about in self.abouts if about.startswith(_INTERACTIONS)]

    def _names(self, prefix: str) -> list[str]:
        return [about.removeprefix(prefix) for about in self.abouts if about.startswith(prefix)]


def read_opened_subjects(part: OpenedRecord) -> OpenedSubjects:
    """Return the subjects that a session opens of a record."""
    params = {
        "live_id": part.live_id,
        "record_ids": list(part.record_ids),
        "later_record_ids": list(part.later_record_ids),
        "opened_since": part.opened_since,
    }
    rows = db.rows(sql.load("read_opened_subjects"), params)
    return OpenedSubjects([about for (about,) in rows])
