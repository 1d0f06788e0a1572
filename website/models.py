"""Websites and what is done there: single hits for a day or two, without anybody in them, and counts for good."""

from __future__ import annotations

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Purpose, World


class HitKind(models.TextChoices):
    """What somebody does on a website; also the codes of the kinds of facts."""

    PAGE_VIEW = "page_view", _("Page view")
    SEARCH = "search", _("Search on the website")
    FORM_POST = "form_post", _("Form sent")
    LOGIN = "login", _("Login")
    APP_USE = "app_use", _("Use of the app")


class SiteQuerySet(models.QuerySet["Site"]):
    """Websites and apps."""

    def with_pages(self) -> SiteQuerySet:
        """Keep the websites in use, without those that are only an app."""
        return self.filter(is_active=True).exclude(hosts=[])


@pghistory.track()
class Site(models.Model):
    """A website or app of the organisation. ``key`` stands in its pages and is no secret; ``hosts`` are the domains
    whose pages may send hits.

    Visitors who identify are only linked when they allow ``purpose``.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    key = models.CharField(_("key"), max_length=24, unique=True, editable=False)
    hosts = ArrayField(models.CharField(max_length=253), verbose_name=_("domains"), default=list, blank=True)
    is_app = models.BooleanField(_("is an app"), default=False)
    keeps_queries = models.BooleanField(_("keeps what people search for"), default=False)
    keeps_pages = models.BooleanField(_("counts each page apart"), default=False)
    purpose = models.ForeignKey(Purpose, models.PROTECT, verbose_name=_("purpose"), related_name="+")
    is_active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("created at"), editable=False)

    objects = SiteQuerySet.as_manager()

    class Meta:
        verbose_name = _("website")
        verbose_name_plural = _("websites")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """The address of its first page, on the first of its domains."""
        host = self.hosts[0]
        is_local = host.partition(":")[0] in {"localhost", "127.0.0.1"}
        return f"http{'' if is_local else 's'}://{host}/"


class PageRule(models.Model):
    """Pages whose path begins with ``prefix`` belong to a section and perhaps a world; the longest prefix wins."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="rules")
    prefix = models.CharField(_("path begins with"), max_length=120)
    section = models.CharField(_("section"), max_length=40)
    world = models.ForeignKey(World, models.SET_NULL, null=True, blank=True, verbose_name=_("world"))

    class Meta:
        verbose_name = _("rule for pages")
        verbose_name_plural = _("rules for pages")
        constraints = [models.UniqueConstraint(fields=["site", "prefix"], name="page_rule_once")]
        ordering = ["prefix"]

    def __str__(self) -> str:
        return self.prefix


class Hit(models.Model):
    """One thing that one visit did; no address, no person. Counted and removed the next night.

    ``path`` is only kept for sites that count each page apart.

    ``visit`` and ``token`` are random texts of the visitor's browser: one for as long as a tab is open and at most a
    day, the other per page. ``recorded`` hits of an identified visit have become facts.
    """

    site = models.ForeignKey(Site, models.CASCADE, db_index=False)
    visit = models.CharField(max_length=24)
    token = models.CharField(max_length=24)
    kind = models.CharField(_("kind"), max_length=12, choices=HitKind)
    occurred_at = models.DateTimeField(_("when"))
    section = models.CharField(_("section"), max_length=40, blank=True)
    world = models.CharField(_("world"), max_length=40, blank=True)
    path = models.CharField(_("page"), max_length=120, blank=True, default="")
    name = models.CharField(_("name"), max_length=60, blank=True)
    results = models.IntegerField(_("results"), null=True)
    query = models.CharField(_("searched for"), max_length=100, blank=True)
    duration_seconds = models.IntegerField(_("duration"), default=0)
    recorded = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("hit")
        verbose_name_plural = _("hits")
        constraints = [models.UniqueConstraint(fields=["site", "token"], name="hit_once")]
        indexes = [
            models.Index(fields=["site", "visit"], name="hit_of_visit"),
            models.Index(fields=["occurred_at"], name="hit_by_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.occurred_at:%Y-%m-%d %H:%M}"


class Identification(models.Model):
    """A visit said, with a token of ours, that it is this customer, who allows that; as short-lived as hits."""

    site = models.ForeignKey(Site, models.CASCADE, db_index=False)
    visit = models.CharField(max_length=24)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="web_identifications")
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("identified visit")
        verbose_name_plural = _("identified visits")
        constraints = [models.UniqueConstraint(fields=["site", "visit", "customer"], name="identified_once")]

    def __str__(self) -> str:
        return f"{self.visit}: {self.customer_id}"


class HitCount(models.Model):
    """What happened on a day in a section: ``identified`` of the hits were linked to a customer."""

    site = models.ForeignKey(Site, models.CASCADE, db_index=False)
    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=12, choices=HitKind)
    section = models.CharField(_("section"), max_length=40, blank=True)
    world = models.CharField(_("world"), max_length=40, blank=True)
    hits = models.IntegerField(_("hits"))
    identified = models.IntegerField(_("identified"))
    without_results = models.IntegerField(_("searches without results"))
    duration_seconds = models.BigIntegerField(_("duration"))

    class Meta:
        verbose_name = _("count of hits")
        verbose_name_plural = _("counts of hits")
        constraints = [
            models.UniqueConstraint(fields=["site", "day", "kind", "section", "world"], name="hit_count_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.section}: {self.hits}"


class VisitCount(models.Model):
    """How many visits a day had, and how many of them were identified."""

    site = models.ForeignKey(Site, models.CASCADE, db_index=False)
    day = models.DateField(_("day"))
    visits = models.IntegerField(_("visits"))
    identified = models.IntegerField(_("identified"))

    class Meta:
        verbose_name = _("count of visits")
        verbose_name_plural = _("counts of visits")
        constraints = [models.UniqueConstraint(fields=["site", "day"], name="visit_count_once")]

    def __str__(self) -> str:
        return f"{self.day}: {self.visits}"


class QueryCount(models.Model):
    """What was searched for on a day, on sites that keep that; only texts that several visits had in common."""

    site = models.ForeignKey(Site, models.CASCADE, db_index=False)
    day = models.DateField(_("day"))
    query = models.CharField(_("searched for"), max_length=100)
    searches = models.IntegerField(_("searches"))
    without_results = models.IntegerField(_("searches without results"))

    class Meta:
        verbose_name = _("count of searches")
        verbose_name_plural = _("counts of searches")
        constraints = [models.UniqueConstraint(fields=["site", "day", "query"], name="query_count_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.query}: {self.searches}"


class PageCount(models.Model):
    """How a page did on a day, on sites that count each page apart; only pages that several visits had in common."""

    site = models.ForeignKey(Site, models.CASCADE, db_index=False)
    day = models.DateField(_("day"))
    path = models.CharField(_("page"), max_length=120)
    views = models.IntegerField(_("page views"))
    visits = models.IntegerField(_("visits"))
    duration_seconds = models.BigIntegerField(_("duration"))

    class Meta:
        verbose_name = _("count of a page")
        verbose_name_plural = _("counts of pages")
        constraints = [models.UniqueConstraint(fields=["site", "day", "path"], name="page_count_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.path}: {self.views}"
