from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "channels.pages"
    label = "pages"
