from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "channels.portal"
    label = "portal"
