import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from customers.actions import erasure
from customers.models import AccessLogEntry, Customer, Event, GateScan, TicketCode
from tests import factories
from tests.channels.store.gates import (
    NOON,
    call,
    code_of,
    day,
    gate,
    holder,
    noor,
    place,
    replace,
    scan,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
HOUR = timedelta(hours=1)


def change(name, **facts):
    place(name=name, at=NOON + HOUR, of=None, **facts)


def cancel_order():
    change("Order Cancelled")


def refund_order():
    change("Order Refunded")


def refund_one_line():
    change("Order Refunded", products=[{"line_id": "b"}])


def move_to(days):
    return lambda: change("Order Amended", visit_date=day(days))


def admit(client, key, code):
    assert scan(client, key, code).json["admitted"]


def test_code_admits_once_and_names_the_customer(client):
    _, key = gate()
    noor()
    place()

    answer = scan(client, key, code_of())

    assert (answer.status, answer.counts) == (200, (1, 0, 0))
    shown = answer.json
    assert (shown["state"], shown["admitted"], shown["name"]) == ("good", True, "Noor")
    assert shown["line"] == "Good: Noor, today at 11:30, order A-1"
    assert (shown["id"], shown["order"]["number"]) == (str(holder()), "A-1")


@pytest.mark.parametrize(
    ("happens", "state", "line"),
    [
        pytest.param(lambda: None, "good", "Good", id="good"),
        pytest.param(
            refund_one_line,
            "partly_refunded",
            "Good for 2 of 3, the rest was refunded",
            id="partly-refunded",
        ),
        pytest.param(cancel_order, "cancelled", "Cancelled: this ticket is not valid", id="cancel"),
        pytest.param(refund_order, "cancelled", "Cancelled: this ticket is not valid", id="refund"),
        pytest.param(replace, "replaced", "Replaced: the ticket has a newer code", id="replaced"),
        pytest.param(
            lambda: place(of="els", name="Order Updated", at=NOON + HOUR),
            "moved",
            "Moved: another customer has this ticket now",
            id="moved-customer",
        ),
        pytest.param(move_to(-1), "expired", "Expired: the ticket was for ", id="expired"),
        pytest.param(move_to(3), "moved", "Moved: the ticket is now for ", id="moved-day"),
    ],
)
def test_gate_tells_the_state_of_a_ticket_in_one_line(client, happens, state, line):
    _, key = gate(scopes=["ingest", "identify"])
    noor()
    place()
    code = code_of()
    happens()

    shown = scan(client, key, code).json

    assert shown["state"] == state
    assert shown["line"].startswith(line)
    assert "\n" not in shown["line"]
    assert shown["admitted"] == (state in ("good", "partly_refunded"))
    assert shown["name"] is shown["id"] is shown["order"] is None
    assert "Noor" not in shown["line"]
    assert "A-1" not in shown["line"]


def test_ticket_for_another_day_tells_the_day(client):
    _, key = gate()
    place(visit_date=day(4))

    shown = scan(client, key, code_of()).json

    assert (shown["state"], shown["admitted"]) == ("wrong_day", False)
    assert (
        shown["line"] == f"Wrong day: the ticket is for {datetime.fromisoformat(day(4)):%d %B %Y}"
    )


def test_used_ticket_tells_when_and_where_and_nothing_else(client):
    _, key = gate()
    noor()
    place()
    code = code_of()
    admit(client, key, code)

    shown = scan(client, key, code, till="South gate").json

    assert (shown["state"], shown["admitted"], shown["name"]) == ("used", False, None)
    assert re.fullmatch(r"Used today at \d\d:\d\d at North gate", shown["line"])


@pytest.mark.parametrize(
    ("code", "state"),
    [
        pytest.param("K7QM-3XWA-9RTB-4CFG", "mistyped", id="wrong-character"),
        pytest.param("A-1", "unknown", id="order-number"),
        pytest.param("hello", "unknown", id="word"),
    ],
)
def test_code_that_butler_did_not_issue_is_named_without_a_record(client, code, state):
    _, key = gate()
    place()
    code_of()
    before = Customer.objects.count()

    answer = scan(client, key, code)

    assert (answer.status, answer.json["state"], answer.json["id"]) == (200, state, None)
    assert GateScan.objects.get().state == state
    assert Customer.objects.count() == before
    assert not Event.objects.filter(name__startswith="Ticket").exists()


def test_code_of_another_company_is_foreign(client, settings):
    from customers.tickets import codes

    _, key = gate()

    shown = scan(client, key, codes.new_code()).json

    assert (shown["state"], shown["line"]) == (
        "foreign",
        f"Not a ticket of {settings.BUTLER_COMPANY}",
    )


@pytest.mark.parametrize(
    "change_form",
    [
        pytest.param(str.lower, id="lower-case"),
        pytest.param(lambda code: code.replace("-", ""), id="no-dashes"),
        pytest.param(lambda code: f"  {code.replace('-', ' ')} ", id="spaces"),
        pytest.param(lambda code: code.replace("-", "–"), id="en-dashes"),
        pytest.param(lambda code: f"https://park.example/t/{code}", id="url"),
        pytest.param(lambda code: f"HTTPS://PARK.EXAMPLE/gate?code={code}&x=1", id="url-query"),
    ],
)
def test_code_is_read_in_each_form(client, change_form):
    _, key = gate()
    place()

    assert scan(client, key, change_form(code_of())).json["state"] == "good"


def test_same_scan_sent_again_gets_the_same_answer(client):
    _, key = gate()
    noor()
    place()
    code = code_of()

    answers = [scan(client, key, code, device="g2", id="7") for _ in range(3)]

    first, *again = [answer.json | {"version": None} for answer in answers]
    assert again == [first] * 2
    assert [answer.counts for answer in answers] == [(1, 0, 0), (0, 1, 0), (0, 1, 0)]
    assert answers[0].json["state"] == "good"
    assert scan(client, key, code, device="g2", id="8").json["state"] == "used"
    assert AccessLogEntry.objects.filter(what="gate").count() == 1


def test_id_of_a_scan_with_another_code_is_refused(client):
    _, key = gate()
    place()
    scan(client, key, "unknown-code", device="g2", id="7")

    answer = scan(client, key, code_of(), device="g2", id="7")

    assert (answer.status, answer.json["code"]) == (409, "other_content")
    assert scan(client, key, code_of()).json["state"] == "good"


def test_two_gates_at_one_moment_admit_one(running):
    sources = [gate() for _ in range(6)]
    place()
    code = code_of()
    start = threading.Barrier(len(sources))

    def scan_at_once(key):
        start.wait()
        return scan(running.web, key, code).json["state"]

    with ThreadPoolExecutor(len(sources)) as pool:
        states = list(pool.map(scan_at_once, [key for _, key in sources]))

    assert sorted(states) == ["good", *["used"] * 5]
    assert GateScan.objects.filter(outcome="admitted").count() == 1


def test_replaced_code_dies_at_once_and_the_new_one_admits(running):
    _, key = gate()
    place()
    before = code_of()
    replace()

    assert scan(running.web, key, before).json["state"] == "replaced"
    assert scan(running.web, key, code_of()).json["state"] == "good"
    assert Event.objects.get(name="Ticket Code Replaced").body["properties"] == {"order_id": "A-1"}


def test_code_replaced_after_use_admits_nobody(client):
    _, key = gate()
    place()
    admit(client, key, code_of())
    replace()

    assert scan(client, key, code_of()).json["state"] == "used"


def test_order_number_admits_only_with_the_setting_and_until_its_code_is_replaced(client, settings):
    _, key = gate()
    place()
    settings.BUTLER_ORDER_NUMBERS_OPEN_GATE = True

    assert scan(client, key, "A-1").json["state"] == "good"
    assert scan(client, key, code_of()).json["state"] == "used"

    place("B-2")
    code_of("B-2")
    replace("B-2")
    assert scan(client, key, "B-2").json["state"] == "unknown"

    place("C-3")
    settings.BUTLER_ORDER_NUMBERS_OPEN_GATE = False
    assert [scan(client, key, number).json["state"] for number in ("A-1", "C-3")] == ["unknown"] * 2


@pytest.mark.parametrize("is_code_read", [False, True])
def test_order_number_admits_nobody_after_the_order_moved(client, settings, is_code_read):
    """The former customer knows the number, and has it on a printed ticket."""
    _, key = gate()
    settings.BUTLER_ORDER_NUMBERS_OPEN_GATE = True
    place()
    if is_code_read:
        code_of()
    place(name="Order Amended", of="sam", at=NOON + HOUR)

    assert scan(client, key, "A-1").json["state"] == "unknown"
    assert scan(client, key, code_of()).json["state"] == "good"
    assert scan(client, key, "A-1").json["state"] == "unknown"


def test_order_number_of_a_claimed_or_requested_order_admits_nobody(client, settings):
    _, key = gate()
    settings.BUTLER_ORDER_NUMBERS_OPEN_GATE = True
    page = factories.sender(trusted=False)
    place("FREE-1", by=page)
    place("ASK-1", name="Order Requested", visit_date=day())

    states = [scan(client, key, number).json["state"] for number in ("FREE-1", "ASK-1")]

    assert states == ["requested"] * 2


def test_desk_finds_an_order_by_its_number_without_admitting(client):
    _, key = gate()
    noor()
    place()

    response = call(client, "/v1/store/scans", {"order": "A-1"}, key)

    assert (response.status, response.json["line"]) == (200, "Noor: today at 11:30, order A-1")
    assert "admitted" not in response.json
    assert not GateScan.objects.exists()
    assert scan(client, key, code_of()).json["state"] == "good"


def test_reentry_is_allowed_on_the_day_with_the_setting(client, settings):
    _, key = gate()
    place()
    code = code_of()
    settings.BUTLER_REENTRY = True
    admit(client, key, code)

    again = scan(client, key, code).json

    assert (again["state"], again["admitted"]) == ("good", True)
    assert "again after today at" in again["line"]
    assert GateScan.objects.filter(outcome="admitted").count() == 1
    assert Event.objects.filter(name="Ticket Scanned").count() == 1


def test_each_guest_has_a_code_that_admits_once(client, settings):
    _, key = gate()
    settings.BUTLER_TICKETS_PER = "guest"
    place(party=[{"name": "Noor"}, {"name": "Sam"}])
    first, second = code_of(guest="1"), code_of(guest="2")

    states = [scan(client, key, code).json["state"] for code in (first, second, first)]

    assert states == ["good", "good", "used"]
    replace(guest="2")
    assert scan(client, key, second).json["state"] == "replaced"
    assert scan(client, key, code_of(guest="2")).json["state"] == "used"


def test_code_of_a_guest_who_was_taken_off_the_order_is_cancelled(client, settings):
    _, key = gate()
    settings.BUTLER_TICKETS_PER = "guest"
    place(party=[{"name": "Noor"}, {"name": "Sam"}])
    second = code_of(guest="2")
    change("Order Amended", party=[{"name": "Noor"}])

    assert scan(client, key, second).json["state"] == "cancelled"


def test_erasure_ends_the_codes_and_deletes_them(client):
    _, key = gate()
    noor()
    place()
    code = code_of()
    erasure.erase(customer_id=holder(), reason="asked", actor="staff:x", now=datetime.now(UTC))

    shown = scan(client, key, code).json

    assert (shown["state"], shown["name"]) == ("unknown", None)
    assert bytes(TicketCode.objects.get().encrypted) == b""


def test_unknown_codes_are_limited_per_source(client, settings):
    settings.BUTLER_UNKNOWN_CODES_PER_SOURCE = 3
    _, key = gate()
    _, other_key = gate()
    place()
    code = code_of()
    guesses = [scan(client, key, f"guess-{number}").status for number in range(4)]

    refused = scan(client, key, code)

    assert guesses == [200, 200, 200, 429]
    assert (refused.status, refused.json["code"]) == (429, "too_many_codes")
    assert scan(client, other_key, code).json["state"] == "good"


def test_new_holder_of_a_moved_order_gets_a_code_of_her_own(client):
    _, key = gate(scopes=["ingest", "identify"])
    noor()
    place()
    earlier = code_of()
    place(of="els", name="Order Updated", at=NOON + HOUR)

    assert scan(client, key, earlier).json["state"] == "moved"
    assert code_of() != earlier
    assert scan(client, key, code_of()).json["state"] == "good"
    assert scan(client, key, earlier).json["state"] == "moved"
