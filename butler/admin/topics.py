"""The status of each topic."""

from django.contrib import admin

from butler.models import TopicStatus
from customers.read_only_admin import ReadOnlyAdmin


@admin.register(TopicStatus)
class TopicStatusAdmin(ReadOnlyAdmin):
    """How rides, shows and the like are; set through the API."""

    list_display = ("key", "status", "serial", "changed_at")
    search_fields = ("key",)
