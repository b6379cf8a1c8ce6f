"""Answers to secret keys name the faults in stored events that their sender can correct."""

import pytest
from django.test import Client

from customers.models import QuarantinedItem, SourceWarning
from tests.channels import wire_client

pytestmark = pytest.mark.django_db

BAD_TRAITS = {"email": "noor at example", "phone": "unknown"}


def post(key, events, **headers):
    return Client().post(
        "/v1/batch",
        {"batch": events},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"} | headers,
    )


def bad_events(count=2):
    return [wire_client.track(context={"traits": BAD_TRAITS}) for _ in range(count)]


def test_secret_key_gets_codes_with_counts():
    source, key = wire_client.source(is_secret=True)

    response = post(key, [*bad_events(), wire_client.track()])

    assert response["Butler-Accepted"] == "3"
    assert response["Butler-Warnings"] == "identifier_dropped;count=2, non_identifier;count=2"
    assert SourceWarning.objects.filter(source=source).count() == 2


def test_large_events_are_a_warning_of_the_answer_only():
    _, key = wire_client.source(is_secret=True)
    large = wire_client.track(properties={"note": "x" * 40_000})

    response = post(key, [large, *bad_events(1)])

    assert response["Butler-Warnings"] == (
        "identifier_dropped;count=1, large_event;count=1, non_identifier;count=1"
    )
    assert not SourceWarning.objects.filter(code="large_event").exists()


def test_publishable_key_gets_no_warnings():
    _, key = wire_client.source()
    large = wire_client.track(properties={"note": "x" * 40_000})

    response = post(key, [large, *bad_events()])

    assert response["Butler-Accepted"] == "3"
    assert "Butler-Warnings" not in response
    assert not SourceWarning.objects.exists()


def test_events_without_faults_have_no_header():
    _, key = wire_client.source(is_secret=True)

    assert "Butler-Warnings" not in post(key, [wire_client.track()])


def test_refused_strict_request_counts_no_warning():
    _, key = wire_client.source(is_secret=True)

    response = post(key, [*bad_events(), {"type": "track"}], **{"X-Strict-Mode": "1"})

    assert response.status_code == 400
    assert "Butler-Warnings" not in response
    assert not SourceWarning.objects.exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/store/batches", {"device": "t", "lines": [{"id": "1", "card": "****1111"}]}),
        ("/v1/store/scans", {"card": "****1111", "device": "t", "id": "1"}),
    ],
)
def test_scan_of_a_masked_card_goes_to_quarantine_instead(path, body):
    _, key = wire_client.source(is_secret=True, channel="store", is_shared=True)

    response = Client().post(
        path, body, content_type="application/json", headers={"Authorization": f"Bearer {key}"}
    )

    assert "Butler-Warnings" not in response
    assert not SourceWarning.objects.exists()
    assert QuarantinedItem.objects.get().reason == "no_identifier"


def test_single_event_warns_too():
    _, key = wire_client.source(is_secret=True, channel="app")
    event = wire_client.track(context={"externalIds": [{"type": "crm", "id": "null"}]})

    response = Client().post(
        "/v1/track",
        event,
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )

    assert response["Butler-Warnings"] == "non_identifier;count=1"


def similar(name="Order Complete"):
    return wire_client.track(event=name, properties={"order_id": "A-1"})


def test_similar_name_is_named_with_the_known_one():
    source, key = wire_client.source(is_secret=True)

    response = post(key, [similar(), similar()])

    assert response["Butler-Warnings"] == (
        'similar_name;count=2;name="Order Complete";meant="Order Completed"'
    )
    [warning] = SourceWarning.objects.filter(source=source)
    assert (warning.code, warning.example) == ("similar_name:Order Completed", "Order Complete")


def test_similar_name_cannot_break_out_of_the_header():
    _, key = wire_client.source(is_secret=True)

    response = post(key, [similar('Order "Completéd\\')])

    assert response["Butler-Warnings"] == (
        'similar_name;count=1;name="Order ?Complet?d?";meant="Order Completed"'
    )


@pytest.mark.parametrize("name", ["Ride Entered", "order completed", "Photo Shared", "Order Paid"])
def test_other_and_known_names_cause_no_warning(name):
    _, key = wire_client.source(is_secret=True)

    assert "Butler-Warnings" not in post(key, [similar(name)])


def test_doubt_about_an_amount_is_counted_once_for_each_event():
    _, key = wire_client.source(is_secret=True)
    lines = [{"line_id": line, "price": "1.234"} for line in "12"]
    event = wire_client.track(
        event="Order Completed", properties={"order_id": "A-1", "products": lines, "total": 5}
    )

    response = post(key, [event, event | {"messageId": "other"}])

    assert response["Butler-Warnings"] == "ambiguous_amount;count=2"


def test_repeated_event_is_warned_about_once():
    _, key = wire_client.source(is_secret=True)
    event = similar()
    post(key, [event])

    assert "Butler-Warnings" not in post(key, [event])
