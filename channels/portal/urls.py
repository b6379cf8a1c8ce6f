from django.urls import path
from django.views.i18n import set_language

from channels.portal import sign_in, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("clock/", views.clock, name="clock"),
    path("sign-in/", sign_in.ask, name="sign-in"),
    path("sign-in/code/", sign_in.prove, name="sign-in-code"),
    path("sign-out/", sign_in.leave, name="sign-out"),
    path("language/", set_language, name="language"),
]
