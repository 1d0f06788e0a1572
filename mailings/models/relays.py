"""Over which mail servers mail leaves, and how fast."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(
        condition=pghistory.AnyChange("name", "variable", "weight", "connections", "per_second", "is_active")
    ),
    pghistory.DeleteEvent(),
    exclude=["allowance", "allowance_at"],
)
class Relay(models.Model):
    """A mail server that takes mailings. Without any, all goes over that of EMAIL_URL.

    ``variable`` names the setting that holds its address and password, which are not for the database. ``allowance``
    is how many messages may leave at once as it stood at ``allowance_at``; it grows with time, up to what a fifth of a
    second allows.
    """

    name = models.CharField(_("name"), max_length=60, unique=True)
    variable = models.CharField(_("setting with its address"), max_length=80)
    weight = models.PositiveSmallIntegerField(_("share"), default=1)
    connections = models.PositiveSmallIntegerField(_("connections per worker"), default=16)
    per_second = models.PositiveIntegerField(_("most messages per second"), null=True)
    is_active = models.BooleanField(_("in use"), default=True)
    allowance = models.FloatField(default=0, editable=False)
    allowance_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("mail server")
        verbose_name_plural = _("mail servers")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(weight__gte=1, connections__gte=1), name="relay_does_something"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_known(self) -> bool:
        """Whether the setting with its address is there."""
        return self.variable in settings.RELAYS

    @property
    def provider(self) -> str:
        """Return the provider that is asked over the web; empty for a mail server."""
        name: str = settings.RELAYS.get(self.variable, {}).get("ANYMAIL", "")
        return name


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange("domain", "per_minute")),
    pghistory.DeleteEvent(),
    exclude=["allowance", "allowance_at"],
)
class DomainLimit(models.Model):
    """How many messages per minute go to addresses at one domain, over all mail servers and workers together."""

    domain = models.CharField(_("domain"), max_length=253, unique=True)  # lower case: "gmail.com"
    per_minute = models.PositiveIntegerField(_("most messages per minute"))
    allowance = models.FloatField(default=0, editable=False)
    allowance_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("limit of a mail domain")
        verbose_name_plural = _("limits of mail domains")
        ordering = ["domain"]
        constraints = [models.CheckConstraint(condition=models.Q(per_minute__gte=1), name="domain_gets_something")]

    def __str__(self) -> str:
        return self.domain
