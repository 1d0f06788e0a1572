"""Customers and what belongs to them: branch, household, contact points, subscriptions."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.querysets import CustomerQuerySet, PresentManager, SubscriptionQuerySet


class Source(models.Model):
    """Where data came from: a library system, a ticketing system, a file, MijnMenu, the counter.

    ``rank`` says whom we believe when sources differ about a field: the lowest wins, and among equals what was said
    last. ``FieldRank`` makes exceptions per field.
    """

    class Kind(models.TextChoices):
        SYSTEM = "system", _("Another system")
        PEOPLE = "people", _("People, by hand")
        PRODUCT = "product", _("This product itself")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.SYSTEM)
    rank = models.PositiveSmallIntegerField(_("rank"), default=20)
    # What stands before this source's own numbers when it brings somebody new ("T-"); empty when its numbers are ours.
    number_prefix = models.CharField(_("number prefix"), max_length=8, blank=True)
    # Its precedence was changed, and its customers do not follow it yet.
    reranked_at = models.DateTimeField(_("precedence changed at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class FieldRank(models.Model):
    """An exception to a source's rank for one field: "the theatre owns the phone number"."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="field_ranks", verbose_name=_("source"))
    field = models.CharField(_("field"), max_length=40)  # one of records.FIELDS
    rank = models.PositiveSmallIntegerField(_("rank"))

    class Meta:
        verbose_name = _("precedence of a field")
        verbose_name_plural = _("precedence of fields")
        constraints = [models.UniqueConstraint(fields=["source", "field"], name="field_rank_once")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.field}: {self.rank}"


class Branch(models.Model):
    """A location of the organisation; ``email`` is where people reach it."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    street = models.CharField(_("street"), max_length=100, blank=True)
    house_number = models.CharField(_("house number"), max_length=20, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=7, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)

    class Meta:
        verbose_name = _("branch")
        verbose_name_plural = _("branches")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Household(models.Model):
    """People at one address; ``key`` is the normalised postal code + number + addition (``1441AB|12|a``)."""

    key = models.CharField(_("address key"), max_length=60, unique=True)

    class Meta:
        verbose_name = _("household")
        verbose_name_plural = _("households")

    def __str__(self) -> str:
        return self.key


class Customer(models.Model):
    """A person we know. The key is the customer number; e-mail is a contact point that may be missing or
    shared.

    What the columns hold is the outcome of what the sources say (``SourceRecord``). Who turned out to be somebody
    else stays as an empty row that points at that person (``merged_into``); ``Customer.objects`` leaves those out.
    """

    class Kind(models.TextChoices):
        MEMBER = "member", _("Member")
        NEWSLETTER = "newsletter", _("Newsletter contact")
        PROSPECT = "prospect", _("Prospect")
        FORMER = "former", _("Former member")

    class AddressState(models.TextChoices):
        UNKNOWN = "", _("No news")
        MOVED = "moved", _("Moved away")
        RETURNED = "returned", _("Post came back")

    class Gender(models.TextChoices):
        UNKNOWN = "", _("Unknown")
        FEMALE = "f", _("Woman")
        MALE = "m", _("Man")
        OTHER = "x", _("Other")

    number = models.CharField(_("customer number"), max_length=40, unique=True)
    # What the library card says, where that is not the customer number; two people may show the same (a family card).
    card_number = models.CharField(_("card number"), max_length=40, blank=True, default="", db_default="")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    initials = models.CharField(_("initials"), max_length=20, blank=True)
    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    name_prefix = models.CharField(_("name prefix"), max_length=20, blank=True)  # "van der"
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    gender = models.CharField(_("gender"), max_length=1, choices=Gender, blank=True)
    street = models.CharField(_("street"), max_length=100, blank=True)
    house_number = models.CharField(_("house number"), max_length=10, blank=True)
    house_number_addition = models.CharField(_("addition"), max_length=20, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=7, blank=True)  # normalised "1441AB"
    city = models.CharField(_("city"), max_length=80, blank=True)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, db_index=False, verbose_name=_("branch"))
    household = models.ForeignKey(Household, models.SET_NULL, null=True, blank=True, verbose_name=_("household"))
    registered_on = models.DateField(_("registered on"), null=True, blank=True)
    deceased_on = models.DateField(_("deceased on"), null=True, blank=True)
    # News about the postal address; a new address clears it.
    address_state = models.CharField(
        _("post"), max_length=8, choices=AddressState, blank=True, default="", db_default=""
    )
    # AVG 18: kept, but not used: no mail, no labels, no selections.
    restricted_at = models.DateTimeField(_("restricted since"), null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="absorbed", db_index=False, editable=False
    )
    source = models.ForeignKey(Source, models.PROTECT, db_index=False, verbose_name=_("source"))
    # Raised to make every earlier MijnMenu link worthless.
    link_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))
    # Lower case without accents, last name first: what lists sort by (a database without ICU sorts by byte)
    # and search in.
    name_key = models.GeneratedField(
        expression=models.Func("last_name", "first_name", "initials", "name_prefix", function="customers_name_key"),
        output_field=models.CharField(max_length=230),
        db_persist=True,
    )

    objects = PresentManager.from_queryset(CustomerQuerySet)()
    everyone = CustomerQuerySet.as_manager()  # those who were merged into another too

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        base_manager_name = "everyone"
        default_manager_name = "objects"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True) | ~models.Q(merged_into=models.F("pk")),
                name="customer_not_merged_into_itself",
            ),
        ]
        indexes = [
            models.Index(
                fields=["merged_into"], condition=models.Q(merged_into__isnull=False), name="customer_merged_into"
            ),
            models.Index(
                OpClass("card_number", name="varchar_pattern_ops"),
                condition=~models.Q(card_number=""),
                name="customer_card",
            ),
            models.Index(fields=["branch", "kind"]),
            models.Index(fields=["registered_on"]),
            models.Index(fields=["postal_code", "house_number"]),
            # Birthdays: 47 times faster than a scan at a million customers.
            models.Index(models.F("birth_date__month"), models.F("birth_date__day"), name="customer_birthday_idx"),
            models.Index(fields=["name_key"], name="customer_name_idx"),
            # Duplicates are looked for among those who were born on one day.
            models.Index(fields=["birth_date"], name="customer_birth_date"),
            GinIndex(OpClass("name_key", name="gin_trgm_ops"), name="customer_name_trgm"),
            # Places by name, without capitals and accents.
            models.Index(
                OpClass(
                    models.Func("city", function="customers_plain", output_field=models.TextField()),
                    name="text_pattern_ops",
                ),
                name="customer_city_plain",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.number

    @property
    def full_name(self) -> str:
        """First name (or initials), prefix and last name, as one writes it on an envelope."""
        return " ".join(filter(None, [self.first_name or self.initials, self.name_prefix, self.last_name]))

    @property
    def address_lines(self) -> list[str]:
        """Street line and place line of the address; empty when there is no complete address."""
        if not (self.street and self.postal_code and self.city):
            return []
        number = f"{self.house_number}{self.house_number_addition}".strip()
        return [
            f"{self.street} {number}".strip(),
            f"{self.postal_code[:4]} {self.postal_code[4:]}  {self.city}",
        ]

    def age_on(self, day: dt.date) -> int | None:
        """Age in whole years on ``day``, or None when the birth date is unknown."""
        if self.birth_date is None:
            return None
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class ContactPoint(models.Model):
    """An address at which a customer can be reached; several may be known, one per channel is primary."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contact_points")
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    value = models.CharField(_("value"), max_length=254)  # e-mail in lower case; phone as +31612345678
    is_primary = models.BooleanField(_("primary"), default=True)
    source = models.ForeignKey(Source, models.PROTECT, db_index=False, verbose_name=_("source"))
    updated_at = models.DateTimeField(_("updated at"))

    class Meta:
        verbose_name = _("contact point")
        verbose_name_plural = _("contact points")
        constraints = [
            models.UniqueConstraint(fields=["customer", "channel", "value"], name="contact_point_once"),
            models.UniqueConstraint(
                fields=["customer", "channel"],
                condition=models.Q(is_primary=True),
                name="one_primary_contact_point",
            ),
        ]
        # Text pattern, so that the first letters of an address find it whatever the database's locale is.
        indexes = [models.Index(OpClass("value", name="varchar_pattern_ops"), "channel", name="contact_point_value")]

    def __str__(self) -> str:
        return self.value


class Subscription(models.Model):
    """A membership in time; open-ended while ``ended_on`` is empty (the end date itself still counts as a
    member day).
    """

    class PaymentMethod(models.TextChoices):
        DIRECT_DEBIT = "direct_debit", _("Direct debit")
        INVOICE = "invoice", _("Invoice")
        IDEAL = "ideal", _("iDEAL")
        CASH = "cash", _("Cash or card at the counter")
        FREE = "free", _("Free of charge")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="subscriptions")
    number = models.CharField(_("subscription number"), max_length=40)
    type = models.SlugField(_("type"), max_length=40)
    name = models.CharField(_("name"), max_length=100)
    price_cents = models.PositiveIntegerField(_("price"))
    started_on = models.DateField(_("start date"))
    ended_on = models.DateField(_("end date"), null=True, blank=True)
    payment_method = models.CharField(_("payment method"), max_length=12, choices=PaymentMethod)
    source = models.ForeignKey(Source, models.PROTECT, db_index=False, verbose_name=_("source"))
    run_id = models.BigIntegerField(null=True, editable=False)  # the import that brought it

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["source", "number", "customer"], name="subscription_once_per_source"),
            models.CheckConstraint(
                condition=models.Q(ended_on__isnull=True) | models.Q(ended_on__gte=models.F("started_on")),
                name="subscription_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "started_on"]),
            models.Index(fields=["ended_on"]),
            models.Index(fields=["type"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"

    def is_active_on(self, day: dt.date) -> bool:
        """Whether ``day`` is a member day of this subscription."""
        return self.started_on <= day and (self.ended_on is None or day <= self.ended_on)


class CustomerChange(models.Model):
    """What people changed about a customer: ``fields`` is ``{field: [before, after]}``. Imports have their
    own run.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="changes")
    fields = models.JSONField(_("changes"))
    changed_by = models.CharField(_("changed by"), max_length=150)  # user name, or "customer"
    # Through which it was said; null for what is no field of a customer, such as a restriction.
    source = models.ForeignKey(Source, models.PROTECT, null=True, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("change of a customer")
        verbose_name_plural = _("changes of customers")
        ordering = ["-id"]
        # Few changes are about a parent; who is erased is taken out of them.
        indexes = [
            models.Index(fields=["id"], condition=models.Q(fields__has_key="guardian"), name="change_of_guardian")
        ]

    def __str__(self) -> str:
        return ", ".join(self.fields)


class Guardianship(models.Model):
    """Who answers for whom: under 16, a parent says what is allowed (AVG 8)."""

    child = models.ForeignKey(Customer, models.CASCADE, related_name="guardianships", verbose_name=_("child"))
    guardian = models.ForeignKey(Customer, models.CASCADE, related_name="wards", verbose_name=_("parent or guardian"))
    source = models.ForeignKey(Source, models.PROTECT, db_index=False, verbose_name=_("source"))
    run_id = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("parent of a child")
        verbose_name_plural = _("parents of children")
        constraints = [
            models.UniqueConstraint(fields=["child", "guardian"], name="guardianship_once"),
            models.CheckConstraint(condition=~models.Q(child=models.F("guardian")), name="guardian_is_another"),
        ]

    def __str__(self) -> str:
        return f"{self.child_id} {self.guardian_id}"
