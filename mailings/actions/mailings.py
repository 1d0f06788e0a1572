"""Start a mailing."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from customers.consents import check_reaches
from customers.models import Customer, Purpose
from mailings import gate
from mailings.actions.approval import needs_approval
from mailings.actions.experiments import use_experiment
from mailings.actions.history import By, noted
from mailings.actions.queueing import prepare_blocks, queue_messages, rehearse_blocks
from mailings.actions.settings import ensure_sending_settings
from mailings.actions.states import finish_mailings, set_state
from mailings.actions.texts import check_text_ready
from mailings.actions.turns import GATE_LOCK, give_turns
from mailings.compiling import compile_content
from mailings.experiments.arms import content_of, freeze_arms
from mailings.models import Content, Decision, Experiment, HouseStyle, Link, Mailing, SendingSettings, TextSettings
from mailings.sms.composing import compile_text
from mailings.styles import load_styles


@transaction.atomic
def start_mailing(
    *,
    name: str,
    origin: str,
    due_key: str,
    purpose: Purpose,
    channels: str,
    letters_to: str = Mailing.LettersTo.PERSON,
    content: Content,
    candidates: QuerySet[Customer],
    priority: int = Mailing.Priority.NORMAL,
    hold_out: gate.HoldOut = gate.NO_HOLD_OUT,
    with_test: bool = False,
    by: By = None,
    planned_by: User | None = None,
    now: dt.datetime,
) -> Mailing:
    """Put a content before the gate for these candidates and queue a message for each yes; once per ``due_key``.
    ``with_test``: the test of versions that is set up for the content is held with these readers.

    1. a decision for every candidate, 2. the content frozen, in the styles of their branches, 3. a message for each
    that was accepted, with the audiences the reader belongs to, 4. what blocks need (vouchers) for those who will see
    them, 5. another look at those whose message gave way to one of a higher ``priority``. All of it or nothing; a large
    mailing then awaits the yes of a second person: neither ``by`` nor ``planned_by``, who had it start by itself; its
    vouchers are given out with that yes. A second call waits for the first and returns its mailing. Raises Refused when
    content or settings are not ready to go out, and for a purpose for which nobody is reached.
    """
    check_reaches(purpose)
    content = Content.objects.get(pk=content.pk)
    fields = {
        "name": name[:160],
        "origin": origin,
        "purpose": purpose,
        "channels": channels,
        "letters_to": letters_to,
        "priority": priority,
        "hold_out_percent": hold_out.percent,
        "hold_out_key": hold_out.key,
        "content": content,
        "created_by": by if isinstance(by, User) else None,
        "planned_by": planned_by,
        "created_at": now,
    }
    with noted(by):
        # Waits for another transaction that inserts the same key now.
        mailing, is_new = Mailing.objects.get_or_create(due_key=due_key, defaults=fields)
    if not is_new:
        return mailing
    identity = ensure_sending_settings()
    test = use_experiment(content, mailing, by=by) if with_test else None
    for one in [content_of(arm) for arm in test.versions] if test else [content]:
        check_ready(one, channels=channels, identity=identity)
    execute("SELECT pg_advisory_xact_lock(%s)", [GATE_LOCK])
    gate.decide(mailing, candidates, now=now)
    _freeze(mailing, identity, test)
    queue_messages(mailing, now)
    awaits = needs_approval(mailing, identity)
    (rehearse_blocks if awaits else prepare_blocks)(mailing, now)
    give_turns(priority_below=priority, now=now)
    if awaits:
        set_state(mailing, Mailing.State.AWAITS, by=by)
    finish_mailings(now=now)
    mailing.refresh_from_db()
    return mailing


def _freeze(mailing: Mailing, identity: SendingSettings, test: Experiment | None) -> None:
    """Compile the content, in each of its versions, once for each style that the branches of its readers have."""
    branch_ids: list[int | None] = []
    if HouseStyle.objects.exclude(branch=None).exists():
        may_get_it = (Decision.Outcome.ACCEPTED, Decision.Outcome.WAITS)
        readers = Decision.objects.filter(mailing=mailing, outcome__in=may_get_it).order_by()
        branch_ids = list(readers.values_list("customer__branch", flat=True).distinct())
    purpose, styles = mailing.purpose, load_styles(branch_ids)
    if test:
        mailing.compiled = freeze_arms(test, purpose=purpose, identity=identity, styles=styles)
    elif mailing.channels == Mailing.Channels.SMS:
        short = check_text_ready(mailing.content)
        mailing.compiled = compile_text(short, purpose=purpose, limits=TextSettings.load()) | {"of": short.mark}
    else:
        compiled = compile_content(mailing.content, purpose=purpose, identity=identity, styles=styles)
        mailing.compiled = compiled | {"of": mailing.content.version}
    mailing.save(update_fields=["compiled"])
    Link.objects.bulk_create(
        Link(mailing=mailing, position=position, url=url) for position, url in enumerate(mailing.compiled["links"])
    )


def check_ready(content: Content, *, channels: str, identity: SendingSettings) -> None:
    """Refuse content without blocks or subject, and an organisation that does not say who and where it is."""
    if channels == Mailing.Channels.SMS:
        check_text_ready(content)
    elif not content.blocks:
        raise Refused("empty_content", _("This message is still empty. Add at least one block."))
    if channels in (Mailing.Channels.EMAIL, Mailing.Channels.EMAIL_OR_LETTER) and not content.subject:
        raise Refused("no_subject", _("This message has no subject yet."), field="subject")
    if not identity.is_complete:
        message = _("Fill in the organisation, postal address and sender under Sending first: the law requires them.")
        raise Refused("no_identity", message)
