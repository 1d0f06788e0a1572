from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from common.actions import add_integration, give_rights


@pytest.fixture
def api(administrator: User, request: pytest.FixtureRequest) -> APIClient:
    """The API as an integration sees it: with a token, without a session; ``pytest.mark.rights`` names more rights."""
    user, token = add_integration(name="website", by=administrator)
    if mark := request.node.get_closest_marker("rights"):
        give_rights(user, rights=mark.args, by=administrator)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client
