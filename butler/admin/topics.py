"""The administration page of topics."""

from django.contrib import admin

from butler.models import TopicStatus
from customers.read_only_admin import ReadOnlyAdmin


@admin.register(TopicStatus)
class TopicStatusAdmin(ReadOnlyAdmin):
    """Shows the status of topics such as rides. The API and the console set it."""

    list_display = ("key", "status", "serial", "changed_at")
    search_fields = ("key",)
