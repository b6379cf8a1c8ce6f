"""The check that compares consent statements with messages finds faults, and only faults."""

from collections import Counter

import pytest

from bench.chaos import seeded_outgoing
from bench.chaos.outgoing import (
    OutgoingObservations,
    Run,
    StoredMessage,
    TriggerEvent,
    Withdrawal,
    check,
)
from bench.sink import ReceivedMessage

SEEDS = range(30)

TRIGGER = TriggerEvent("event", "offer", ("email", "inbox"), "noor@example.com")
RUN = Run("run", "offer", "noor", "event", "completed")
EMAIL, INBOX_MESSAGE = (
    StoredMessage("mail", "run", "email", "accepted"),
    StoredMessage("note", "run", "inbox", "delivered"),
)
RECEIVED = ReceivedMessage(1.0, "mail", "noor@example.com", "offers", "Offer", "hash", True)
CORRECT = OutgoingObservations([TRIGGER], [], [RUN], [EMAIL, INBOX_MESSAGE], [RECEIVED], [], {})


def failed_checks(**changes):
    return [finding.check for finding in check(CORRECT._replace(**changes))]


@pytest.mark.slow
def test_messaging_without_bugs_has_no_findings():
    findings = [
        (seed, str(finding)) for seed in range(200) for finding in seeded_outgoing.run(seed)
    ]

    assert findings == []


@pytest.mark.slow
@pytest.mark.parametrize("bug", seeded_outgoing.BUGS)
def test_every_seeded_bug_is_caught(bug):
    counts = Counter(
        check
        for seed in SEEDS
        for check in {finding.check for finding in seeded_outgoing.run(seed, bug)}
    )

    _, expected = seeded_outgoing.BUGS[bug]
    assert counts[expected] >= len(SEEDS) / 2, counts


def test_a_clean_run_has_no_findings():
    assert failed_checks() == []


def test_message_received_a_microsecond_after_the_withdrawal_is_found():
    before = Withdrawal("noor@example.com", "offers", 1.0)
    after = before._replace(acknowledged_at=0.999999)

    assert "C6" not in failed_checks(withdrawals=[before])
    assert "C6" in failed_checks(withdrawals=[after])


def test_confirmed_delivery_that_is_not_stored_is_found():
    assert failed_checks(confirmed_deliveries={"note"}) == []
    assert failed_checks(confirmed_deliveries={"mail"}) == ["C7"]


def test_sms_without_a_stored_message_is_found():
    sms = RECEIVED._replace(message_id="text", recipient="+31612000000")

    assert failed_checks(received=[RECEIVED, sms]) == ["C3"]
    assert (
        failed_checks(
            received=[RECEIVED, sms],
            messages=[EMAIL, INBOX_MESSAGE, EMAIL._replace(id="text", channel="sms")],
        )
        == []
    )


def test_declined_channel_counts_as_answered():
    declined = RUN._replace(declined=frozenset({"inbox"}))

    assert failed_checks(runs=[declined], messages=[EMAIL]) == []
    assert failed_checks(messages=[EMAIL]) == ["C7"]


def test_message_received_twice_is_found_unless_it_is_uncertain():
    uncertain = EMAIL._replace(state="uncertain", is_uncertain=True)

    assert failed_checks(received=[RECEIVED, RECEIVED]) == ["C7"]
    assert failed_checks(received=[RECEIVED, RECEIVED], messages=[uncertain, INBOX_MESSAGE]) == []


def test_received_message_without_a_stored_one_is_found():
    assert failed_checks(received=[RECEIVED, RECEIVED._replace(message_id="x", subject="y")]) == [
        "C3"
    ]


def test_unfinished_work_is_found():
    assert failed_checks(unfinished={"leases": 1}) == ["C11"]
