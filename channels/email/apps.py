from django.apps import AppConfig


class EmailConfig(AppConfig):
    name = "channels.email"
    label = "email"
