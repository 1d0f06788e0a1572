from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from common.roles import PERMISSIONS, ROLES, ensure_roles

pytestmark = pytest.mark.django_db


def test_roles_hold_exactly_their_permissions_however_often_they_are_ensured() -> None:
    Group.objects.all().delete()
    ensure_roles()
    groups = ensure_roles()
    for role, codenames in ROLES.items():
        assert set(groups[role].permissions.values_list("codename", flat=True)) == codenames


def test_a_permission_given_by_hand_is_taken_back_when_roles_are_mended() -> None:
    group = ensure_roles()["counter"]
    group.permissions.add(ensure_roles()["marketeer"].permissions.get(codename="export_customers"))
    ensure_roles()
    assert not group.permissions.filter(codename="export_customers").exists()


def test_no_role_holds_a_permission_that_does_not_exist() -> None:
    assert frozenset().union(*ROLES.values()) <= set(PERMISSIONS)
