from django.urls import path

from examples.themepark import views

app_name = "themepark"
urlpatterns = [
    path("look-as-noor/", views.sign_in_as_noor, name="look-as-noor"),
    path("<slug:name>/", views.run_action, name="run-action"),
]
