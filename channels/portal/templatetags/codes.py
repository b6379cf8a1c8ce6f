"""Tells the templates which addresses the forms of the portal take."""

from django import template

from customers.actions import code_messages

register = template.Library()


@register.simple_tag
def takes_numbers() -> bool:
    """Tell whether a form takes phone numbers, because Butler sends codes by SMS."""
    return code_messages.sends_texts()
