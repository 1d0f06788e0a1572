"""What MijnMenu leaves behind of persons outside its tables: open sessions."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.utils.translation import gettext_lazy as _

from common.traces import Persons, Trace, traces
from mijnmenu.session import KEY


def _close_sessions(persons: Persons) -> int:
    """Delete the sessions in which somebody is in as one of them; sessions last hours, so there are few."""
    own = [
        session.pk
        for session in Session.objects.iterator(chunk_size=500)
        if session.get_decoded().get(KEY, {}).get("customer") in persons.ids
    ]
    return Session.objects.filter(pk__in=own).delete()[0]


traces.register(Trace("sessions", _("Open sessions of MijnMenu"), _close_sessions))
