"""Reads that many ask for: who can be reached, who is found by these words, what happened to whom."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Sum, Value
from django.db.models.functions import Coalesce, ExtractYear, TruncMonth

from common.time import AMSTERDAM
from customers.names import fold_name, normalise_phone, normalise_postal_code

if TYPE_CHECKING:
    from customers.models.customers import Customer, Subscription  # noqa: F401 - named in a string below
    from customers.models.facts import Fact  # noqa: F401

_POSTAL_AND_NUMBER = re.compile(r"^([1-9]\d{3}\s?[a-z]{2})[\s,]*(\d{1,5})?\s*(.*)$", re.IGNORECASE)


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Customers, narrowed by what a list or an audience needs; every narrowing is a sub-query, never a join."""

    def _with_contact(self, channel: str, condition: Q | None = None) -> CustomerQuerySet:
        from customers.models.customers import ContactPoint

        points = ContactPoint.objects.filter(condition or Q(), customer=OuterRef("pk"), channel=channel)
        return self.filter(Exists(points))

    def with_email(self) -> CustomerQuerySet:
        """Keep those of whom an e-mail address is known."""
        return self._with_contact("email", Q(is_primary=True))

    def with_phone(self) -> CustomerQuerySet:
        """Keep those of whom a phone number is known."""
        return self._with_contact("phone", Q(is_primary=True))

    def with_address(self) -> CustomerQuerySet:
        """Keep those to whom a letter can be sent: street, postal code and place are known."""
        return self.exclude(street="").exclude(postal_code="").exclude(city="")

    def with_contact_values(self) -> CustomerQuerySet:
        """Annotate ``email`` and ``phone`` with the primary contact points, empty text when there is none."""
        from customers.models.customers import ContactPoint

        def primary(channel: str) -> Any:
            points = ContactPoint.objects.filter(customer=OuterRef("pk"), channel=channel, is_primary=True)
            return Coalesce(models.Subquery(points.values("value")[:1]), Value(""))

        return self.annotate(email=primary("email"), phone=primary("phone"))

    def search(self, text: str) -> CustomerQuerySet:
        """Find by e-mail, phone, postal code (with house number), customer number or name; names may hold
        typing errors.

        Best match first. The shape of the text tells what is looked for, so that each way has its own index.
        """
        text = " ".join(text.split())
        if not text:
            return self
        if "@" in text:
            return self._with_contact("email", Q(value__startswith=text.lower())).order_by("name_key", "pk")
        if match := _POSTAL_AND_NUMBER.match(text):
            return self._at_address(*match.groups())
        if re.fullmatch(r"[\d\s()+-]+", text):
            return self._by_digits(text)
        by_number = self.filter(number__iexact=text) if re.search(r"\d", text) else self.none()
        return by_number if by_number.exists() else self._by_name(text)

    def _at_address(self, postal_code: str, number: str | None, addition: str) -> CustomerQuerySet:
        found = self.filter(postal_code=normalise_postal_code(postal_code))
        if number:
            found = found.filter(house_number=number)
        if addition.strip():
            found = found.filter(house_number_addition__iexact=addition.strip(" -"))
        return found.order_by("house_number", "house_number_addition", "name_key", "pk")

    def _by_digits(self, text: str) -> CustomerQuerySet:
        digits = re.sub(r"\D", "", text)
        if not digits:
            return self.none()
        found = Q(number__startswith=digits)
        if len(digits) == 4:
            found |= Q(postal_code__startswith=digits)
        if len(digits) >= 9:
            from customers.models.customers import ContactPoint

            points = ContactPoint.objects.filter(channel="phone", value__startswith=normalise_phone(text))
            found |= Q(pk__in=points.values("customer_id"))
        return self.filter(found).order_by("number")

    def _by_name(self, text: str) -> CustomerQuerySet:
        words = fold_name(text)
        if not words:
            return self.none()
        exact = Q()
        for word in words.split():
            exact &= Q(name_key__contains=word)
        alike = Q(name_key__trigram_word_similar=words) if len(words) > 3 else Q()
        likeness = TrigramWordSimilarity(words, "name_key")
        return (
            self.filter(exact | alike if alike else exact)
            .annotate(is_exact=models.Case(models.When(exact, Value(1)), default=Value(0)), likeness=likeness)
            .order_by("-is_exact", "-likeness", "name_key", "pk")
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
