"""Call lists: how calls are made, and each call that was."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailings.models.mailings import Message


@pghistory.track()
class CallSettings(models.Model):
    """The one row (id 1) of how customers are called: between which hours, how many a day, how often one is tried."""

    from_hour = models.PositiveSmallIntegerField(_("call from (hour)"), default=10)
    until_hour = models.PositiveSmallIntegerField(_("call until (hour)"), default=21)
    per_day = models.PositiveIntegerField(_("most calls a day"), default=0)  # of all lists together; 0 is no limit
    most_attempts = models.PositiveSmallIntegerField(_("how often somebody is tried"), default=3)

    class Meta:
        verbose_name = _("settings of calling")
        verbose_name_plural = _("settings of calling")
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="only_one_row_of_call_settings"),
            models.CheckConstraint(
                condition=models.Q(from_hour__lt=models.F("until_hour"), until_hour__lte=24),
                name="call_hours_in_order",
            ),
            models.CheckConstraint(condition=models.Q(most_attempts__gte=1), name="somebody_is_tried_once"),
        ]

    def __str__(self) -> str:
        return f"{self.from_hour}-{self.until_hour}"

    @classmethod
    def load(cls) -> CallSettings:
        """Return the settings; before anybody saved them a row with defaults that is not in the database."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class CallQuerySet(models.QuerySet["Call"]):
    """Reads of calls."""

    def by_outcome(self) -> dict[str, int]:
        """Return outcome -> count."""
        return dict(self.order_by().values_list("outcome").annotate(n=models.Count("id")))


class Call(models.Model):
    """One call to a customer on a list, by whom, and what came of it."""

    class Outcome(models.TextChoices):
        REACHED = "reached", _("Spoke with the customer")
        NOT_REACHED = "not_reached", _("Not reached")
        LATER = "later", _("To be called again later")
        WANTS_NONE = "wants_none", _("Does not want to be called any more")
        WRONG_NUMBER = "wrong_number", _("Wrong number")

    message = models.ForeignKey(Message, models.CASCADE, related_name="calls", verbose_name=_("message"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    note = models.CharField(_("what was said"), max_length=500, blank=True)
    again_on = models.DateField(_("call again on"), null=True)
    called_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    called_at = models.DateTimeField(_("called at"), db_index=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.outcome}"
