from django.urls import re_path

from channels.webhook import views

urlpatterns = [re_path(r"^(?P<source>[^/]+)/?$", views.receive, name="webhook-receive")]
