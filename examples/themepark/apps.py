from django.apps import AppConfig


class ThemeParkConfig(AppConfig):
    name = "examples.themepark"
    label = "themepark"
