import uuid

import pytest

from channels.sms import statuses
from tests.butler.arrange import NOON

OURS = str(uuid.uuid4())


def read(status: str, code: str = "", message: str = OURS):
    fields = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code}
    return statuses.parse_report(fields, message, now=NOON)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        ("queued", "", "accepted"),
        ("sent", "", "accepted"),
        ("delivered", "", "delivered"),
        ("DELIVERED", "", "delivered"),
        ("read", "", "delivered"),
        ("undelivered", "30003", "failed"),
        ("undelivered", "30005", "bounced"),
        ("failed", "30006", "bounced"),
        ("failed", "21610", "stopped"),
        ("failed", "", "failed"),
        ("failed", "<script>", "failed"),
        ("canceled", "", "rejected"),
    ],
)
def test_each_status_is_a_report(status, code, kind):
    report = read(status, code)

    assert report.kind == kind
    assert (report.provider_id, report.message_id) == ("SM1", OURS)
    assert report.detail == (code if code.isdecimal() else "")


def test_a_status_has_one_name_however_often_it_comes():
    assert read("sent").event_id == read("sent").event_id != read("delivered").event_id


@pytest.mark.parametrize("message", ["", "x", "\x00", "1" * 500])
def test_report_with_an_invalid_message_id_has_only_the_provider_id(message):
    assert read("sent", message=message).message_id == ""


def test_unknown_status_or_missing_sid_is_no_report():
    assert read("something-new") is None
    assert statuses.parse_report({"MessageStatus": "sent"}, OURS, now=NOON) is None
