"""Reads the purposes and topics with their texts and notices, in a language."""

from collections.abc import Mapping, Sequence

from customers.models import Notice, Purpose, Topic
from customers.queries.consent_shapes import NoticeShape, PurposeShape, TopicShape

_FALLBACK_LANGUAGE = "en"


def purposes(language: str) -> list[PurposeShape]:
    """Return the published purposes with their newest notices, in this language if possible."""
    notices: dict[str, list[Notice]] = {}
    for notice in Notice.objects.order_by("version", "language"):
        notices.setdefault(notice.purpose_id, []).append(notice)
    return [
        PurposeShape(
            key=purpose.key,
            kind=purpose.kind,  # type: ignore[arg-type]  # one of Purpose.Kind
            name=_texts_in(purpose.texts, language).get("name", purpose.key),
            description=_texts_in(purpose.texts, language).get("description", ""),
            is_offered=purpose.is_offered,
            notice=_newest_notice(notices.get(purpose.key, ()), language),
        )
        for purpose in Purpose.objects.order_by("position", "key")
    ]


def topics(language: str) -> list[TopicShape]:
    """Return the topics of messages, in this language if possible."""
    return [
        TopicShape(
            key=topic.key,
            name=_texts_in(topic.texts, language).get("name", topic.key),
            description=_texts_in(topic.texts, language).get("description", ""),
        )
        for topic in Topic.objects.order_by("position", "key")
    ]


def _texts_in(texts: Mapping[str, Mapping[str, str]], language: str) -> Mapping[str, str]:
    return _in_language(texts, language) if texts else {}


def _in_language[T](by_language: Mapping[str, T], language: str) -> T:
    """Return the text in this language, else in English, else in any other."""
    for candidate in (language, language.partition("-")[0], _FALLBACK_LANGUAGE):
        if candidate in by_language:
            return by_language[candidate]
    return by_language[min(by_language)]


def _newest_notice(notices: Sequence[Notice], language: str) -> NoticeShape | None:
    """Return the newest notice, in this language if possible; `notices` are sorted by version."""
    if not notices:
        return None
    version = notices[-1].version
    by_language = {notice.language: notice for notice in notices if notice.version == version}
    chosen = _in_language(by_language, language)
    return NoticeShape(chosen.version, chosen.language, chosen.text, chosen.digest)
