import pytest

from customers.consent.statements import (
    ConsentStatement,
    Declarant,
    InvalidStatement,
    PublishedTerms,
    validate_statement,
)

TERMS = PublishedTerms(
    purposes={"offers": "contact", "personalize": "use"},
    topics=frozenset({"rides"}),
    notices=frozenset({("offers", "a" * 64)}),
)
NOOR = Declarant(is_trusted=True, channel="web")
SAM = Declarant(is_trusted=True, channel="phone", actor="staff:sam")
LIST = Declarant(is_trusted=True, channel="import", actor="source:old shop")
VOICE = {"kind": "voice", "recording": "rec-1"}


def code(word, speaker=NOOR):
    try:
        validate_statement(word, speaker, TERMS)
    except InvalidStatement as error:
        return error.code
    return None


def consent_given(**facts):
    facts = {"subject": "offers", "notice": "a" * 64} | facts
    return ConsentStatement(kind="consent.given", **facts)


def prefer(name, value, **scope):
    return ConsentStatement(kind="preference.set", subject=name, value=value, **scope)


@pytest.mark.parametrize(
    "word",
    [
        consent_given(),
        ConsentStatement(kind="consent.refused", subject="offers"),
        ConsentStatement(kind="consent.withdrawn", subject="personalize"),
        ConsentStatement(kind="objection.made", subject="marketing"),
        ConsentStatement(kind="objection.lifted", subject="offers"),
        ConsentStatement(kind="signal.received", subject="gpc"),
        prefer("allow", False, channel="sms", topic="rides"),
        prefer("budget", {"most": 0, "per": "week"}, channel="email"),
        prefer("quiet_hours", {"from": "22:00", "to": "08:00", "days": [6, 7]}),
        prefer("pause", "2027-04-18T09:00:00+02:00"),
        prefer("only_when_i_ask", True),
        prefer("zone", "Australia/Lord_Howe"),
        prefer("language", "da"),
        prefer("channel_order", ["inbox", "sms"]),
        prefer("person_first", True),
        prefer("data_use", False, topic="personalize"),
        ConsentStatement(kind="preference.cleared", subject="quiet_hours", channel="email"),
    ],
    ids=lambda word: f"{word.kind} {word.subject}",
)
def test_valid_statements_are_accepted(word):
    assert code(word) is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (ConsentStatement(kind="consent.expired", subject="offers"), "unknown_kind"),
        (ConsentStatement(kind="", subject="offers"), "unknown_kind"),
        (consent_given(subject="newsletter"), "unknown_purpose"),
        (consent_given(notice=""), "unknown_notice"),
        (consent_given(notice="b" * 64), "unknown_notice"),
        (consent_given(subject="personalize"), "unknown_notice"),
        (consent_given(value=True), "no_scope"),
        (consent_given(channel="email"), "no_scope"),
        (consent_given(evidence={"kind": "x" * 201}), "bad_text"),
        (consent_given(evidence={"kind": "a\nb"}), "bad_text"),
        (consent_given(evidence={str(n): "x" for n in range(21)}), "too_much_evidence"),
        (ConsentStatement(kind="objection.made", subject="everything"), "unknown_purpose"),
        (ConsentStatement(kind="signal.received", subject=""), "bad_text"),
        (prefer("mute", True), "unknown_setting"),
        (prefer("allow", "no"), "bad_value"),
        (prefer("allow", None), "bad_value"),
        (prefer("allow", 0), "bad_value"),
        (prefer("allow", False, channel="pigeon"), "unknown_channel"),
        (prefer("allow", False, topic="weather"), "unknown_topic"),
        (prefer("budget", {"most": 1001, "per": "day"}), "bad_value"),
        (prefer("budget", {"most": -1, "per": "day"}), "bad_value"),
        (prefer("budget", {"most": True, "per": "day"}), "bad_value"),
        (prefer("budget", {"most": 1, "per": "hour"}), "bad_value"),
        (prefer("quiet_hours", {"from": "24:00", "to": "08:00"}), "bad_value"),
        (prefer("quiet_hours", {"from": "22:00", "to": "08:00", "days": []}), "bad_value"),
        (prefer("quiet_hours", {"from": "22:00", "to": "08:00", "days": [1, 1]}), "bad_value"),
        (prefer("quiet_hours", {"from": "22:00", "to": "08:00", "day": [1]}), "bad_value"),
        (prefer("pause", "2027-04-18T09:00:00"), "bad_value"),
        (prefer("zone", "Mars/Olympus"), "bad_value"),
        (prefer("zone", "Europe"), "bad_value"),
        (prefer("zone", "UTC", channel="email"), "bad_value"),
        (prefer("language", "dutch, please"), "bad_value"),
        (prefer("channel_order", ["sms", "sms"]), "bad_value"),
        (prefer("channel_order", ["pigeon"]), "bad_value"),
        (prefer("person_first", True, topic="rides"), "bad_value"),
        (prefer("data_use", False), "unknown_purpose"),
        (prefer("data_use", False, topic="offers"), "unknown_purpose"),
        (ConsentStatement(kind="preference.cleared", subject="allow", value=True), "bad_value"),
        (ConsentStatement(kind="preference.cleared", subject="zone", channel="sms"), "bad_value"),
    ],
    ids=str,
)
def test_invalid_statements_are_refused(word, expected):
    assert code(word) == expected


def test_publishable_key_cannot_make_statements():
    app = Declarant(is_trusted=False, channel="app")

    assert code(consent_given(), app) == "only_claimed"
    assert code(ConsentStatement(kind="consent.withdrawn", subject="offers"), app) == "only_claimed"


@pytest.mark.parametrize("kind", ["consent.withdrawn", "objection.made", "objection.lifted"])
def test_declarant_for_a_customer_must_give_evidence(kind):
    assert code(ConsentStatement(kind=kind, subject="offers"), SAM) == "no_evidence"
    assert code(ConsentStatement(kind=kind, subject="offers", evidence=VOICE), SAM) is None


def test_imported_consent_needs_evidence():
    assert code(consent_given(), LIST) == "no_evidence"
    assert code(consent_given(evidence={"kind": "paper", "scan": "s-1"}), LIST) is None


@pytest.mark.parametrize(
    "word",
    [
        ConsentStatement(kind="objection.lifted", subject="marketing", evidence=VOICE),
        ConsentStatement(kind="preference.cleared", subject="allow", evidence=VOICE),
    ],
    ids=lambda word: word.kind,
)
def test_imported_list_lifts_no_statement(word):
    assert code(word, LIST) == "import_lifts_nothing"
