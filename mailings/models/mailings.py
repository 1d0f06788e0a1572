"""A mailing, the gate's decision for each candidate, and the messages that follow from a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Purpose
from mailings.models.content import Content
from mailings.models.querysets import WAITING, DecisionQuerySet, MailingQuerySet, MessageQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange("state", "pause_reason")),
    fields=["name", "origin", "state", "pause_reason"],
    model_name="MailingEvent",
    obj_field=pghistory.ObjForeignKey(related_name="events"),
)
class Mailing(models.Model):
    """One content to one set of candidates, once. Campaign steps, actions and editions each make one per due run.

    ``due_key`` is unique, so a run started twice (two schedulers, a double click) is one mailing. ``compiled`` holds
    the content as frozen at the start; later edits of the content change nothing in it. A large one ``awaits`` the yes
    of a second person first.
    """

    class Channels(models.TextChoices):
        EMAIL = "email", _("E-mail only")
        LETTER = "letter", _("Letter only")
        EMAIL_OR_LETTER = "email_or_letter", _("E-mail, or a letter when there is no e-mail address")
        SMS = "sms", _("Text message (SMS) only")
        CALLS = "calls", _("Call list: staff ring them")

    class LettersTo(models.TextChoices):
        PERSON = "person", _("Each their own letter")
        NAMES = "names", _("One per household, with all names")
        FAMILY = "family", _("One per household, to “Family …”")
        RESIDENTS = "residents", _("One per household, to the residents")

    class State(models.TextChoices):
        AWAITS = "awaits", _("Awaits approval")
        SENDING = "sending", _("Being sent")
        PAUSED = "paused", _("Paused")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Cancelled")

    class Priority(models.IntegerChoices):
        LOW = 1, _("Low: gives way to everything else")
        NORMAL = 2, _("Normal")
        HIGH = 3, _("High: goes before others that have not left yet")

    class Brake(models.TextChoices):
        FREE = "", _("Not used")
        HELD = "held", _("Stopped the mailing")
        RELEASED = "released", _("Released: staff chose to go on")

    name = models.CharField(_("name"), max_length=160)
    origin = models.CharField(_("comes from"), max_length=60)  # "step:12", "action:3", "edition:8"
    due_key = models.CharField(max_length=120, unique=True)
    purpose = models.ForeignKey(Purpose, models.PROTECT, verbose_name=_("purpose"))
    channels = models.CharField(_("channels"), max_length=16, choices=Channels)
    letters_to = models.CharField(_("letters to"), max_length=9, choices=LettersTo, default=LettersTo.PERSON)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    # who is held out is the same for all mailings with this key: "action:3", "campaign:5"
    hold_out_percent = models.PositiveSmallIntegerField(_("own control group (percent)"), default=0)
    hold_out_key = models.CharField(max_length=40, blank=True)
    content = models.ForeignKey(Content, models.PROTECT, related_name="mailings", verbose_name=_("content"))
    compiled = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.SENDING)
    pause_reason = models.CharField(_("why paused"), max_length=200, blank=True)
    brake = models.CharField(_("brake"), max_length=8, choices=Brake, blank=True)
    brake_tried = models.PositiveIntegerField(default=0)  # messages that were tried when the brake counted last
    unsubscribe_count = models.PositiveIntegerField(_("readers who unsubscribed"), default=0)
    open_count = models.PositiveIntegerField(_("opens"), default=0)  # in aggregate: no person is followed
    machine_open_count = models.PositiveIntegerField(_("opens by programs"), default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # of one that began by itself: who planned the edition, or turned the trigger or the step of a campaign on
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created at"))
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    approved_at = models.DateTimeField(_("approved at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects = MailingQuerySet.as_manager()
    states: dict[str, int]  # of one that was read ``with_counts``

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["origin"]),
            models.Index(fields=["id"], condition=models.Q(state="sending"), name="mailing_being_sent"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def message_count(self) -> int:
        """How many messages there are; this and what follows of a mailing ``with_counts``."""
        return sum(self.states.values())

    @property
    def waiting_count(self) -> int:
        """How many have yet to leave."""
        return sum(self.states.get(state, 0) for state in WAITING)

    @property
    def sent_count(self) -> int:
        """How many left."""
        return self.states.get("sent", 0)

    @property
    def failed_count(self) -> int:
        """How many failed for good."""
        return self.states.get("failed", 0)

    @property
    def doubt_count(self) -> int:
        """Of how many nobody knows."""
        return self.states.get("in_doubt", 0)

    def was_set_going_by(self, user: User) -> bool:
        """Whether this person started it, or planned what started by itself: he is not the second person."""
        return user.pk in {self.created_by_id, self.planned_by_id}


class Decision(models.Model):
    """What the gate decided for one candidate of one mailing, and why; one for every candidate.

    Only ``waits`` is taken again: who has had enough for now is looked at every hour, and is expected to have his turn
    at ``until``. What was decided before is kept in ``EarlierDecision``.
    """

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("May be reached")
        RESTRICTED = "restricted", _("Use of the data is restricted")
        DECEASED = "deceased", _("Has died")
        NO_PERMISSION = "no_permission", _("No permission for this purpose")
        WITHDRAWN = "withdrawn", _("Has said no to this purpose")
        OBJECTION = "objection", _("Has objected")
        NO_ADDRESS = "no_address", _("No address for this channel")
        POST_RETURNED = "post_returned", _("Post came back from this address, or moved away")
        SUPPRESSED = "suppressed", _("Address blocked after bounce or complaint")
        UNDER_AGE = "under_age", _("Too young for this purpose")
        WAITS = "waits", _("Has had enough for now: waits for his turn")
        FREQUENCY_CAP = "frequency_cap", _("Has had enough messages lately")
        HOLD_OUT = "hold_out", _("In the control group")
        DUPLICATE = "duplicate", _("Same address already in this mailing")

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="decisions", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="decisions")
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome)
    channel = models.CharField(_("channel"), max_length=8, blank=True)  # empty when refused for all
    basis = models.CharField(_("legal basis"), max_length=24, blank=True)
    # what it follows from, as it was: minimum age "16", control group "5" or "10/own", limit "3/7/own/email"
    rule = models.CharField(_("rule"), max_length=40, blank=True, db_default="")
    until = models.DateTimeField(_("waits until"), null=True)
    decided_at = models.DateTimeField(_("decided at"))

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [models.UniqueConstraint(fields=["mailing", "customer"], name="one_decision_per_candidate")]
        indexes = [models.Index(fields=["mailing"], condition=models.Q(outcome="waits"), name="decision_that_waits")]

    def __str__(self) -> str:
        return self.outcome


class EarlierDecision(models.Model):
    """What was decided about a candidate before the decision that holds now."""

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="earlier_decisions", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Decision.Outcome)
    rule = models.CharField(_("rule"), max_length=40, blank=True, db_default="")
    until = models.DateTimeField(_("waits until"), null=True)
    decided_at = models.DateTimeField(_("decided at"))
    replaced_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("earlier decision")
        verbose_name_plural = _("earlier decisions")
        ordering = ["replaced_at", "id"]
        indexes = [models.Index(fields=["customer", "mailing"], name="earlier_decision_of_customer"),
                   models.Index(fields=["mailing"], name="earlier_decision_of_mailing")]  # fmt: skip

    def __str__(self) -> str:
        return self.outcome


class Message(models.Model):
    """One message to one customer: queued -> claimed -> sending -> sent | deferred | failed | in_doubt.

    ``sending`` is committed before the first byte of DATA, so a crash leaves at most one message per connection
    in doubt, and such a message is shown to people and never resent by itself. ``withdrawn``: permission, suppression
    or the mailing's state changed between the gate and the moment of sending. Letters go queued -> sent when printed,
    calls queued -> claimed by a caller -> sent when he spoke with the customer.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        CLAIMED = "claimed", _("Taken by a worker")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        DEFERRED = "deferred", _("Tried, will be tried again")
        FAILED = "failed", _("Failed")
        IN_DOUBT = "in_doubt", _("In doubt")
        WITHDRAWN = "withdrawn", _("Withdrawn before sending")

    #: Something will still happen to these by itself (letters: once they are printed).
    OPEN = (State.QUEUED, State.CLAIMED, State.SENDING, State.DEFERRED)
    #: Not a byte of these is under way.
    UNSENT = (State.QUEUED, State.CLAIMED, State.DEFERRED)

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        POST = "post", _("Letter")
        SMS = "sms", _("Text message")
        PHONE = "phone", _("Telephone call")

    class Withdrawn(models.TextChoices):
        NO_PERMISSION = "no_permission", _("Said no in the meantime")
        SUPPRESSED = "suppressed", _("Address blocked in the meantime")
        NO_ADDRESS = "no_address", _("Address taken away in the meantime")
        CANCELLED = "cancelled", _("Mailing cancelled")
        GAVE_WAY = "gave_way", _("Gave way to a mailing of higher priority")
        LEFT = "left", _("Met the condition for leaving in the meantime")

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="messages", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="messages", db_index=False)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    address = models.CharField(_("address"), max_length=254, blank=True)  # or number, at the moment of the gate
    audiences = models.JSONField(default=list)  # block audiences this customer belongs to: "selection:3", "label:5"
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    state_at = models.DateTimeField(_("state since"))
    withdrawn_because = models.CharField(_("why withdrawn"), max_length=16, choices=Withdrawn, blank=True)
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)  # by the clock of the database
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)  # that reached a mail server
    first_attempt_at = models.DateTimeField(_("first attempt"), null=True)
    next_attempt_at = models.DateTimeField(_("next attempt"))
    reply = models.CharField(_("answer of the mail server"), max_length=300, blank=True)
    relay = models.CharField(_("mail server"), max_length=60, blank=True, db_default="")  # empty: that of EMAIL_URL
    sent_at = models.DateTimeField(_("sent at"), null=True)
    # the version its reader gets in a test; none for the rest, who get what was decided
    arm = models.ForeignKey("mailings.Arm", models.SET_NULL, null=True, related_name="messages", db_index=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [models.UniqueConstraint(fields=["mailing", "customer"], name="one_message_per_customer")]
        indexes = [
            # Per mailing, so that a large mailing on pause costs those that are being sent nothing.
            models.Index(fields=["mailing", "channel", "next_attempt_at", "id"],
                         condition=models.Q(state__in=["queued", "deferred"]), name="message_to_send"),
            models.Index(fields=["lease_until"], condition=models.Q(state__in=["claimed", "sending"]),
                         name="message_under_way"),
            models.Index(fields=["mailing"], condition=models.Q(state="in_doubt"), name="message_in_doubt"),
            models.Index(fields=["mailing"], condition=models.Q(state="failed"), name="message_failed"),
            models.Index(fields=["customer", "sent_at"], name="message_of_customer"),
            models.Index(fields=["address"], condition=models.Q(channel="sms"), name="message_to_number"),
            models.Index(fields=["arm", "state", "sent_at"], condition=models.Q(arm__isnull=False),
                         name="message_in_test"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.mailing_id}: {self.customer_id}"
