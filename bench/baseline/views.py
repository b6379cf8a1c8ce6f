from typing import Any

from rest_framework import serializers, viewsets

from bench.baseline.models import Customer, Event
from bench.baseline.serializers import CustomerSerializer, EventSerializer


class EventViewSet(viewsets.ModelViewSet[Event]):
    queryset = Event.objects.all()
    serializer_class = EventSerializer

    def get_serializer(self, *args: Any, **kwargs: Any) -> serializers.BaseSerializer[Event]:
        if isinstance(kwargs.get("data"), list):
            kwargs["many"] = True
        return super().get_serializer(*args, **kwargs)


class CustomerViewSet(viewsets.ModelViewSet[Customer]):
    queryset = Customer.objects.prefetch_related("identifiers", "traits")
    serializer_class = CustomerSerializer
