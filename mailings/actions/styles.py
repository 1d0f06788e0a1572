"""The house style of the organisation and of its branches."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Branch
from mailings.actions.history import By, noted
from mailings.models import HouseStyle
from mailings.styles import COLOUR, NETWORKS


@transaction.atomic
def save_style(branch: Branch | None, *, by: By = None, **fields: Any) -> HouseStyle:
    """Write the style of a branch, or without one of the organisation; mailings that started keep theirs.

    Raises Refused on a colour that is none, a network we do not know, or a sender for the organisation, which stands in
    the sending settings.
    """
    style = HouseStyle.objects.select_for_update().filter(branch=branch).first() or HouseStyle(branch=branch)
    for name, value in fields.items():
        setattr(style, name, value)
    if style.accent and not COLOUR.fullmatch(style.accent):
        raise Refused("colour", _("A colour is written as # and six digits, for example #0b5563."), field="accent")
    if unknown := set(style.social) - set(NETWORKS):
        raise Refused("network", _("There is no social medium “%s”.") % min(unknown))
    if branch is None and (style.sender_name or style.sender_email):
        raise Refused("sender", _("Fill in who sends for the organisation under Sending."), field="sender_email")
    style.social = {code: url for code, url in style.social.items() if url}
    with noted(by):
        style.save()
    return style


@transaction.atomic
def remove_style(branch: Branch, *, by: By = None) -> None:
    """Let a branch look as the organisation again. Doing it twice is no error."""
    with noted(by):
        HouseStyle.objects.filter(branch=branch).delete()
