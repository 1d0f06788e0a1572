"""The story from beginning to end: files, imports, labels, plans, triggers, mail, readers, counter, report."""

import datetime as dt
import json
import sys
import time
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import ProgrammingError, transaction

from campaigns.actions import advance
from common.errors import Refused
from common.time import clock, local_date
from customers.actions.tallies import tally_facts
from customers.models import Customer
from customers.quality import count_issues
from labels.actions import refresh_system_labels
from labels.models import Label
from mailings.actions import judge_hits
from mailings.models import Message
from mailings.tasks import print_letters_of, send_queued

from . import installation, services
from .audiences import Audiences
from .console import Console
from .installation import Login, NotOurDatabase
from .library import write_files
from .loading import ImportFailed, imports
from .past import label_the_past, shifts_told, work_out_history
from .plans import Maker
from .players import Played
from .processes import ChildFailed, Children
from .report import Story, count_story, show
from .terms import settle_terms

NAME = "Bibliotheek Waterland"
STALLED_SECONDS = 60
DONE = [Message.State.SENT, Message.State.FAILED, Message.State.IN_DOUBT, Message.State.WITHDRAWN]


class StoryFailed(Exception):  # noqa: N818 -- reads as what happened
    """The story could not be told to its end, or its figures do not add up; the message says why."""


class Demo:
    """One run of the demo."""

    def __init__(self, console: Console, *, customers: int, port: int, keep: bool) -> None:
        self._console = console
        self._customers = customers
        self._port = port
        self._keep = keep
        self._state = Path(settings.STATE_DIR)
        self._mailbox = self._state / "mailbox"
        self._logins: list[Login] = []
        self.is_told = False

    def run(self, *, then_serve: bool) -> None:
        """Tell the story, or with `keep` only start what serves it; then serve until somebody stops it.

        Raises StoryFailed. Whatever happens, no process of the demo is left.
        """
        try:
            with services.open_children(self._state) as children:
                if self._keep and self._has_data():
                    self._start_again(children)
                else:
                    self._tell(children)
                self.is_told = True
                if then_serve:
                    self._serve(children)
        except (ChildFailed, ImportFailed, NotOurDatabase, Refused) as error:
            raise StoryFailed(str(error)) from error

    # -- the story, step by step

    def _tell(self, children: Children) -> None:
        with self._console.step("Database and accounts"):
            installation.empty_database()
            installation.forget_files()
            installation.migrate()
            self._logins = installation.open_accounts()
            settle_terms(by=User.objects.get(username=installation.STAFF["administrator"][0]))
        self._start_faces(children)
        since = clock()
        self._import_files(local_date(since))
        by = User.objects.get(username=installation.STAFF["marketeer"][0])
        with self._console.step("Labels as they were this past year") as step:
            step.result = f"{label_the_past(by=by, now=clock()):,} labels came to an end meanwhile"
        with self._console.step("System labels") as step:
            run = refresh_system_labels(now=clock(), due_key=f"demo {since.isoformat()}")
            step.result = f"{run.given_count:,} assigned"
        self._start_engines(children)
        self._plan(by)
        self._deliver(children)
        played = self._play(children)
        with self._console.step("Counts of facts and of quality"), transaction.atomic():
            tally_facts(now=clock())
            count_issues(local_date(clock()), now=clock())
        self._report(played, since=since)

    def _import_files(self, today: dt.date) -> None:
        folder = self._state / "library"
        with self._console.step(f"Files of {NAME}", total=self._customers) as step:
            files = write_files(folder, customers=self._customers, today=today, progress=step.reach)
            step.result = f"{len(files)} files in {folder}"
        by = User.objects.get(username=installation.STAFF["marketeer"][0])
        for title, take_in in imports(files, by=by):
            with self._console.step(f"Import of {title}") as step:
                step.result = take_in()

    def _plan(self, by: User) -> None:
        maker = Maker(by=by, now=clock())
        with self._console.step("Selections, voucher, actions and campaign"):
            maker.settle_sender()
            maker.make_labels()
            newcomers, members = maker.select_newcomers(), maker.select_members()
            thriller_readers = maker.select_thriller_readers()
            maker.label_by_hand(thriller_readers)
            maker.prepare_newsletter(thriller_readers)
            action = maker.make_birthday_action(maker.define_birthday_voucher())
            maker.congratulate(action, members)
            campaign = maker.make_welcome_campaign()
            maker.welcome(campaign, newcomers)
        with self._console.step("Label by rule, with its history"):
            work_out_history(Label.objects.get(name="Bevlogen"), by=by, now=clock())
        with self._console.step("Audiences in folders, kept and compared") as step:
            step.result = Audiences(by=by, now=clock()).make()
        with self._console.step("Shifts between labels in three months") as step:
            step.result = shifts_told(now=clock())
        with self._console.step("Triggers of today") as step:
            summary = advance(now=clock())
            if summary.failed:
                raise StoryFailed(f"these runs failed: {', '.join(summary.failed)}")
            step.result = f"{len(summary.mailings)} mailings"

    def _deliver(self, children: Children) -> None:
        """Ring for the workers, and wait until they have dealt with every message."""
        total = Message.objects.count()
        send_queued.delay()
        letters = Message.objects.filter(channel=Message.Channel.POST).values_list("mailing", flat=True).distinct()
        for mailing_id in letters:
            print_letters_of.delay(mailing_id)
        with self._console.step("Mail and letters", total=total) as step:
            left, changed_at = total, time.monotonic()
            while now_left := Message.objects.exclude(state__in=DONE).count():
                if now_left != left:
                    left, changed_at = now_left, time.monotonic()
                elif time.monotonic() - changed_at > STALLED_SECONDS:
                    raise StoryFailed(
                        f"{left} messages are still waiting after {STALLED_SECONDS} seconds\n{children.tail('worker')}"
                    )
                step.reach(total - left)
                children.check()
                time.sleep(0.2)
            step.result = f"{total:,} messages dealt with"

    def _play(self, children: Children) -> Played:
        """Let a process of its own play readers and counter staff, and return what it says it did."""
        total = len(list(self._mailbox.glob("*.eml")))
        command = [
            sys.executable, "-m", "demo.players", "--base-url", settings.BASE_URL,
            "--mailbox", str(self._mailbox), "--logins", str(installation.logins_file()),
        ]  # fmt: skip
        with self._console.step("Readers and the counter", total=total) as step:
            child = children.launch("players", command)
            children.wait(child, meanwhile=lambda: step.reach(services.text_of(child).count("\n")))
            played = Played(**json.loads(services.text_of(child).splitlines()[-1]))
            step.result = f"{played.read:,} mails read"
        return played

    def _report(self, played: Played, *, since: dt.datetime) -> None:
        judge_hits(now=clock() + dt.timedelta(minutes=1))
        story = count_story(self._mailbox, since=since)
        show(self._console, story, played)
        self._check(story, played)
        (self._state / "story.json").write_text(story.line().removeprefix("STORY "), encoding="utf-8")
        self._console.say()
        self._console.say(story.line())

    def _check(self, story: Story, played: Played) -> None:
        if faults := story.faults(played):
            told = "the story does not add up: " + "; ".join(faults)
            raise StoryFailed(f"{told}\n{story.line()}\nKEEP=1 make demo serves what is there, to look into it.")

    # -- serving

    def _has_data(self) -> bool:
        try:
            return installation.is_marked() and Customer.objects.exists()
        except ProgrammingError:
            return False

    def _start_again(self, children: Children) -> None:
        with self._console.step("Database and accounts"):
            installation.migrate()
            self._logins = installation.open_accounts()
        self._start_faces(children)
        self._start_engines(children)

    def _start_faces(self, children: Children) -> None:
        """Start what listens at a port first: later another program might have taken it."""
        with self._console.step("Mailbox and web"):
            services.start_mailbox(children, self._mailbox)
            services.start_web(children, self._port)

    def _start_engines(self, children: Children) -> None:
        with self._console.step("Worker and scheduler"):
            services.start_worker(children)
            services.start_scheduler(children)
            services.start_entrance(children)

    def _serve(self, children: Children) -> None:
        """Tell where to go and serve until a signal comes. Raises ChildFailed when one of the five ends."""
        integration = installation.open_integration()
        address = settings.BASE_URL
        rows = [
            (f"{address}/", "workbench, for marketeers and administrators"),
            (f"{address}/mailbox/", "the mailbox of the demo"),
            (f"{address}/balie/", "counter"),
            (f"{address}/api/v1/docs/", "API"),
        ]
        self._console.table(f"{NAME} is open", rows)
        self._console.table(
            "Log in as",
            [(login.role, f"{login.username} / {login.password}") for login in self._logins]
            + [(integration.role, f"Authorization: Bearer {integration.password}")],
        )
        self._console.say("\nCustomers get into MijnMenu by the link in any mail. Ctrl-C stops everything.")
        while True:
            children.check()
            time.sleep(0.5)
