from django.urls import path

from examples.themepark import views

app_name = "themepark"
urlpatterns = [
    path("look-as-noor/", views.look_as_noor, name="look-as-noor"),
    path("<slug:name>/", views.act, name="act"),
]
