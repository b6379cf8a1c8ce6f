from django.db import models
from django.db.models.functions import Now

from customers.models.source import Source, Space


class NumberingQuestion(models.Model):
    """A question for staff: do two sources of one space number their customers separately?

    Butler counts the cases that raise it. Staff are asked once, however many cases there are.
    """

    class Answer(models.TextChoices):
        OPEN = "", "open"
        # One of the sources got a space of its own.
        SEPARATE = "separate"
        # The sources number the same customers, so the space stays as it is.
        SAME = "same"

    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    first = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    # Mailboxes for which the two sources have two numbers.
    shared_mailboxes = models.BigIntegerField(default=0)
    # Numbers that both sources use, and that the rules keep apart.
    equal_numbers = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    answer = models.CharField(max_length=8, choices=Answer, blank=True, default=Answer.OPEN)
    reason = models.TextField(blank=True)
    answered_by = models.CharField(max_length=100, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    # The source that got a space of its own.
    moved = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["space", "first", "second"], name="numbering_is_asked_once"
            ),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="numbering_is_ordered"
            ),
            models.CheckConstraint(
                condition=models.Q(answer__in=["", "separate", "same"]),
                name="numbering_answer_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"sources {self.first_id} and {self.second_id} in space {self.space_id}"

    @property
    def cases(self) -> int:
        return self.shared_mailboxes + self.equal_numbers
