from django.urls import re_path

from channels.sms import views

urlpatterns = [
    re_path(r"^inbound/?$", views.inbound, name="sms-inbound"),
    re_path(r"^status/?$", views.status, name="sms-status"),
]
