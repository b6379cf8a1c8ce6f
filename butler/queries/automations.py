"""What the butler does by itself, as people call it."""

from django.db.models import Case, F, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce

from butler.models import Automation, AutomationVersion

# Of an automation's versions the one in use, or else the newest.
IN_USE_FIRST = (
    Case(When(status__in=("live", "paused"), then=Value(0)), default=Value(1)),
    "-number",
)


def worded(language: str) -> Coalesce:
    """Return what a version calls its automation; its key where nobody wrote that language."""
    name = KeyTextTransform(language, KeyTransform("name", F("document")))
    return Coalesce(name, F("automation_id"), output_field=TextField())


def names(language: str) -> dict[str, str]:
    """Return what each automation is called, by its key."""
    versions = AutomationVersion.objects.order_by("automation_id", *IN_USE_FIRST)
    found = dict(versions.distinct("automation_id").values_list("automation_id", worded(language)))
    keys = Automation.objects.order_by("key").values_list("key", flat=True)
    return {key: found.get(key, key) for key in keys}
