from datetime import timedelta

from hypothesis import given

from customers.consent.filter import consent_filter
from customers.consent.folding import fold
from customers.consent.state import ANY
from tests.customers.consent.entries import LEDGERS, A, B, C, allows, entry, prefer
from tests.factories import NOON


class TestFilter:
    """A decision would deny each customer that the filter of large audiences leaves out."""

    def test_filter_lists_everything_that_is_turned_off(self):
        entries = [
            entry("consent.given"),
            entry("consent.refused", "surveys"),
            entry("objection.made", "marketing"),
            prefer("allow", False, channel="sms"),
            prefer("allow", False, topic="rides"),
            prefer("pause", "2027-01-01T00:00:00+00:00"),
            prefer("only_when_i_ask", True),
        ]

        denied = consent_filter(fold(entries, [A]))

        assert (denied.granted, denied.objected) == (["offers"], ["marketing"])
        assert (denied.channels_off, denied.topics_off) == (["sms"], ["rides"])
        assert denied.paused_until.isoformat() == "2027-01-01T00:00:00+00:00"
        assert denied.only_when_i_ask is True

    def test_a_channel_that_is_on_for_one_topic_is_not_off(self):
        entries = [
            prefer("allow", False, channel="sms"),
            prefer("allow", True, channel="sms", topic="rides"),
        ]

        assert consent_filter(fold(entries, [A])).channels_off == []

    def test_wildcard_is_off_only_without_an_enabled_channel(self):
        off, on = prefer("allow", False), prefer("allow", True, channel="email")

        assert consent_filter(fold([off], [A])).channels_off == ["*"]
        assert consent_filter(fold([off], [A])).topics_off == ["*"]
        assert consent_filter(fold([off, on], [A])).channels_off == []
        assert consent_filter(fold([off, on], [A])).topics_off == []

    def test_pause_of_one_channel_does_not_pause_the_others(self):
        pause = prefer("pause", "2027-01-01T00:00:00+00:00", channel="sms")

        assert consent_filter(fold([pause], [A])).paused_until is None

    def test_filter_has_the_earliest_expiry_of_given_consents(self):
        soon, late = (NOON + timedelta(days=days) for days in (1, 2))
        entries = [
            entry("consent.given", valid_until=late.isoformat()),
            entry("consent.given", "surveys", valid_until=soon.isoformat()),
        ]
        withdrawn = entry("consent.withdrawn", "surveys", at=1)

        assert consent_filter(fold(entries, [A])).expires_at == soon
        assert consent_filter(fold([*entries, withdrawn], [A])).expires_at == late


@given(LEDGERS)
def test_filter_lists_only_denied_channels_and_topics(entries):
    state = fold(entries, [A, B, C])
    denied = consent_filter(state)

    for channel in ("email", "sms", "inbox"):
        for topic in ("rides", "visits", "news"):
            is_off = {channel, ANY} & {*denied.channels_off} or {topic, ANY} & {*denied.topics_off}
            assert not is_off or allows(state, channel, topic) is False
