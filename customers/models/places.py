"""Where postal codes and branches lie, to say who lives near which branch."""

from __future__ import annotations

import pghistory
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customers import Branch

_LATITUDE = models.Q(latitude__gte=-90, latitude__lte=90)
_LONGITUDE = models.Q(longitude__gte=-180, longitude__lte=180)


class PostalPlace(models.Model):
    """The middle of a postal code in degrees (WGS 84): of ``1441AB``, or of all of ``1441`` where that is not known.

    It comes from a file of any provider (format ``coordinates``).
    """

    code = models.CharField(_("postal code"), max_length=6, unique=True)
    latitude = models.FloatField(_("latitude"))
    longitude = models.FloatField(_("longitude"))
    run_id = models.BigIntegerField(null=True, editable=False)  # the import that brought it

    class Meta:
        verbose_name = _("place of a postal code")
        verbose_name_plural = _("places of postal codes")
        constraints = [models.CheckConstraint(condition=_LATITUDE & _LONGITUDE, name="postal_place_on_earth")]
        # A box of degrees around a branch narrows half a million postal codes down to some thousands.
        indexes = [
            GistIndex(
                models.Func("longitude", "latitude", function="point", output_field=models.Field()),
                name="postal_place_point",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.latitude:.5f}, {self.longitude:.5f}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class BranchPlace(models.Model):
    """Where a branch lies in degrees, set by staff; without it the place of its postal code counts."""

    branch = models.OneToOneField(Branch, models.CASCADE, related_name="place", verbose_name=_("branch"))
    latitude = models.FloatField(_("latitude"))
    longitude = models.FloatField(_("longitude"))

    class Meta:
        verbose_name = _("place of a branch")
        verbose_name_plural = _("places of branches")
        constraints = [models.CheckConstraint(condition=_LATITUDE & _LONGITUDE, name="branch_place_on_earth")]

    def __str__(self) -> str:
        return f"{self.branch_id}: {self.latitude:.5f}, {self.longitude:.5f}"
