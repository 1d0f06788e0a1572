import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from common.errors import Refused
from common.time import AMSTERDAM
from customers.models import Branch, Customer, Purpose
from mailings.actions import change_sending_settings, postpone_closed, remove_closing_day, save_closing_day
from mailings.models import Mailing, Message
from tests.factories import BranchFactory

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
FRIDAY = dt.datetime(2026, 6, 19, 10, tzinfo=AMSTERDAM)
DAY = dt.timedelta(days=1)


@pytest.fixture
def edam(house: Any) -> Branch:
    return BranchFactory(code="EDAM", name="Edam")


def ready_at(customer: Customer) -> dt.datetime:
    return Message.objects.get(customer=customer).next_attempt_at.astimezone(AMSTERDAM)


def test_each_reader_waits_for_his_own_branch(start: Start, reader: Any, edam: Branch) -> None:
    change_sending_settings(send_from_hour=9, send_until_hour=18, send_days="12345")
    save_closing_day(None, name="Verhuizing", branch=edam, first_day=FRIDAY.date(), last_day=(FRIDAY + 4 * DAY).date())
    there, elsewhere, nowhere = reader(branch=edam), reader(branch=BranchFactory()), reader(branch=None)
    start(now=FRIDAY)
    assert ready_at(there) == dt.datetime(2026, 6, 24, 9, tzinfo=AMSTERDAM)
    assert ready_at(elsewhere) == ready_at(nowhere) == FRIDAY


def test_a_closing_day_of_all_and_a_day_left_out_hold_for_everybody(start: Start, reader: Any, edam: Branch) -> None:
    change_sending_settings(send_days="1234567")
    save_closing_day(None, name="Feest", first_day=FRIDAY.date(), last_day=FRIDAY.date())
    save_closing_day(None, name="Meer feest", branch=edam, first_day=FRIDAY.date(), last_day=(FRIDAY + DAY).date())
    there, elsewhere = reader(branch=edam), reader()
    start(now=FRIDAY)
    assert ready_at(elsewhere) == dt.datetime(2026, 6, 20, tzinfo=AMSTERDAM)
    assert ready_at(there) == dt.datetime(2026, 6, 21, tzinfo=AMSTERDAM)


def test_service_mail_and_letters_do_not_wait(start: Start, reader: Any, service: Purpose) -> None:
    save_closing_day(None, name="Feest", first_day=FRIDAY.date(), last_day=FRIDAY.date())
    customer = reader()
    start(now=FRIDAY, purpose=service)
    assert ready_at(customer) == FRIDAY
    Message.objects.all().delete()
    start(now=FRIDAY, channels="letter")
    assert ready_at(customer) == FRIDAY


def test_what_was_not_sent_before_a_branch_closed_is_put_off(
    start: Start, reader: Any, edam: Branch, service: Purpose
) -> None:
    closing = save_closing_day(
        None, name="Feest", branch=edam, first_day=(FRIDAY + DAY).date(), last_day=(FRIDAY + DAY).date()
    )
    there, elsewhere = reader(branch=edam), reader(branch=BranchFactory())
    start(now=FRIDAY)
    assert postpone_closed(now=FRIDAY) == 0
    assert postpone_closed(now=FRIDAY + DAY) == 1
    assert ready_at(there) == dt.datetime(2026, 6, 21, tzinfo=AMSTERDAM)
    assert ready_at(elsewhere) == FRIDAY
    start(there, now=FRIDAY + DAY, purpose=service)
    assert postpone_closed(now=FRIDAY + DAY) == 0
    remove_closing_day(closing)
    assert postpone_closed(now=FRIDAY + DAY) == 0


@pytest.mark.parametrize(("last", "code"), [(dt.date(2026, 6, 18), "order"), (dt.date(2026, 12, 1), "too_long")])
def test_days_out_of_order_are_refused(house: Any, last: dt.date, code: str) -> None:
    with pytest.raises(Refused) as refused:
        save_closing_day(None, name="Feest", first_day=FRIDAY.date(), last_day=last)
    assert refused.value.code == code


def test_sending_on_no_day_at_all_is_refused(house: Any) -> None:
    with pytest.raises(Refused, match=r".+"):
        change_sending_settings(send_days="")
