from django.urls import re_path

from channels.store import views

urlpatterns = [
    re_path(r"^scans/?$", views.scan, name="store-scans"),
    re_path(r"^batches/?$", views.batch, name="store-batches"),
]
