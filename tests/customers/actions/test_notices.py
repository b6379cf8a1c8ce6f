import pytest
from django.db import IntegrityError, ProgrammingError, connection

from customers.actions.notices import (
    NoticeChanged,
    NoticeText,
    PurposeText,
    TopicText,
    digest,
    publish,
)
from customers.consent import purpose_texts
from customers.models import Notice, Purpose, Topic
from tests.factories import NOON

pytestmark = pytest.mark.django_db

OFFERS = PurposeText("offers", "contact", {"en": {"name": "Offers", "description": "Now and then"}})
FIRST = NoticeText("offers", 1, {"en": "We may write.", "nl": "Wij mogen schrijven."})


def test_repeated_publication_changes_no_notice():
    assert publish(purposes=[OFFERS], notices=[FIRST], now=NOON) == 2
    assert publish(purposes=[OFFERS], notices=[FIRST], now=NOON) == 0

    notice = Notice.objects.get(language="nl")
    assert (notice.version, notice.digest) == (1, digest("Wij mogen schrijven."))


def test_changed_text_under_a_published_version_is_refused():
    publish(purposes=[OFFERS], notices=[FIRST], now=NOON)
    other = NoticeText("offers", 1, {"en": "We may write and sell.", "sv": "Vi får skriva."})

    with pytest.raises(NoticeChanged, match="offers, version 1, en"):
        publish(topics=[TopicText("rides", {})], notices=[other], now=NOON)

    assert Notice.objects.count() == 2
    assert not Topic.objects.exists()


def test_notice_of_an_unknown_purpose_is_refused():
    publish(notices=[NoticeText("nothing", 1, {"en": "x"})], now=NOON)

    with pytest.raises(IntegrityError):
        connection.check_constraints()


@pytest.mark.parametrize(
    "change",
    [lambda: Notice.objects.update(text="We may sell."), lambda: Notice.objects.all().delete()],
    ids=["changed", "deleted"],
)
def test_published_notice_cannot_be_changed_or_deleted(change):
    publish(purposes=[OFFERS], notices=[FIRST], now=NOON)

    with pytest.raises(ProgrammingError, match="pgtrigger: Cannot"):
        change()


def test_purpose_gets_its_newest_name_and_position():
    publish(purposes=[OFFERS], now=NOON)
    publish(purposes=[PurposeText("offers", "contact", {}, position=4, is_offered=False)], now=NOON)

    purpose = Purpose.objects.get()
    assert (purpose.texts, purpose.position, purpose.is_offered) == ({}, 4, False)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("nl", "nl"), ("nl-BE", "nl"), ("sv", "en"), ("", "en")],
)
def test_newest_notice_is_shown_in_the_language_of_the_reader(language, expected):
    second = NoticeText("offers", 2, {"en": "We may write often.", "nl": "Vaak."})
    publish(purposes=[OFFERS], notices=[FIRST, second], now=NOON)

    [shown] = purpose_texts.purposes(language)

    assert (shown.notice.version, shown.notice.language) == (2, expected)
    assert shown.notice.digest == digest(shown.notice.text)


def test_notice_falls_back_to_another_language():
    publish(purposes=[OFFERS], notices=[NoticeText("offers", 1, {"da": "Må vi?"})], now=NOON)

    assert purpose_texts.purposes("sv")[0].notice.language == "da"
    assert purpose_texts.purposes("sv")[0].name == "Offers"
