"""Labels of consent statements on the pages."""

import pytest
from django.utils import translation

from channels.pages.presenters.decisions import CatalogNames
from channels.pages.presenters.ledger import subject_label


@pytest.mark.parametrize(
    ("language", "stop", "start"),
    [
        ("en", "STOP by text message", "START by text message"),
        ("nl", "STOP per sms", "START per sms"),
        ("sv", "STOP via sms", "START via sms"),
        ("da", "STOP via sms", "START via sms"),
    ],
)
def test_signal_of_a_text_message_has_a_label_instead_of_its_key(language, stop, start):
    names = CatalogNames({}, {})

    with translation.override(language):
        labels = [
            subject_label("signal.received", subject, "sms", "*", names)
            for subject in ("sms_stop", "sms_start")
        ]

    assert labels == [stop, start]
