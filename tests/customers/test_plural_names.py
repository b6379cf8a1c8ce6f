"""The administration shows correct plural names."""

import re

from django.apps import apps


def test_plural_names_of_models_are_spelled_correctly():
    plurals = [
        str(model._meta.verbose_name_plural)
        for model in apps.get_models()
        if model._meta.app_label in ("butler", "customers")
    ]

    assert "pause switches" in plurals
    assert [name for name in plurals if re.search(r"([^aeiou]ys|(ch|sh|s|x)s)$", name)] == []
