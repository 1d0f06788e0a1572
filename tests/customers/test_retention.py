"""Retention: what was kept long enough goes at night, and only that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from common.errors import Refused
from common.retention import retention_rules
from common.sql import execute
from common.time import local_date
from customers.actions import ensure_base_data
from customers.actions.privacy import change_retention, preview_retention, restrict, run_retention
from customers.consents import record_consent
from customers.models import Customer, CustomerChange, ErasedKey, Erasure, ImportRun, Purpose, RetentionRun, Source
from customers.models.customers import Guardianship
from customers.models.imports import ImportError as RefusedRow
from customers.models.privacy import ErasureRequest, RetentionSetting
from mijnmenu.models import LinkRequest
from tests.factories import CustomerFactory, SourceFactory, SubscriptionFactory, VoucherFactory

LONG_AGO = dt.timedelta(days=3 * 365)


@pytest.fixture(autouse=True)
def _own_media(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    ensure_base_data()


@pytest.fixture
def gone(now: dt.datetime) -> Callable[..., Customer]:
    """Give a former member of whom nothing was heard for three years."""

    def make(**fields: Any) -> Customer:
        past = now - LONG_AGO
        customer: Customer = CustomerFactory(
            **{"kind": "former", "created_at": past, "registered_on": dt.date(2015, 1, 1), **fields}
        )
        SubscriptionFactory(customer=customer, started_on=dt.date(2015, 1, 1), ended_on=local_date(past))
        return customer

    return make


def night(now: dt.datetime, **switches: int) -> dict[str, int]:
    """Run one night with these rules switched on, for so many months or days."""
    for code, period in switches.items():
        change_retention(code, is_on=True, period=period, by=None, now=now)
    return run_retention(local_date(now), now=now).counts


def counts(now: dt.datetime) -> dict[str, int]:
    return {chosen.rule.code: count for chosen, count in preview_retention(day=local_date(now), now=now)}


def test_nobody_is_erased_until_it_is_switched_on(gone: Callable[..., Customer], now: dt.datetime) -> None:
    gone()
    assert counts(now)["former"] == 1
    assert "former" not in night(now)
    assert Customer.objects.count() == 1


def test_who_was_gone_long_enough_is_erased_with_one_receipt(gone: Callable[..., Customer], now: dt.datetime) -> None:
    gone(), gone()
    member = CustomerFactory(kind="member")
    assert night(now, former=24)["former"] == 2
    assert list(Customer.objects.all()) == [member]
    erasure = Erasure.objects.get()
    assert (erasure.persons, erasure.ground, erasure.erased_by) == (2, "retention", "retention")
    assert not ErasedKey.objects.exists()


def test_the_period_counts_to_the_day(gone: Callable[..., Customer], now: dt.datetime) -> None:
    customer = gone()
    day = local_date(now)
    ended = customer.subscriptions.get()
    ended.ended_on = day.replace(year=day.year - 2)
    ended.save()
    change_retention("former", is_on=True, period=24, by=None, now=now)
    assert counts(now)["former"] == 0
    assert counts(now + dt.timedelta(days=1))["former"] == 1


def _gets_a_subscription(customer: Customer, now: dt.datetime) -> None:
    SubscriptionFactory(customer=customer, ended_on=None)


def _borrowed(customer: Customer, now: dt.datetime) -> None:
    from customers.actions import record_fact

    record_fact(customer, kind="loan", occurred_at=now - dt.timedelta(days=30), source_code="library", external_id="u1")


def _has_a_voucher(customer: Customer, now: dt.datetime) -> None:
    VoucherFactory(customer=customer, valid_until=local_date(now))


def _said_yes(customer: Customer, now: dt.datetime) -> None:
    record_consent(
        customer, purpose=Purpose.objects.get(code="newsletter"), channel="email", state="granted",
        source_code="mijnmenu", actor="customer", event_at=now - LONG_AGO,
    )  # fmt: skip


def _is_restricted(customer: Customer, now: dt.datetime) -> None:
    restrict(customer, reason="Loopt een klacht", by="Anna", now=now)


def _has_a_child(customer: Customer, now: dt.datetime) -> None:
    source = SourceFactory(code="library")
    child = CustomerFactory(kind="member")
    Guardianship.objects.create(child=child, guardian=customer, source=source, created_at=now)


def _asked(customer: Customer, now: dt.datetime) -> None:
    ErasureRequest.objects.create(customer=customer, asked_at=now)


@pytest.mark.parametrize(
    "tie", [_gets_a_subscription, _borrowed, _has_a_voucher, _said_yes, _is_restricted, _has_a_child, _asked]
)
def test_a_tie_keeps_somebody(
    tie: Callable[[Customer, dt.datetime], None], gone: Callable[..., Customer], now: dt.datetime
) -> None:
    customer = gone()
    tie(customer, now)
    assert night(now, former=24)["former"] == 0
    assert Customer.objects.filter(pk=customer.pk).exists()


def test_a_yes_that_was_withdrawn_and_a_voucher_that_expired_keep_nobody(
    gone: Callable[..., Customer], now: dt.datetime
) -> None:
    customer = gone()
    _said_yes(customer, now)
    record_consent(
        customer, purpose=Purpose.objects.get(code="newsletter"), channel="email", state="withdrawn",
        source_code="mijnmenu", actor="customer", event_at=now - dt.timedelta(days=900),
    )  # fmt: skip
    day = local_date(now)
    VoucherFactory(customer=customer, valid_from=day - dt.timedelta(days=90), valid_until=day - dt.timedelta(days=1))
    assert night(now, former=24)["former"] == 1


def test_prospects_go_by_a_rule_of_their_own(now: dt.datetime) -> None:
    past = now - LONG_AGO
    for kind in ("prospect", "newsletter", "member", "former"):
        CustomerFactory(kind=kind, created_at=past, registered_on=None)
    CustomerFactory(kind="prospect", created_at=now, registered_on=None)
    assert night(now, prospects=12)["prospects"] == 2
    assert sorted(Customer.objects.values_list("kind", flat=True)) == ["former", "member", "prospect"]


def test_a_night_is_done_once_and_goes_on_where_it_broke_off(gone: Callable[..., Customer], now: dt.datetime) -> None:
    night(now, former=24)
    gone()
    assert night(now)["former"] == 0
    assert RetentionRun.objects.count() == 1
    RetentionRun.objects.update(finished_at=None, counts={"link_requests": 7})
    assert night(now) | {"former": 1, "link_requests": 7} == night(now)
    assert Customer.objects.count() == 0


def test_a_rule_that_fails_stops_no_other(now: dt.datetime) -> None:
    LinkRequest.objects.create(address="a@b.nl", asked_at=now - LONG_AGO)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_customerchange RENAME COLUMN changed_at TO elders")
    from django.db import transaction

    class Sheltered:
        """Each rule in a savepoint, since a test is one transaction."""

        def __init__(self, apply: Callable[..., int]) -> None:
            self.apply = apply

        def __call__(self, before: dt.datetime, now: dt.datetime) -> int:
            with transaction.atomic():
                return self.apply(before, now)

    rule = retention_rules["changes"]
    original = rule.apply
    object.__setattr__(rule, "apply", Sheltered(original))
    try:
        counts = night(now)
    finally:
        object.__setattr__(rule, "apply", original)
    assert counts["changes"] == -1
    assert counts["link_requests"] == 1


def test_the_preview_tells_what_the_night_does(gone: Callable[..., Customer], now: dt.datetime) -> None:
    gone()
    past = now - LONG_AGO
    LinkRequest.objects.create(address="a@b.nl", asked_at=past)
    CustomerChange.objects.create(customer=CustomerFactory(), fields={}, changed_by="x", changed_at=past)
    run = ImportRun.objects.create(
        format="customers", source=Source.objects.get(code="library"), file_name="a.csv", state="done",
        created_at=past, finished_at=past,
    )  # fmt: skip
    run.file.save("a.csv", ContentFile(b"x"))
    RefusedRow.objects.create(run=run, row_number=2, column="email", value="x@@y", code="bad_email", remedy="")
    before = counts(now)
    done = night(now, former=24)
    assert {code: before[code] for code in done} == done
    assert (done["former"], done["link_requests"], done["changes"], done["import_files"]) == (1, 1, 1, 1)
    assert RefusedRow.objects.get().value == ""
    assert set(counts(now).values()) == {0}


def test_every_rule_can_be_counted_and_applied_with_nothing_there(now: dt.datetime) -> None:
    assert set(counts(now).values()) == {0}
    for rule in retention_rules:
        if not rule.is_fixed:
            change_retention(rule.code, is_on=True, period=1, by=None, now=now)
    assert set(night(now).values()) == {0}


def test_periods_are_checked_and_fixed_rules_stay(now: dt.datetime) -> None:
    for code, period in (("former", 0), ("former", 121), ("import_files", 5), ("bestaat-niet", 5)):
        with pytest.raises(Refused):
            change_retention(code, is_on=True, period=period, by=None, now=now)
    change_retention("former", is_on=True, period=36, by=None, now=now)
    change_retention("former", is_on=False, period=48, by=None, now=now)
    setting = RetentionSetting.objects.get()
    assert (setting.is_on, setting.period) == (False, 48)
    assert execute("SELECT 1 FROM customers_retentionsettingevent") == 2
