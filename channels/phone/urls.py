from django.urls import re_path

from channels.phone import views

urlpatterns = [
    re_path(r"^calls/?$", views.call, name="phone-calls"),
    re_path(r"^twilio/(?P<source>[^/]+)/?$", views.twilio, name="phone-twilio"),
]
