"""A simulated adapter with chosen results, and a function that queues a message for it."""

import time

from channels.protocol import DeliveryResult
from tests.butler import arrange


class Provider:
    """An adapter that returns the given results, and stores the ids of its messages."""

    channel = "email"
    provider = "told"
    address_kind = "email"
    is_idempotent = False
    timeout = 1.0

    def __init__(self, *results, pause=0.0, fails_at=None):
        self.results = list(results)
        self.pause = pause
        self.fails_at = fails_at
        self.handed = []

    def send(self, parcels, is_open):
        for number, parcel in enumerate(parcels):
            if not is_open():
                return
            if number == self.fails_at:
                raise ZeroDivisionError
            time.sleep(self.pause)
            self.handed.append(parcel.id)
            outcome = self.results.pop(0) if self.results else "accepted"
            facts = outcome if isinstance(outcome, dict) else {"outcome": outcome}
            yield DeliveryResult(
                parcel.delivery_id, **{"provider_id": str(len(self.handed)), **facts}
            )


def offer(**facts):
    guest = arrange.guest()
    arrange.record_statement(guest, "consent.given", "offers")
    return arrange.message(guest, **facts)
