"""The display names of automations."""

from django.db.models import Case, F, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce

from butler.models import Automation, AutomationVersion

# Orders the versions of an automation: the version in use first, then the newest.
IN_USE_FIRST = (
    Case(When(status__in=("live", "paused"), then=Value(0)), default=Value(1)),
    "-number",
)


def display_name(language: str) -> Coalesce:
    """Return the expression for the name of an automation in a language, or else its key."""
    name = KeyTextTransform(language, KeyTransform("name", F("document")))
    return Coalesce(name, F("automation_id"), output_field=TextField())


def names(language: str) -> dict[str, str]:
    """Return the name of each automation in a language, by key."""
    versions = AutomationVersion.objects.order_by("automation_id", *IN_USE_FIRST)
    names_by_key = dict(
        versions.distinct("automation_id").values_list("automation_id", display_name(language))
    )
    keys = Automation.objects.order_by("key").values_list("key", flat=True)
    return {key: names_by_key.get(key, key) for key in keys}
