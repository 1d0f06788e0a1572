from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from common.actions import add_integration


@pytest.fixture
def api(administrator: User) -> APIClient:
    """The API as an integration sees it: with a token, without a session."""
    _user, token = add_integration(name="website", by=administrator)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client
