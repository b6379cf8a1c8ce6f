"""The baseline of messages: one task with an ETA for each message, and one query for each rule."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template import engines
from django.utils import timezone

from bench.baseline.models import Consent, Customer, Preference, Sent, Suppression

TEXT = "{{ name }}, something broke.\n\nAn afternoon at Larkmoor makes up for it."
HTML = "<html><body><p>{{ name }}, something broke.</p><p>An afternoon at Larkmoor makes up for it.</p></body></html>"
WEEKLY = 2


@shared_task
def send_offer(customer_id: str, number: str) -> None:
    customer = Customer.objects.get(pk=UUID(customer_id))
    if not Consent.objects.filter(customer=customer, purpose="offers", granted=True).exists():
        return
    if Preference.objects.filter(customer=customer, name="paused", value=True).exists():
        return
    address = customer.identifiers.get(kind="email").value
    if Suppression.objects.filter(address=address).exists():
        return
    now = timezone.now()
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)
        if Sent.objects.filter(customer=customer, at__gt=now - timedelta(days=7)).count() >= WEEKLY:
            return
        sent = Sent.objects.create(customer=customer, subject=f"Offer {number}", at=now)
    name = customer.traits.get(name="first_name").value
    django = engines["django"]
    letter = EmailMultiAlternatives(
        sent.subject,
        django.from_string(TEXT).render({"name": name}),
        "butler@localhost",
        [address],
    )
    letter.attach_alternative(django.from_string(HTML).render({"name": name}), "text/html")
    letter.send()
    sent.is_accepted = True
    sent.save()
