from django.urls import include, path
from rest_framework.routers import DefaultRouter

from bench.baseline.views import CustomerViewSet, EventViewSet

router = DefaultRouter()
router.register("events", EventViewSet)
router.register("customers", CustomerViewSet)

urlpatterns = [path("", include(router.urls))]
