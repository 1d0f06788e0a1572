"""All fields that can be asked about, one declaration each."""

from __future__ import annotations

import re

from django.db.models import BigIntegerField, CharField, F, Func, Value
from django.utils.translation import gettext_lazy, pgettext_lazy

from customers.criteria import wording
from customers.criteria.fields.base import FieldSpec
from customers.criteria.fields.owners import Address, Contact, OfBranch, OfSource, OfSubscription, Own
from customers.criteria.forgetting import OF_ADDRESSES, OF_CUSTOMERS, OF_ENDS, OF_POINTS, OF_SUBSCRIPTIONS
from customers.models import Source, Subscription
from customers.names import normalise_email, normalise_phone, normalise_postal_code

OWN, ADDRESS, BRANCH, SOURCE, SUBSCRIPTION = Own(), Address(), OfBranch(), OfSource(), OfSubscription()
EMAIL, PHONE = Contact("email"), Contact("phone")


def _digits(text: str) -> str:
    """Return the digits of a part of a phone number; only at its beginning a 0 stands for the country."""
    return re.sub(r"[^0-9+]", "", text)


def _sources() -> wording.Choices:
    return list(Source.objects.exclude(kind=Source.Kind.PRODUCT).values_list("code", "name"))


def _payment_methods() -> wording.Choices:
    return list(Subscription.PaymentMethod.choices)


class HouseNumber(Func):
    """The digits in front: "12a" is number 12; a house number that begins with something else is none."""

    template = (
        "nullif(left(%(expressions)s, length(%(expressions)s) - length(ltrim(%(expressions)s, '0123456789'))), '')"
        "::bigint"
    )
    output_field = BigIntegerField()


_DOMAIN = Func(F("value"), Value("@"), Value(2), function="split_part", output_field=CharField())


TEXTS = (
    FieldSpec("customer.number", gettext_lazy("Customer number"), gettext_lazy("customer number"), OWN, "number",
              normal=str),
    FieldSpec("customer.card_number", gettext_lazy("Card number"), gettext_lazy("card number"), OWN, "card_number",
              OF_CUSTOMERS, normal=str),
    FieldSpec("customer.initials", gettext_lazy("Initials"), gettext_lazy("initials"), OWN, "initials", OF_ADDRESSES),
    FieldSpec("customer.first_name", gettext_lazy("First name"), gettext_lazy("first name"), OWN, "first_name",
              OF_ADDRESSES),
    FieldSpec("customer.name_prefix", gettext_lazy("Name prefix"), gettext_lazy("name prefix"), OWN, "name_prefix",
              OF_ADDRESSES),
    FieldSpec("customer.last_name", gettext_lazy("Last name"), gettext_lazy("last name"), OWN, "last_name",
              OF_ADDRESSES),
    FieldSpec("customer.street", gettext_lazy("Street"), gettext_lazy("street"), ADDRESS, "street", OF_ADDRESSES),
    FieldSpec("customer.house_number_addition", gettext_lazy("Addition to the house number"),
              gettext_lazy("addition to the house number"), ADDRESS, "house_number_addition", OF_ADDRESSES),
    FieldSpec("customer.postal_code", gettext_lazy("Postal code"), gettext_lazy("postal code"), ADDRESS, "postal_code",
              OF_ADDRESSES, normal=normalise_postal_code),
    FieldSpec("customer.city", gettext_lazy("City"), gettext_lazy("city"), ADDRESS, "city", OF_ADDRESSES,
              is_indexed=True),
    FieldSpec("customer.email", gettext_lazy("E-mail address"), gettext_lazy("e-mail address"), EMAIL, "value",
              OF_POINTS, normal=normalise_email),
    FieldSpec("customer.email_domain", gettext_lazy("Domain of the e-mail address"),
              gettext_lazy("domain of the e-mail address"), EMAIL, _DOMAIN, OF_POINTS, normal=normalise_email),
    FieldSpec("customer.phone", gettext_lazy("Phone number"), gettext_lazy("phone number"), PHONE, "value",
              OF_POINTS, normal=normalise_phone, normal_within=_digits),
    FieldSpec("branch.name", gettext_lazy("Name of the branch"), gettext_lazy("name of the branch"), BRANCH, "name",
              OF_CUSTOMERS),
    FieldSpec("branch.city", gettext_lazy("City of the branch"), gettext_lazy("city of the branch"), BRANCH, "city",
              OF_CUSTOMERS),
    FieldSpec("subscription.number", gettext_lazy("Subscription number"), gettext_lazy("subscription number"),
              SUBSCRIPTION, "number", normal=str),
    FieldSpec("subscription.name", gettext_lazy("Name of the subscription"), pgettext_lazy("subscription", "name"),
              SUBSCRIPTION, "name", OF_SUBSCRIPTIONS),
)  # fmt: skip

NUMBERS = (
    FieldSpec("customer.house_number", gettext_lazy("House number"), gettext_lazy("house number"), ADDRESS,
              HouseNumber("house_number"), OF_ADDRESSES),
)  # fmt: skip

AMOUNTS = (
    FieldSpec("subscription.price", gettext_lazy("Price of the subscription"), pgettext_lazy("subscription", "price"),
              SUBSCRIPTION, "price_cents", OF_SUBSCRIPTIONS),
)  # fmt: skip

DATES = (
    FieldSpec("customer.birth_date", gettext_lazy("Birth date"), gettext_lazy("birth date"), OWN, "birth_date",
              says=gettext_lazy("were born %(when)s")),
    FieldSpec("customer.registered_on", gettext_lazy("Registration date"), gettext_lazy("registration date"), OWN,
              "registered_on", says=gettext_lazy("were registered %(when)s")),
    FieldSpec("subscription.started_on", gettext_lazy("Start date of the subscription"),
              pgettext_lazy("subscription", "start date"), SUBSCRIPTION, "started_on",
              says=gettext_lazy("have a running subscription that began %(when)s"),
              says_of_any=gettext_lazy("have or had a subscription that began %(when)s")),
    FieldSpec("subscription.ended_on", gettext_lazy("End date of the subscription"),
              pgettext_lazy("subscription", "end date"), SUBSCRIPTION, "ended_on", OF_ENDS,
              says=gettext_lazy("have a running subscription that ends %(when)s"),
              says_of_any=gettext_lazy("have or had a subscription that ends %(when)s")),
)  # fmt: skip

PAST_DATES = (
    FieldSpec("customer.deceased_on", gettext_lazy("Date of death"), gettext_lazy("date of death"), OWN, "deceased_on",
              says=gettext_lazy("died %(when)s")),
)  # fmt: skip

MOMENTS = (
    FieldSpec("customer.created_at", gettext_lazy("Known to us since"), gettext_lazy("moment of becoming known"), OWN,
              "created_at", says=gettext_lazy("became known to us %(when)s")),
    FieldSpec("customer.updated_at", gettext_lazy("Last changed"), gettext_lazy("last change"), OWN, "updated_at",
              OF_CUSTOMERS, says=gettext_lazy("were last changed %(when)s")),
)  # fmt: skip

CHOICES = (
    FieldSpec("customer.brought_by", gettext_lazy("Source that brought them"), gettext_lazy("first source"), SOURCE,
              "code", choices=_sources),
    FieldSpec("subscription.type", gettext_lazy("Type of subscription"), pgettext_lazy("subscription", "type"),
              SUBSCRIPTION, "type", choices=wording.subscription_types),
    FieldSpec("subscription.payment_method", gettext_lazy("Payment method"), gettext_lazy("payment method"),
              SUBSCRIPTION, "payment_method", OF_SUBSCRIPTIONS, choices=_payment_methods),
)  # fmt: skip
