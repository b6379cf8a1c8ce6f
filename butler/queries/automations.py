"""What the butler does by itself, as people call it."""

from django.db.models import Case, F, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce

from butler.models import Automation, AutomationVersion


def names(language: str) -> dict[str, str]:
    """Return what each automation is called: by the version in use, or else the newest."""
    comes = Case(When(status__in=("live", "paused"), then=Value(0)), default=Value(1))
    called = AutomationVersion.objects.order_by("automation_id", comes, "-number").distinct(
        "automation_id"
    )
    in_words = Coalesce(
        KeyTextTransform(language, KeyTransform("name", F("document"))),
        F("automation_id"),
        output_field=TextField(),
    )
    keys = Automation.objects.order_by("key").values_list("key", flat=True)
    found = dict(called.values_list("automation_id", in_words))
    return {key: found.get(key, key) for key in keys}
