"""A provider that does what tests tell it to, and something to hand to it."""

import time

from channels.protocol import DeliveryResult
from tests.butler import arrange


class Provider:
    """A provider that does what it is told, and remembers what it was handed."""

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
