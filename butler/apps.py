from django.apps import AppConfig


class ButlerConfig(AppConfig):
    name = "butler"
    verbose_name = "What the butler decides and does"
