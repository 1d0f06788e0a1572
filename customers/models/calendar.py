"""School holidays, and the region of the organisation, so that "the coming autumn holiday" is a stretch of days."""

from __future__ import annotations

import datetime as dt

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _


class Region(models.TextChoices):
    NOORD = "noord", _("North")
    MIDDEN = "midden", _("Middle")
    ZUID = "zuid", _("South")


class HolidayName(models.TextChoices):
    HERFST = "herfst", _("autumn holiday")
    KERST = "kerst", _("Christmas holiday")
    VOORJAAR = "voorjaar", _("spring holiday")
    MEI = "mei", _("May holiday")
    ZOMER = "zomer", _("summer holiday")


class SchoolHolidayQuerySet(models.QuerySet["SchoolHoliday"]):
    """Reads of school holidays."""

    def named(self, name: str) -> SchoolHolidayQuerySet:
        """Keep those of this name; all when it is empty."""
        return self.filter(name=name) if name else self

    def around(self, day: dt.date, which: str) -> SchoolHoliday | None:
        """Return the holiday that is going on (``this``), that ended last (``last``) or that begins next (``next``) as
        seen from a day; None when none is known.
        """
        if which == "this":
            return self.filter(first_day__lte=day, last_day__gte=day).order_by("first_day").first()
        if which == "last":
            return self.filter(last_day__lt=day).order_by("-last_day").first()
        return self.filter(first_day__gt=day).order_by("first_day").first()


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class SchoolHoliday(models.Model):
    """The days without school of one region, the weekends around them included, both ends too.

    ``school_year`` is the year in which the school year begins: 2026 for 2026-2027.
    """

    region = models.CharField(_("region"), max_length=6, choices=Region)
    name = models.CharField(_("holiday"), max_length=8, choices=HolidayName)
    school_year = models.PositiveSmallIntegerField(_("school year"))
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))

    objects = SchoolHolidayQuerySet.as_manager()

    class Meta:
        verbose_name = _("school holiday")
        verbose_name_plural = _("school holidays")
        ordering = ["first_day", "region"]
        constraints = [
            models.UniqueConstraint(fields=["region", "name", "school_year"], name="school_holiday_once"),
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")), name="school_holiday_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_name_display()} {self.school_year}-{self.school_year + 1}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class CalendarSettings(models.Model):
    """The one row (id 1) that says in which region of school holidays the organisation lies."""

    region = models.CharField(_("region"), max_length=6, choices=Region, default=Region.NOORD)

    class Meta:
        verbose_name = _("settings of the calendar")
        verbose_name_plural = _("settings of the calendar")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_row_of_calendar_settings")]

    def __str__(self) -> str:
        return self.get_region_display()

    @classmethod
    def load(cls) -> CalendarSettings:
        """Return the settings; before anybody saved them a row with the default that is not in the database."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
