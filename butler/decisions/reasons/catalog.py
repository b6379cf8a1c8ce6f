"""The reasons of decisions: their codes, layers, settings and sentences. Pure."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from butler.decisions.reasons import da, en, nl, sv
from butler.types import Layer

LANGUAGES = {"en": en.LANGUAGE, "nl": nl.LANGUAGE, "sv": sv.LANGUAGE, "da": da.LANGUAGE}
# The sentence for an unknown code, which another version of Butler stored.
_UNKNOWN = "unknown_facts"
# Codes of decisions that older versions stored. Decisions are append-only, so they keep them.
_RENAMED = {
    "halted": "pause_switch",
    "unknown_halted": "unknown_pause_switches",
    "unknown_control": "unknown_consent_state",
    "unknown_standing": "unknown_record_status",
}
_PLACE = re.compile(r"\{([a-z]+)\}")
_QUOTED = frozenset({"purpose", "topic", "automation"})


class Reason(msgspec.Struct, frozen=True):
    """The reason for which a message was sent or not sent."""

    code: str
    # None: the reason comes after the decision, from the outcome of the run or message.
    layer: Layer | None
    # The setting in Preferences that changes it; empty if the customer cannot change it.
    setting: str = ""


def _reasons() -> Iterable[Reason]:
    for setting, codes in _BY_SETTING.items():
        for code in codes.split():
            yield Reason(code, _LAYER_OF.get(code), setting)


_LAYERS: dict[Layer, str] = {
    "integrity": """
        unknown_customer unknown_version unknown_record_status unknown_consent_state unknown_addresses
        unknown_relations unknown_is_of_age unknown_used unknown_pause_switches unknown_facts
        unknown_rules unknown_class unknown_topic unknown_channel unknown_purpose unknown_time
        unknown_zone unknown_automation not_live expired""",
    "legal": """
        restricted objected no_address unknown_address address_bounced address_complained
        address_stopped address_not_mine not_of_age""",
    "terms": "no_terms",
    "basis": """
        legal_duty consent_given relation_live no_consent consent_refused consent_withdrawn
        consent_expired consent_no_notice no_relation relation_over""",
    "preference": """
        unknown_preference channel_off topic_off paused only_when_asked budget_used quiet_hours
        zone_unknown data_use_off person_first stale""",
    "company": "pause_switch company_budget company_quiet_hours",
}
_LAYER_OF = {code: layer for layer, codes in _LAYERS.items() for code in codes.split()}

_BY_SETTING = {
    "consent:{purpose}": """
        consent_given no_consent consent_refused consent_withdrawn consent_expired
        consent_no_notice objected data_use_off""",
    "channels": "channel_off topic_off unknown_channel no_channel sent delivered",
    "person_first": "person_first",
    "pause": "paused",
    "only_when_i_ask": "only_when_asked",
    "budget": "budget_used",
    "quiet_hours": "quiet_hours zone_unknown",
    "address": """
        no_address unknown_address address_bounced address_complained address_stopped address_not_mine
        unknown_addresses""",
    "": """
        legal_duty relation_live no_terms unknown_customer unknown_version unknown_record_status
        unknown_consent_state unknown_relations unknown_is_of_age unknown_used unknown_pause_switches
        unknown_facts unknown_rules unknown_class unknown_topic unknown_purpose unknown_time
        unknown_zone unknown_automation unknown_preference not_live expired stale pause_switch
        restricted not_of_age no_relation relation_over company_budget company_quiet_hours
        uncertain failed rejected withdrawn_by_us condition late_event superseded missing_value
        bad_record answered_meanwhile cancelled_by_event handover""",
}

REASONS: dict[str, Reason] = {reason.code: reason for reason in _reasons()}


def sentence(code: str, language: str, facts: Mapping[str, object] | None = None) -> str:
    """Return the sentence for a reason code, in English if the language is unknown.

    `facts` are the values of the placeholders: purpose, topic, automation and until as display
    names, channel as its key. A missing value gets the default of the language.
    """
    spoken = LANGUAGES.get(language[:2].lower(), en.LANGUAGE)
    names = facts or {}

    def fill(place: re.Match[str]) -> str:
        name = place[1]
        value = str(names.get(name) or "")
        if name == "channel":
            value = spoken.channels.get(value, value)
        elif name in _QUOTED and value:
            value = value.join(spoken.quotes)
        return value or spoken.defaults[name]

    return _PLACE.sub(
        fill, spoken.sentences.get(_RENAMED.get(code, code)) or spoken.sentences[_UNKNOWN]
    )


def setting_of(code: str, purpose: str = "") -> str:
    """Return the anchor of the deciding setting in Preferences; empty if there is none."""
    reason = REASONS.get(_RENAMED.get(code, code))
    setting = reason.setting if reason else ""
    return setting.format(purpose=purpose) if purpose else setting.partition(":")[0]
