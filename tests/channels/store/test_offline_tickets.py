"""Scans of ticket codes that an offline till uploads later."""

from datetime import UTC, datetime, timedelta

import pytest

from butler.models import StaffTask
from customers.models import Customer, Event, GateScan, QuarantinedItem
from tests.channels.store.gates import (
    code_of,
    gate,
    holder,
    place,
    replace,
    scan,
    upload,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def line(number, code, *, minutes=0, **facts):
    at = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
    return {"id": number, "code": code, "at": at, "till": "South gate"} | facts


def test_second_admission_by_an_offline_till_is_kept_and_given_to_staff(client):
    _, key = gate()
    place()
    code = code_of()
    assert scan(client, key, code).json["admitted"]

    answers = [upload(client, key, line("1", code, minutes=5)) for _ in range(2)]

    assert [answer.json["lines"][0]["status"] for answer in answers] == ["accepted", "duplicate"]
    assert sorted(GateScan.objects.values_list("outcome", flat=True)) == ["admitted", "double"]
    task = StaffTask.objects.get()
    assert (task.kind, task.customer_id) == ("ticket", holder())
    assert "A-1" in task.title
    assert Event.objects.filter(name="Ticket Admitted Twice").count() == 1


def test_offline_scans_of_one_ticket_in_any_order_make_one_admission(client):
    _, key = gate()
    place()
    code = code_of()
    later, earlier = line("2", code, minutes=1), line("1", code, minutes=9)

    answer = upload(client, key, later, earlier)

    assert [row["status"] for row in answer.json["lines"]] == ["accepted"] * 2
    by_time = GateScan.objects.order_by("scanned_at").values_list("outcome", flat=True)
    assert list(by_time) == ["admitted", "double"]
    assert scan(client, key, code).json["state"] == "used"


def test_scan_online_and_uploaded_later_is_one_admission(client):
    _, key = gate()
    place()
    code = code_of()
    scan(client, key, code, device="till-3", id="1")

    answer = upload(client, key, line("1", code))

    assert answer.json["lines"][0]["status"] == "duplicate"
    assert GateScan.objects.count() == 1
    assert not StaffTask.objects.exists()


def test_offline_scans_of_unknown_codes_are_kept_without_a_record(client):
    _, key = gate()
    before = Customer.objects.count()

    answer = upload(client, key, line("1", "nobody-knows"), {"id": "2", "card": "LK9"})

    assert [row["status"] for row in answer.json["lines"]] == ["accepted"] * 2
    assert GateScan.objects.get().state == "unknown"
    assert Customer.objects.count() == before + 1


def test_code_that_was_replaced_after_an_offline_scan_admitted_then(client):
    _, key = gate()
    place()
    before = code_of()
    replace()

    upload(client, key, line("1", before, minutes=1), line("2", before, minutes=-0))

    assert sorted(GateScan.objects.values_list("outcome", flat=True)) == ["admitted", "double"]


def test_code_is_on_no_log_and_in_no_quarantined_item(client):
    _, key = gate()
    place()
    code = code_of()
    scan(client, key, code)
    upload(client, key, {"id": "1", "code": code, "card": "LK1"}, line("2", code))

    texts = [str(event.body) for event in Event.objects.all()]
    texts += [
        bytes(row.raw or b"").decode(errors="replace") for row in QuarantinedItem.objects.all()
    ]
    assert QuarantinedItem.objects.count() == 1
    assert not any(code in text or code.replace("-", "") in text for text in texts)
