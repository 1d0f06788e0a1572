from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from mailings.actions import save_style
from mailings.models import HouseStyle, Picture, SendingSettings
from tests.factories import BranchFactory
from tests.mailings.conftest import base_data, house
from tests.mailings.test_content import picture_bytes

__all__ = ["base_data", "house"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(house: SendingSettings, administrator: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(administrator)


def test_the_style_of_the_organisation_is_saved_with_its_logo(admin: Client, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    page = "/house-styles/organisation/"
    assert 'value="#0b5563"' in admin.get(page).content.decode()
    file = SimpleUploadedFile("logo.jpg", picture_bytes().getvalue())
    given = {"accent": "#aa0000", "font": "georgia", "social_facebook": "fb.example/bieb", "upload": file}
    assert admin.post(page, given).status_code == 302
    style = HouseStyle.objects.get(branch=None)
    assert (style.accent, style.font, style.logo) == ("#aa0000", "georgia", Picture.objects.get())
    assert style.social == {"facebook": "https://fb.example/bieb"}
    assert "administrator" in admin.get(page).content.decode()  # who did it, in the history
    frame = admin.get(f"{page}frame/")
    assert "#aa0000" in frame.content.decode()
    assert "sandbox" in frame["Content-Security-Policy"]


def test_a_branch_has_a_style_of_its_own_until_it_is_taken_away(admin: Client) -> None:
    edam = BranchFactory(name="Edam")
    page = f"/house-styles/branches/{edam.pk}/"
    given = {"accent": "", "font": "", "sender_name": "Bieb Edam", "sender_email": "edam@waterland.example"}
    assert admin.post(page, given).status_code == 302
    assert "edam@waterland.example" in admin.get("/house-styles/").content.decode()
    assert 'value="Bieb Edam"' in admin.get(page).content.decode()
    assert admin.get(f"{page}frame/").status_code == 200
    assert admin.post(f"{page}remove/").status_code == 302
    assert not HouseStyle.objects.exists()


@pytest.mark.parametrize("wrong", [{"accent": "rood"}, {"font": "comic"}, {"sender_email": "geen adres"}])
def test_a_style_that_cannot_be_is_sent_back(admin: Client, wrong: dict[str, str]) -> None:
    edam = BranchFactory()
    assert admin.post(f"/house-styles/branches/{edam.pk}/", wrong).status_code == 422
    broken = SimpleUploadedFile("x.png", b"<svg/>")
    assert admin.post(f"/house-styles/branches/{edam.pk}/", {"upload": broken}).status_code == 422
    assert not HouseStyle.objects.exists()


def test_many_branches_take_no_query_each(admin: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        save_style(BranchFactory(name=f"Tak {number}"), accent="#00aa00")
    admin.get("/house-styles/")
    with django_assert_max_num_queries(12):
        admin.get("/house-styles/")


def test_only_who_may_sees_the_styles(house: SendingSettings, marketeer: User, client_of: Any) -> None:
    assert client_of(marketeer).get("/house-styles/").status_code == 403
