from __future__ import annotations

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


def test_the_description_is_complete_and_without_warnings(tmp_path: object) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", f"{tmp_path}/schema.yml")


def test_the_description_names_every_noun(api: APIClient) -> None:
    paths = api.get("/api/v1/schema/?format=json").json()["paths"]
    nouns = {path.split("/")[3] for path in paths}
    assert nouns >= {
        "branches", "customers", "facts", "imports", "labels", "selections", "vouchers", "redemptions", "campaigns",
        "newsletters", "mailings", "purposes", "worlds", "voucher-definitions",
    }  # fmt: skip
