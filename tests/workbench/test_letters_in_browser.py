"""Post that came back, one letter after another, with a scanner: a keyboard that ends with Enter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.models import Customer
from mailings.actions import change_sending_settings, print_letters
from mailings.letter_codes import letter_code
from mailings.models import Mailing, PostReturn
from tests.factories import CustomerFactory, HouseholdFactory
from tests.mailings.conftest import base_data, house, make_content, marketing, start
from tests.workbench.test_fields_in_browser import picture

__all__ = ["base_data", "house", "make_content", "marketing", "start"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now() -> Any:
    return timezone.now()


def scan(page: Page, code: str) -> None:
    """Type where the cursor is, without touching the page, as a scanner does."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def test_letters_that_came_back_are_scanned_one_after_another(
    page: Page, sign_in: Callable[[User], None], marketeer: User, axe: Callable[[], None],
    start: Callable[..., Mailing], settings: Any, tmp_path: Any, now: Any,
) -> None:  # fmt: skip
    settings.MEDIA_ROOT = tmp_path
    home = {"email": "", "postal_code": "1111AA", "house_number": "3", "household": HouseholdFactory()}
    CustomerFactory(first_name="Fatima", **home), CustomerFactory(first_name="Bas", **home)
    CustomerFactory(first_name="Carla", email="", postal_code="2222BB")
    change_sending_settings(letter_cents=125)
    batch = print_letters(start(channels="letter", letters_to="names"), now=now)
    sign_in(marketeer)
    page.goto("/returned-post/")
    page.get_by_label("Verhuisd").check()
    page.get_by_label("Code op de brief").focus()
    scan(page, letter_code(batch.pk, 1))
    expect(page.get_by_role("row").filter(has_text="Fatima")).to_be_visible()
    expect(page.get_by_label("Code op de brief")).to_be_focused()
    expect(page.get_by_label("Verhuisd")).to_be_checked()
    scan(page, letter_code(batch.pk, 2))
    expect(page.get_by_role("row").filter(has_text="Carla")).to_be_visible()
    expect(page.get_by_label("Code op de brief")).to_have_value("")
    expect(page.get_by_label("Code op de brief")).to_be_focused()
    scan(page, letter_code(batch.pk, 2))
    expect(page.get_by_text("Deze brief is al vastgelegd").first).to_be_visible()
    expect(page.get_by_label("Code op de brief")).to_have_value("")  # or the next code would come behind this one
    expect(page.get_by_label("Code op de brief")).to_be_focused()
    expect(page.get_by_label("Verhuisd")).to_be_checked()
    assert PostReturn.objects.count() == 3
    assert set(Customer.objects.values_list("address_state", flat=True)) == {"moved"}
    axe()
    picture(page, "returned")
    for path, name in ((f"/mailings/letters/{batch.pk}/", "pile"), (f"/mailings/{batch.mailing_id}/", "mailing")):
        page.goto(path)
        axe()
        picture(page, name)
