from django.urls import path

from channels import dev_outbox

urlpatterns = [
    path("outbox/", dev_outbox.outbox_page, name="outbox"),
    path("outbox.json", dev_outbox.outbox_json, name="outbox-json"),
]
