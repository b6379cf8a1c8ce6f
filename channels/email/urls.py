from django.urls import path

from channels.email import outbox

urlpatterns = [
    path("outbox/", outbox.outbox_page, name="outbox"),
    path("outbox.json", outbox.outbox_json, name="outbox-json"),
]
