"""Reads the purposes, topics and notices that the company published."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.conf import settings

from customers.consent.document import Company, PurposeTerms, ShownNotice
from customers.consent.statements import ConsentStatement, PublishedTerms
from customers.models import Notice, Purpose, Topic


class Publications(NamedTuple):
    """The publications that ledger entries and the validation of statements refer to.

    `notices` contains the notices of the given statements, by purpose and digest.
    """

    company: Company
    purpose_terms: Mapping[str, PurposeTerms]
    notices: Mapping[tuple[str, str], ShownNotice]
    terms: PublishedTerms


def read_publications(statements: Sequence[ConsentStatement]) -> Publications:
    """Read the published purposes and topics, and the notices that these statements refer to."""
    purposes = list(Purpose.objects.values_list("key", "kind", "dpv", "details"))
    notices = _read_notices({statement.notice for statement in statements if statement.notice})
    return Publications(
        company=Company(
            settings.BUTLER_COMPANY,
            settings.BUTLER_COUNTRY,
            f"{settings.BUTLER_SITE_URL.rstrip('/')}/preferences/",
        ),
        purpose_terms={key: PurposeTerms(dpv, details) for key, _, dpv, details in purposes},
        notices=notices,
        terms=PublishedTerms(
            purposes={key: kind for key, kind, _, _ in purposes},
            topics=frozenset(Topic.objects.values_list("key", flat=True)),
            notices=frozenset(notices),
        ),
    )


def _read_notices(digests: set[str]) -> dict[tuple[str, str], ShownNotice]:
    notices = Notice.objects.filter(digest__in=digests) if digests else ()
    return {
        (notice.purpose_id, notice.digest): ShownNotice(
            notice.version, notice.language, notice.digest
        )
        for notice in notices
    }
