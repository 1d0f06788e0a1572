"""Counts what happened, from the database and the mailbox, and tells it as a table and as one line of JSON."""

import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from django.db.models import Count
from django.utils import translation

from customers.models import Consent, Customer, Fact
from labels.models import Assignment
from mailings.models import Click, Decision, MachineClick, Message
from selections.models import Selection
from vouchers.models import Attempt, Redemption, Voucher

from .console import Console
from .players import Played


@dataclass(frozen=True)
class Story:
    """The figures of one telling; the names are those of the JSON line."""

    customers: int
    facts: int
    labels_assigned: int
    selection_sizes: dict[str, int]
    candidates: int
    decisions: dict[str, int]
    queued: int
    sent: int
    letters: int
    failed: int
    withdrawn: int
    in_doubt: int
    clicks: int
    unsubscribes: int
    vouchers_issued: int
    vouchers_redeemed: int
    vouchers_refused: int
    mailbox: int

    def faults(self, played: Played) -> list[str]:
        """Return what does not add up, in words; empty when the story is right."""
        accounted = self.sent + self.letters + self.failed + self.withdrawn
        readers = (played.clicked, played.unsubscribed, played.redeemed, played.refused)
        counted = (self.clicks, self.unsubscribes, self.vouchers_redeemed, self.vouchers_refused)
        checks = {
            f"clicks, unsubscribes, vouchers taken in and refused: {readers}, counted {counted}": readers == counted,
            f"{self.sent} mails were sent, but {self.mailbox} are in the mailbox": self.sent == self.mailbox,
            f"{self.in_doubt} messages are in doubt": self.in_doubt == 0,
            "the decisions do not add up to the candidates": sum(self.decisions.values()) == self.candidates,
            f"{self.queued} messages were queued, but {accounted} accounted for": self.queued == accounted,
            "no mail was sent": self.sent > 0,
        }
        return [words for words, is_right in checks.items() if not is_right]

    def line(self) -> str:
        """Return the last line of the demo."""
        return f"STORY {json.dumps(asdict(self), ensure_ascii=False)}"


def count_story(mailbox: Path, *, since: dt.datetime) -> Story:
    """Count everything that happened since the story began, and everything that was there then."""
    messages = Message.objects.values_list("channel", "state").annotate(n=Count("pk"))
    states: dict[tuple[str, str], int] = {(channel, state): n for channel, state, n in messages}
    outcomes = Decision.objects.values_list("outcome").annotate(n=Count("pk")).order_by("-n")

    def in_state(state: Message.State) -> int:
        return sum(n for (_, one), n in states.items() if one == state)

    return Story(
        customers=Customer.objects.count(),
        facts=Fact.objects.count(),
        labels_assigned=Assignment.objects.filter(until__isnull=True).count(),
        selection_sizes={one.name: one.last_count or 0 for one in Selection.objects.order_by("pk")},
        candidates=Decision.objects.count(),
        decisions={str(outcome): n for outcome, n in outcomes},
        queued=Message.objects.count(),
        sent=states.get((Message.Channel.EMAIL, Message.State.SENT), 0),
        letters=states.get((Message.Channel.POST, Message.State.SENT), 0),
        failed=in_state(Message.State.FAILED),
        withdrawn=in_state(Message.State.WITHDRAWN),
        in_doubt=in_state(Message.State.IN_DOUBT),
        clicks=Click.objects.count() + MachineClick.objects.count(),  # who clicks at once looks like a machine
        # By message: one click speaks for all who share the mailbox.
        unsubscribes=Consent.objects.filter(
            state=Consent.State.WITHDRAWN, received_at__gte=since, event_at__gte=since, evidence__has_key="message"
        ).aggregate(n=Count("evidence__message", distinct=True))["n"],
        vouchers_issued=Voucher.objects.count(),
        vouchers_redeemed=Redemption.objects.filter(reversal__isnull=True).count(),
        vouchers_refused=Attempt.objects.count(),
        mailbox=len(list(mailbox.glob("*.eml"))),
    )


def show(console: Console, story: Story, played: Played) -> None:
    """Print the story for people."""
    labels = dict(Decision.Outcome.choices)
    with translation.override("en"):
        decisions = [("", f"{n:,} {str(labels[reason]).lower()}") for reason, n in story.decisions.items()]
    sizes = [("", f"{size:,} in “{name}”") for name, size in story.selection_sizes.items()]
    console.table(
        "The story",
        [
            ("Customers", f"{story.customers:,} imported, with {story.facts:,} facts"),
            ("Labels", f"{story.labels_assigned:,} assigned"),
            ("Selections", f"{len(sizes)}"),
            *sizes,
            ("Gate", f"{story.candidates:,} candidates, each with a decision"),
            *decisions,
            ("Messages", f"{story.queued:,} queued"),
            ("", f"{story.sent:,} mails sent, {story.mailbox:,} in the mailbox"),
            ("", f"{story.letters:,} letters printed"),
            ("", f"{story.failed:,} failed, {story.in_doubt:,} in doubt"),
            ("Readers", f"{played.opened:,} opened, {story.clicks:,} clicks"),
            ("", f"{story.unsubscribes:,} unsubscribed, {played.preferences:,} changed preferences"),
            ("Vouchers", f"{story.vouchers_issued:,} issued"),
            ("", f"{story.vouchers_redeemed:,} redeemed at the counter, {story.vouchers_refused:,} refused"),
        ],
    )
