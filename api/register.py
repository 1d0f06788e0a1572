"""Which systems may read customers: integrations with a token that works."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken

from common.register import Recipient, recipients
from common.roles import INTEGRATOR
from common.time import clock


def _integrations() -> Sequence[str]:
    living = AuthToken.objects.filter(expiry__gt=clock())
    people = User.objects.filter(groups__name=INTEGRATOR, is_active=True, pk__in=living.values("user"))
    return list(people.order_by("username").values_list("username", flat=True))


recipients.register(
    Recipient(
        "integrations",
        _("Systems connected through the API"),
        _("may read customers and what they did, and deliver new data"),
        _integrations,
    )
)
