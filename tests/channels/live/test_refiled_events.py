"""Streams of two customers, while an event of one is filed on the other."""

import pytest
from django.utils import timezone

from customers.actions.refiling import refile_events
from tests import factories
from tests.channels.live.conftest import guest, store_events

pytestmark = pytest.mark.slow

LIN = ("user_id", "lin-refiled")


def test_both_streams_report_a_refiled_event_and_its_content_leaves_the_first(streams):
    noor = guest()
    lin = factories.customer(LIN, name="Lin")
    store_events(noor, name="Dinner Booked")
    noor.refresh_from_db()
    place = (noor.id, noor.version)

    with streams.follow(noor) as old, streams.follow(lin) as new:
        refile_events(
            events=[place], identifier=LIN, reason="", actor="staff:kim", now=timezone.now()
        )
        old.wait(lambda r: "Event Refiled" in r.names)
        new.wait(lambda r: "Event Refiled" in r.names)

    assert new.frames[-1].payload["body"]["properties"]["to"] == str(lin.id)
    with streams.follow(noor, after=0) as replay:
        replay.wait(lambda r: len(r.versions) == noor.version + 1)
    assert "Dinner Booked" not in replay.names
    assert ("moved", {"version": place[1], "kind": "moved"}, place[1]) in replay.events
