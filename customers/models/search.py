from django.contrib.postgres.indexes import GinIndex
from django.db import models

from customers.models.customer import Customer


class SearchName(models.Model):
    """The name of a customer without accents and capitals, for search.

    Triggers on traits write it. An index on traits instead would make each change of a trait write
    to all indexes of that table.
    """

    customer = models.OneToOneField(
        Customer,
        on_delete=models.CASCADE,
        primary_key=True,
        db_constraint=False,
        related_name="search_name",
    )
    plain = models.TextField()

    class Meta:
        indexes = [
            GinIndex(
                fields=["plain"],
                opclasses=["gin_trgm_ops"],
                # Each search also scans the pending list, so it must stay short (kB).
                gin_pending_list_limit=256,
                name="search_name_trigrams",
            )
        ]

    def __str__(self) -> str:
        return f"name of {self.customer_id}"
