from django.urls import path

from channels import outbox

urlpatterns = [
    path("outbox/", outbox.page, name="outbox"),
    path("outbox.json", outbox.document, name="outbox-json"),
]
