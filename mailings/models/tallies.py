"""How many messages of a mailing are in each state: counted once for those that are over, and live for the rest."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from mailings.models.mailings import Mailing


class Tally(models.Model):
    """The count of a mailing that is over, state -> messages: a list of mailings would read millions of them otherwise.

    It holds while the mailing is over and no ``TallyChange`` stands beside it; ``actions.keep_tallies`` makes it anew.
    """

    mailing = models.OneToOneField(Mailing, models.CASCADE, primary_key=True, related_name="tally")
    states = models.JSONField(_("messages by state"))

    class Meta:
        verbose_name = _("count of a mailing")
        verbose_name_plural = _("counts of mailings")

    def __str__(self) -> str:
        return str(self.mailing_id)


class TallyChange(models.Model):
    """A message with which it was done changed its state after all, or went: what was counted of its mailing is old.

    A trigger adds these and nobody ever waits for another: one row that all change would make them wait.
    """

    mailing_id = models.BigIntegerField(db_index=True)

    class Meta:
        verbose_name = _("change of a count")
        verbose_name_plural = _("changes of counts")

    def __str__(self) -> str:
        return str(self.mailing_id)


class MessageStates(models.Func):
    """Of a mailing (expression of its id): state -> how many messages, as a mapping."""

    function = "mailings_states"
    output_field = models.JSONField()


def message_count(mailing: str | Combinable, *states: str) -> models.Func:
    """Return the expression of how many messages a mailing (its id) has, in these states or in any."""
    field = ArrayField(models.TextField())
    wanted = models.Value(list(states) or None, output_field=field)
    return models.Func(mailing, wanted, function="mailings_count", output_field=models.BigIntegerField())
