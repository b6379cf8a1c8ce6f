from django.contrib.postgres.indexes import GinIndex
from django.db import models

from customers.models.customer import Customer


class SearchName(models.Model):
    """The name of a customer without accents and capitals, for search.

    Written by triggers on traits. An index there instead would make every change of any trait
    write to all of the table's indexes.
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
                # What waits to be sorted in is looked through by every search.
                gin_pending_list_limit=256,
                name="search_name_trigrams",
            )
        ]

    def __str__(self) -> str:
        return f"name of {self.customer_id}"
