"""The road from files to results in five steps, with how far this library or theatre is, read from its own data.

The steps are those by which a single view of the customer comes about: look at the data, agree on what it means, start
small, think of the whole organisation, and reckon with what is really there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.models import Campaign
from common.roles import COUNTER, INTEGRATOR
from customers.models import Customer, Fact, ImportRun, MatchPair, PurposeChannel, QualityCount, Source
from labels.models import Label
from mailings.models import Mailing
from selections.models import Selection
from vouchers.models import Definition, Redemption
from workbench import figures

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

LATELY = dt.timedelta(days=31)
FEWEST_CAMPAIGNS = 3  # fewer than three say little about what works
ENOUGH_REACH = 60  # per cent of the customers that can be reached over some channel
MOST_FAILED = 2  # per cent; above it, mail providers begin to distrust a sender


@dataclass(frozen=True)
class Task:
    """Something to do: ``told`` says how it stands, ``url_name`` leads to where it is done."""

    title: str
    is_done: bool
    told: str
    url_name: str
    permission: str


@dataclass(frozen=True)
class Step:
    title: str | _StrPromise
    why: str | _StrPromise
    tasks: list[Task]

    @property
    def done(self) -> int:
        return sum(task.is_done for task in self.tasks)

    @property
    def state(self) -> str:
        """``done`` or ``todo``; which of the steps is the current one, the page knows."""
        return "done" if self.done == len(self.tasks) else "todo"


def roadmap(now: dt.datetime) -> list[Step]:
    """Return the five steps in their order."""
    return [Step(title, why, list(tasks(now))) for title, why, tasks in _STEPS]


def _state_of_the_data(now: dt.datetime) -> Iterator[Task]:
    sources = Source.objects.exclude(kind=Source.Kind.PRODUCT)
    lately = (
        sources.filter(importrun__state=ImportRun.State.DONE, importrun__finished_at__gte=now - LATELY)
        .distinct()
        .count()
    )
    yield Task(
        _("Bring your sources together"), lately > 0 and Fact.objects.exists(),
        ngettext("%d source delivered in the last month", "%d sources delivered in the last month", lately) % lately,
        "workbench:source_list", "run_imports",
    )  # fmt: skip
    counted = QualityCount.objects.order_by("-day").first()
    everybody = _counted(counted, "")
    missing = _counted(counted, "missing_email")
    yield Task(
        _("Know what is missing or wrong"), counted is not None,
        _("%(missing)s of %(all)s customers have no e-mail address") % {"missing": missing, "all": everybody}
        if counted else _("The quality has not been counted yet"),
        "workbench:quality", "view_customers",
    )  # fmt: skip
    waiting = MatchPair.objects.waiting().count()
    yield Task(
        _("Settle who is the same person"), not waiting and Customer.objects.exists(),
        ngettext("%d possible duplicate waits", "%d possible duplicates wait", waiting) % waiting,
        "workbench:duplicate_list", "change_customers",
    )  # fmt: skip


def _meaning(now: dt.datetime) -> Iterator[Task]:
    relations = list(PurposeChannel.objects.filter(basis=PurposeChannel.Basis.RELATION))
    open_count = sum(not relation.is_confirmed for relation in relations)
    yield Task(
        _("Agree on what you may send, and to whom"), not open_count,
        ngettext("%d customer relation is not confirmed", "%d customer relations are not confirmed", open_count)
        % open_count,
        "workbench:purpose_list", "manage_users",
    )  # fmt: skip
    own = Label.objects.filter(kind=Label.Kind.OWN, is_active=True)
    total, described = own.count(), own.exclude(description="").count()
    yield Task(
        _("Say in words what each label means"), 0 < total == described,
        _("%(described)s of %(all)s own labels have a description") % {"described": described, "all": total},
        "workbench:label_list", "manage_labels",
    )  # fmt: skip
    selections = Selection.objects.count()
    yield Task(
        _("Agree on your most important groups"), selections > 0,
        ngettext("%d selection", "%d selections", selections) % selections,
        "workbench:selection_list", "manage_selections",
    )  # fmt: skip


def _start_small(now: dt.datetime) -> Iterator[Task]:
    mailings = Mailing.objects.filter(state=Mailing.State.FINISHED).count()
    yield Task(
        _("Send one action to a small group"), mailings > 0,
        ngettext("%d mailing finished", "%d mailings finished", mailings) % mailings,
        "workbench:action_list", "manage_campaigns",
    )  # fmt: skip
    clicks = sum(figures.clicks_per_day(now).values())
    yield Task(
        _("Look at what it brought"), clicks > 0 or Redemption.objects.exists(),
        ngettext("%d click in the last 30 days", "%d clicks in the last 30 days", clicks) % clicks,
        "workbench:mailing_list", "manage_mailings",
    )  # fmt: skip


def _the_whole(now: dt.datetime) -> Iterator[Task]:
    running = Campaign.objects.current().count()
    yield Task(
        _("Keep at least three campaigns running"), running >= FEWEST_CAMPAIGNS,
        ngettext("%d campaign is running", "%d campaigns are running", running) % running,
        "workbench:campaign_list", "manage_campaigns",
    )  # fmt: skip
    counters = User.objects.filter(groups__name=COUNTER, is_active=True).count()
    offered = Definition.objects.exists()
    yield Task(
        _("Involve the counter"), counters > 0 and offered,
        ngettext("%d colleague may take in vouchers", "%d colleagues may take in vouchers", counters) % counters,
        "workbench:voucher_list", "manage_vouchers",
    )  # fmt: skip
    systems = User.objects.filter(groups__name=INTEGRATOR, is_active=True).count()
    yield Task(
        _("Connect the website and other systems"), systems > 0,
        ngettext("%d system is connected", "%d systems are connected", systems) % systems,
        "workbench:integration_list", "manage_integrations",
    )  # fmt: skip


def _reality(now: dt.datetime) -> Iterator[Task]:
    everybody = Customer.objects.count()
    reached = max((row.count for row in figures.reach(now)), default=0)
    share = 100 * reached // everybody if everybody else 0
    yield Task(
        _("Reach most of your customers"), share >= ENOUGH_REACH,
        _("%(share)d%% may be written to over one channel") % {"share": share},
        "workbench:quality", "view_customers",
    )  # fmt: skip
    failed, total = figures.not_delivered(now)
    words = _("%(failed)s of %(all)s messages of the last 30 days could not be delivered")
    told = words % {"failed": failed, "all": total} if total else _("Nothing was sent in the last 30 days")
    yield Task(
        _("Keep your addresses alive"), total > 0 and 100 * failed <= MOST_FAILED * total,
        told,
        "workbench:mailing_list", "manage_mailings",
    )  # fmt: skip
    active, silent = _sources(now)
    if silent:
        told = _("Nothing for a month from: %s") % ", ".join(silent)
    else:
        told = _("Every source delivered this month") if active else _("No source has delivered yet")
    yield Task(
        _("Keep what you know up to date"), bool(active) and not silent, told, "workbench:source_list", "run_imports"
    )


def _counted(last: QualityCount | None, issue: str) -> int:
    if last is None:
        return 0
    found = QualityCount.objects.filter(day=last.day, scope=QualityCount.Scope.ALL, issue=issue)
    return found.values_list("count", flat=True).first() or 0


def _sources(now: dt.datetime) -> tuple[list[str], list[str]]:
    """Return the names of the sources that delivered in the last month, and of those that did so only before."""
    delivered = Source.objects.filter(importrun__state=ImportRun.State.DONE)
    lately = set(delivered.filter(importrun__finished_at__gte=now - LATELY).values_list("name", flat=True))
    return sorted(lately), sorted(set(delivered.values_list("name", flat=True)) - lately)


_STEPS = (
    (
        gettext_lazy("Look at the state of your data"),
        gettext_lazy("Every channel keeps its own list. Bring them together first, and see what is missing or double."),
        _state_of_the_data,
    ),
    (
        gettext_lazy("Give the data meaning"),
        gettext_lazy("Agree with your colleagues on what a member, a new customer or a reader of thrillers is."),
        _meaning,
    ),
    (
        gettext_lazy("Go step by step"),
        gettext_lazy("Begin with something small that is quickly of use, and look at what it brings."),
        _start_small,
    ),
    (
        gettext_lazy("Think of the whole"),
        gettext_lazy("This is not of marketing alone: the counter, the website and the programme take part."),
        _the_whole,
    ),
    (
        gettext_lazy("Reckon with reality"),
        gettext_lazy("Good data does not come by itself, and does not stay good by itself."),
        _reality,
    ),
)
