"""Reads that many ask for: who can be reached, who is found by these words, what happened to whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Coalesce, ExtractYear, TruncMonth

from common.time import AMSTERDAM
from customers.search import MOST, Match, find

if TYPE_CHECKING:
    from customers.models.customers import Customer, Subscription  # noqa: F401 - named in a string below
    from customers.models.facts import Fact  # noqa: F401

_IDS = ArrayField(models.BigIntegerField())


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Customers, narrowed by what a list or an audience needs; every narrowing is a sub-query, never a join."""

    def _with_contact(self, channel: str, condition: Q | None = None) -> CustomerQuerySet:
        from customers.models.customers import ContactPoint

        points = ContactPoint.objects.filter(condition or Q(), customer=OuterRef("pk"), channel=channel)
        return self.filter(Exists(points))

    def usable(self) -> CustomerQuerySet:
        """Leave out those whose data are restricted: kept, but used for nothing (AVG 18)."""
        return self.filter(restricted_at__isnull=True)

    def with_email(self) -> CustomerQuerySet:
        """Keep those of whom an e-mail address is known."""
        return self._with_contact("email", Q(is_primary=True))

    def with_phone(self) -> CustomerQuerySet:
        """Keep those of whom a phone number is known."""
        return self._with_contact("phone", Q(is_primary=True))

    def with_address(self) -> CustomerQuerySet:
        """Keep those to whom a letter can be sent: a complete address that they have not left."""
        return self.filter(address_state="").exclude(street="").exclude(postal_code="").exclude(city="")

    def with_contact_values(self) -> CustomerQuerySet:
        """Annotate ``email`` and ``phone`` with the primary contact points, empty text when there is none."""
        from customers.models.customers import ContactPoint

        def primary(channel: str) -> Any:
            points = ContactPoint.objects.filter(customer=OuterRef("pk"), channel=channel, is_primary=True)
            return Coalesce(models.Subquery(points.values("value")[:1]), Value(""))

        return self.annotate(email=primary("email"), phone=primary("phone"))

    def search(self, text: str, *, limit: int = MOST) -> CustomerQuerySet:
        """Find by name, number, card, e-mail, phone, postal code (with house number) or birth date; names may hold
        typing errors (``customers.search``).

        Best match first, ``limit`` at most, each with ``why`` and ``matched`` (``customers.search.Match``): so narrow
        first and search last. Runs its queries at once.
        """
        if not text.strip():
            return self
        found = find(self, text, limit=limit)
        by_match: dict[Match, list[int]] = {}
        for pk, match in found.items():
            by_match.setdefault(match, []).append(pk)
        reasons = [When(pk__in=ids, then=Value(match.why)) for match, ids in by_match.items()]
        texts = [When(pk__in=ids, then=Value(match.text)) for match, ids in by_match.items() if match.text]
        place = models.Func(Value(list(found), output_field=_IDS), F("pk"), function="array_position")
        return (
            self.filter(pk__in=found)
            .annotate(
                why=Case(*reasons, default=Value(""), output_field=models.CharField()),
                matched=Case(*texts, default=Value(""), output_field=models.CharField()),
                place=models.ExpressionWrapper(place, output_field=models.IntegerField()),
            )
            .order_by("place")
        )


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Subscriptions in time."""

    def active_on(self, day: dt.date) -> SubscriptionQuerySet:
        """Keep those of which ``day`` is a member day (the end date included)."""
        return self.filter(Q(ended_on__isnull=True) | Q(ended_on__gte=day), started_on__lte=day)

    def paid(self) -> SubscriptionQuerySet:
        """Keep those with a payment obligation, which is what makes a customer relation in the sense of Tw
        11.7.
        """
        return self.filter(price_cents__gt=0)


class FactQuerySet(models.QuerySet["Fact"]):
    """Facts of a customer or a window of time."""

    def of(self, customer: Customer) -> FactQuerySet:
        """Keep what this customer did, latest first."""
        return self.filter(customer=customer).order_by(F("occurred_at").desc(), "-id")

    def between(self, start: dt.datetime | None, end: dt.datetime) -> FactQuerySet:
        """Keep what happened from ``start`` (or ever) until just before ``end``."""
        found = self.filter(occurred_at__lt=end)
        return found.filter(occurred_at__gte=start) if start else found

    def by_kind(self) -> dict[str, int]:
        """Return kind -> how many rows there are, the most frequent first."""
        counted = self.order_by().values_list("kind").annotate(many=Count("pk"))
        return dict(counted.order_by("-many", "kind"))

    def by_month(self, *, since: dt.datetime | None = None) -> dict[str, dict[dt.date, int]]:
        """Return kind -> first day of a month in Amsterdam -> how many; months without anything are left out."""
        facts = self.filter(occurred_at__gte=since) if since else self
        month = TruncMonth("occurred_at", tzinfo=AMSTERDAM, output_field=models.DateField())
        counted = facts.order_by().values_list("kind", month).annotate(many=Count("pk")).order_by("kind", month)
        months: dict[str, dict[dt.date, int]] = {}
        for kind, first_day, many in counted:
            months.setdefault(kind, {})[first_day] = many
        return months

    def by_world(self, *, kind: str = "", since: dt.datetime | None = None) -> dict[str, int]:
        """Return world -> how many facts, the most frequent first; facts without a world are left out."""
        facts = self.filter(kind=kind) if kind else self
        facts = facts.filter(occurred_at__gte=since) if since else facts
        counted = facts.exclude(world="").order_by().values_list("world").annotate(many=Count("pk"))
        return dict(counted.order_by("-many", "world"))

    def by_year(self, kinds: Iterable[str]) -> dict[int, dict[str, int]]:
        """Return year -> kind -> cents, of these kinds, the latest year first; ``customers.facts.income()`` has those
        that are worth something to the organisation.
        """
        year = ExtractYear("occurred_at", tzinfo=AMSTERDAM)
        facts = self.filter(kind__in=list(kinds)).exclude(amount_cents=0).order_by()
        summed = facts.values_list(year, "kind").annotate(cents=Sum("amount_cents")).order_by(year.desc(), "kind")
        years: dict[int, dict[str, int]] = {}
        for number, kind, cents in summed:
            years.setdefault(number, {})[kind] = cents
        return years


class PresentManager(models.Manager["Customer"]):
    """Everybody who is somebody: without those who were merged into another."""

    def get_queryset(self) -> CustomerQuerySet:
        """Return the customers that were not merged away."""
        return CustomerQuerySet(self.model, using=self._db).filter(merged_into__isnull=True)
