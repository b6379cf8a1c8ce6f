from typing import Any

from django.db import transaction
from rest_framework import serializers

from bench.baseline.models import Customer, Event, Identifier, Trait


class IdentifierSerializer(serializers.ModelSerializer[Identifier]):
    class Meta:
        model = Identifier
        fields = ["kind", "value"]


class TraitSerializer(serializers.ModelSerializer[Trait]):
    class Meta:
        model = Trait
        fields = ["name", "value", "occurred_at"]


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    identifiers = IdentifierSerializer(many=True, read_only=True)
    traits = TraitSerializer(many=True, read_only=True)

    class Meta:
        model = Customer
        fields = ["id", "version", "created_at", "last_seen_at", "identifiers", "traits"]


class EventSerializer(serializers.Serializer[Event]):
    type = serializers.ChoiceField(["track", "identify", "page", "screen", "group", "alias"])
    messageId = serializers.CharField(max_length=100)
    userId = serializers.CharField(max_length=255, required=False)
    anonymousId = serializers.CharField(max_length=255, required=False)
    event = serializers.CharField(max_length=255, required=False)
    timestamp = serializers.DateTimeField()
    properties = serializers.JSONField(required=False)
    traits = serializers.DictField(required=False)
    context = serializers.JSONField(required=False)
    integrations = serializers.JSONField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("userId") and not attrs.get("anonymousId"):
            raise serializers.ValidationError("userId or anonymousId is required")
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Event:
        source = self.context["request"].user
        body = {**validated_data, "timestamp": validated_data["timestamp"].isoformat()}
        existing = Event.objects.filter(source=source, message_id=body["messageId"]).first()
        if existing:
            return existing
        with transaction.atomic():
            customer = self._customer(validated_data)
            customer.version += 1
            customer.last_seen_at = validated_data["timestamp"]
            customer.save()
            event = Event.objects.create(
                customer=customer,
                source=source,
                version=customer.version,
                message_id=body["messageId"],
                kind=body["type"],
                name=body.get("event", ""),
                occurred_at=validated_data["timestamp"],
                body=body,
            )
            for name, value in validated_data.get("traits", {}).items():
                Trait.objects.update_or_create(
                    customer=customer,
                    name=name,
                    defaults={"value": value, "occurred_at": event.occurred_at},
                )
        return event

    def _customer(self, event: dict[str, Any]) -> Customer:
        kind = "user_id" if event.get("userId") else "anonymous_id"
        value = event.get("userId") or event["anonymousId"]
        identifier = Identifier.objects.filter(kind=kind, value=value).first()
        if identifier is None:
            identifier, _ = Identifier.objects.get_or_create(
                kind=kind, value=value, defaults={"customer": Customer.objects.create()}
            )
        customer = Customer.objects.select_for_update().get(pk=identifier.customer_id)
        if kind == "user_id" and event.get("anonymousId"):
            Identifier.objects.get_or_create(
                kind="anonymous_id", value=event["anonymousId"], defaults={"customer": customer}
            )
        return customer

    def to_representation(self, instance: Event) -> dict[str, Any]:
        return {"customer": str(instance.customer_id), "version": instance.version}
