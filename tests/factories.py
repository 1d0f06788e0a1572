"""Minimal valid objects, one factory per model; richer states are made by calling actions."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import factory
from factory.django import DjangoModelFactory

from customers.base import SOURCE_KINDS

NOW = dt.datetime(2026, 6, 15, 10, 0, tzinfo=ZoneInfo("Europe/Amsterdam"))


def begin() -> None:
    """Base data as the migrations left it, and relations confirmed."""
    from customers.actions import ensure_base_data

    ensure_base_data()
    confirm_relations()


def confirm_relations() -> None:
    """Confirm the conditions of the customer relation, as an organisation does once it has begun."""
    from customers.models import PurposeChannel

    unconfirmed = PurposeChannel.objects.filter(basis="customer_relation", same_entity=False)
    unconfirmed.update(same_entity=True, was_informed=True, could_refuse=True, own_similar=True)


class SourceFactory(DjangoModelFactory):
    class Meta:
        model = "customers.Source"
        django_get_or_create = ("code",)

    code = "library"
    name = factory.LazyAttribute(lambda source: source.code.title())
    kind = factory.LazyAttribute(lambda source: SOURCE_KINDS.get(source.code, ("system", 20))[0])
    rank = factory.LazyAttribute(lambda source: SOURCE_KINDS.get(source.code, ("system", 20))[1])


class BranchFactory(DjangoModelFactory):
    class Meta:
        model = "customers.Branch"
        django_get_or_create = ("code",)

    code = factory.Sequence(lambda n: f"V{n}")
    name = factory.LazyAttribute(lambda branch: f"Vestiging {branch.code}")


class HouseholdFactory(DjangoModelFactory):
    class Meta:
        model = "customers.Household"
        django_get_or_create = ("key",)

    key = factory.Sequence(lambda n: f"1441AB|{n}|")


class CustomerFactory(DjangoModelFactory):
    """A member with an address and an e-mail address; ``email=""`` gives one without, ``phone=`` adds a
    number.
    """

    class Meta:
        model = "customers.Customer"
        skip_postgeneration_save = True

    number = factory.Sequence(lambda n: f"{100000 + n}")
    kind = "member"
    initials = "A."
    first_name = "Anna"
    last_name = factory.Sequence(lambda n: f"Jansen{n}")
    birth_date = dt.date(1980, 3, 14)
    street = "Lindenlaan"
    house_number = factory.Sequence(str)
    postal_code = "1441AB"
    city = "Purmerend"
    registered_on = dt.date(2020, 1, 15)
    source = factory.SubFactory(SourceFactory)
    created_at = NOW
    updated_at = NOW

    @factory.post_generation
    def email(self, create: bool, extracted: str | None, **kwargs: Any) -> None:
        value = f"klant{self.number}@example.nl" if extracted is None else extracted  # type: ignore[attr-defined]
        if create and value:
            ContactPointFactory(customer=self, channel="email", value=value)

    @factory.post_generation
    def phone(self, create: bool, extracted: str | None, **kwargs: Any) -> None:
        if create and extracted:
            ContactPointFactory(customer=self, channel="phone", value=extracted)


class ContactPointFactory(DjangoModelFactory):
    class Meta:
        model = "customers.ContactPoint"

    channel = "email"
    value = factory.Sequence(lambda n: f"adres{n}@example.nl")
    source = factory.SubFactory(SourceFactory)
    updated_at = NOW


class SubscriptionFactory(DjangoModelFactory):
    """A paid subscription that runs on since 2020."""

    class Meta:
        model = "customers.Subscription"

    customer = factory.SubFactory(CustomerFactory)
    number = factory.Sequence(lambda n: f"A{n:06d}")
    type = "volwassen"
    name = "Volwassenenabonnement"
    price_cents = 5800
    started_on = dt.date(2020, 1, 15)
    payment_method = "direct_debit"
    source = factory.SubFactory(SourceFactory)


class WorldFactory(DjangoModelFactory):
    class Meta:
        model = "customers.World"
        django_get_or_create = ("code",)

    code = "reizen"
    name = factory.LazyAttribute(lambda world: world.code.title())


class FactFactory(DjangoModelFactory):
    """A bare row: ``customers.actions.record_fact`` also keeps the totals."""

    class Meta:
        model = "customers.Fact"

    customer = factory.SubFactory(CustomerFactory)
    kind = "loan"
    occurred_at = NOW - dt.timedelta(days=10)
    source = factory.SubFactory(SourceFactory)
    external_id = factory.Sequence(lambda n: f"U{n:09d}")


def happened(**fields: Any) -> Any:
    """Make a fact and count the totals of its customer, as the product does."""
    from customers.recording import recount_totals

    fact = FactFactory(**fields)
    recount_totals("SELECT %(customer)s::bigint", {"customer": fact.customer_id})
    return fact


class PurposeFactory(DjangoModelFactory):
    class Meta:
        model = "customers.Purpose"
        skip_postgeneration_save = True
        django_get_or_create = ("code",)

    code = "marketing"
    name = factory.LazyAttribute(lambda purpose: purpose.code.title())
    rule = "marketing"

    @factory.post_generation
    def channels(self, create: bool, extracted: object, **kwargs: Any) -> None:
        """The channels of its rule, with the customer relation confirmed."""
        from django.apps import apps

        from customers.consents import ensure_channels

        if create:
            ensure_channels(lambda name: apps.get_model("customers", name))
            confirm_relations()


class ConsentFactory(DjangoModelFactory):
    """A yes to marketing by e-mail."""

    class Meta:
        model = "customers.Consent"

    customer = factory.SubFactory(CustomerFactory)
    purpose = factory.SubFactory(PurposeFactory)
    channel = "email"
    state = "granted"
    source = factory.SubFactory(SourceFactory)
    actor = "test"
    wording_version = "2024-3"
    event_at = NOW - dt.timedelta(days=30)


class DefinitionFactory(DjangoModelFactory):
    """An active voucher for 25% off, usable once by the customer on it, without end."""

    class Meta:
        model = "vouchers.Definition"

    name = factory.Sequence(lambda n: f"Verjaardagsbon {n}")
    kind = "discount"
    benefit = "percent"
    percent = factory.LazyAttribute(lambda row: 25 if row.benefit == "percent" else None)
    amount_cents = factory.LazyAttribute(lambda row: 500 if row.benefit in ("fixed", "set_price") else None)
    product = factory.LazyAttribute(lambda row: "koffie" if row.benefit == "free_product" else "")
    state = "active"
    created_at = NOW


class VoucherFactory(DjangoModelFactory):
    """A code given to a customer by hand; ``vouchers.actions.issue_vouchers`` does it for many."""

    class Meta:
        model = "vouchers.Voucher"

    definition = factory.SubFactory(DefinitionFactory)
    code = factory.LazyFunction(lambda: next(_codes()))
    customer = factory.SubFactory(CustomerFactory)
    origin = "by hand:1"
    issued_at = NOW - dt.timedelta(days=3)
    valid_from = dt.date(2026, 6, 12)


def _codes() -> Any:
    from vouchers.codes import generate

    return generate(1)


def limit_messages(messages: int, *, days: int = 7, wait_days: int = 0) -> None:
    """Let this be the only limit on messages, none at all for 0; who has had enough waits so many days."""
    from mailings.actions import change_sending_settings, save_cap_rule
    from mailings.models import CapRule

    CapRule.objects.all().delete()
    if messages:
        save_cap_rule(None, messages=messages, days=days)
    change_sending_settings(wait_days=wait_days)


def follow_link(message: Any, position: int = 0, *, now: dt.datetime) -> None:
    """Let a person follow a link in a message; it counts at once, where in real life it is judged a moment later."""
    from mailings.actions import Arrival, judge_hits, record_hits

    record_hits([Arrival(message.pk, position, now, "")])
    judge_hits(now=now + dt.timedelta(minutes=1))
