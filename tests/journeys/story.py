"""A small library in full swing, so that every page has something to show: what the demo makes, and what goes wrong
in real life besides. Everything is done by the actions that the pages call.
"""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

from aiosmtpd.smtp import Envelope
from django.contrib.auth.models import User
from django.core.files import File

from campaigns.actions import advance, enrol, run_action
from campaigns.models import Action, Campaign, Trigger
from common.actions import add_integration, add_user
from common.errors import Refused
from common.time import local_date
from customers.actions import change_customer, run_import, upload_import
from customers.actions.feeds import save_feed
from customers.actions.kinds import add_kind
from customers.actions.merging import merge_customers
from customers.actions.notes import write_note
from customers.actions.privacy import request_access, request_erasure
from customers.consents import record_consent
from customers.models import Branch, Channel, Consent, Customer, ImportRun, MatchPair, Purpose, SchoolHoliday, Source
from demo.library import write_files
from demo.loading import imports
from demo.mailbox import Mailbox
from demo.plans import Maker
from labels.actions import ask_backfill, end_version, refresh_system_labels, run_backfills
from labels.actions.computed import change_thresholds
from labels.models import Assignment, Backfill, Label, LabelGroup, ValueDefinition
from labels.system import families
from mailings.actions import (
    Arrival,
    change_call_settings,
    change_text_settings,
    judge_hits,
    keep_block,
    plan_experiment,
    print_letters,
    record_hits,
    record_reports,
    record_return,
    record_text_events,
    save_cap_rule,
    save_closing_day,
    save_content,
    save_domain_limit,
    save_relay,
    save_short_text,
    save_style,
    set_arms,
    start_mailing,
    suppress_address,
    take_call,
    unsubscribe,
)
from mailings.actions.publications import save_publication
from mailings.bounces.reading import Report
from mailings.letter_codes import letter_code
from mailings.models import (
    Bounce,
    Call,
    CapRule,
    ClosingDay,
    DomainLimit,
    Mailing,
    Message,
    Relay,
    SavedBlock,
)
from mailings.sms.events import Answer
from mailings.tasks import (
    send_queued,
    send_texts,
)
from newsletter.actions import create_edition, save_item, send_edition, subscribe
from newsletter.models import Edition, Newsletter, TextItem
from selections.actions import change_selection, keep_selection, move_selection, save_folder, write_comment
from selections.models import Selection
from tests.factories import follow_link
from tests.smtp_sink import Sink
from vouchers.actions import redeem, reverse_redemption
from vouchers.models import Redemption, Voucher
from website.actions import add_site

CUSTOMERS = 120
LONG = "Wilhelmina-Antoinette van den Oudenhuijsen-Schimmelpenninck"


class Story:
    """What came of it; the pages are those of these objects."""

    branch: Branch
    customer: Customer
    voucher: Voucher
    used: Voucher
    redemption: Redemption
    cap: CapRule
    saved: SavedBlock
    relay: Relay
    slow: DomainLimit
    closing: ClosingDay
    mailing: Mailing
    awaiting: Mailing
    message: Message
    edition: Edition
    refused: ImportRun

    def __init__(self, *, by: User, now: dt.datetime, sink: Sink, folder: Path) -> None:
        self.by, self.now, self.sink, self.folder = by, now, sink, folder
        self._take_files_in()
        self._make_plans()
        self._go_on_with_labels()
        self._send()
        self._send_newsletter()
        self._hear_from_customers()
        self._text_and_call()
        self._take_vouchers_in()
        self._administer()
        self._handle_data()

    def _take_files_in(self) -> None:
        files = write_files(self.folder / "library", customers=CUSTOMERS, today=local_date(self.now))
        for _title, take_in in imports(files, by=self.by):
            take_in()
        with files["fouten"].open("rb") as file:
            self.refused = upload_import(
                format="customers", source_code="library", file=File(file, name="fouten.csv"), file_name="fouten.csv",
                by=self.by, now=self.now,
            )  # fmt: skip
        run_import(self.refused, now=self.now)
        refresh_system_labels(now=self.now, due_key="test")
        self.branch = Branch.objects.order_by("code")[0]

    def _make_plans(self) -> None:
        maker = Maker(by=self.by, now=self.now)
        maker.settle_sender()
        tomorrow = self.day(1)
        self.closing = save_closing_day(
            None, name=f"Verhuizing van {LONG}", branch=self.branch, first_day=tomorrow, last_day=tomorrow, by=self.by
        )
        self.relay = save_relay(
            None, name=f"Server van {LONG}"[:60], variable="EMAIL_URL", weight=1, connections=16, per_second=None,
            is_active=True, by=self.by,
        )  # fmt: skip
        self.slow = save_domain_limit(None, domain="groot.example", per_minute=60_000, by=self.by)
        save_style(self.branch, accent="#7a1f4d", social={"facebook": "https://example.org/bieb"}, by=self.by)
        self.cap = save_cap_rule(None, channel="post", messages=2, days=30, by=self.by)
        maker.make_labels()
        newcomers, members = maker.select_newcomers(), maker.select_members()
        readers = maker.select_thriller_readers()
        maker.label_by_hand(members)
        self.kept = keep_selection(readers, name=f"Lezers van {LONG}", by=self.by, now=self.now)
        self.shelf = save_folder(None, name="Volwassenen", now=self.now)
        move_selection(readers, folder=self.shelf, by=self.by, now=self.now)
        write_comment(readers, text=f"Bedacht met {LONG}.", by=self.by, now=self.now)
        younger = {"criterion": "customer.age", "params": {"at_least": 16}}
        change_selection(readers, rule={**readers.rule, "children": [*readers.rule["children"], younger]}, by=self.by,
                         now=self.now)  # fmt: skip
        maker.prepare_newsletter(readers)
        action = maker.make_birthday_action(maker.define_birthday_voucher())
        maker.congratulate(action, members)
        campaign = maker.make_welcome_campaign()
        maker.welcome(campaign, newcomers)
        enrol(campaign, Customer.objects.all()[:5], by=self.by.username, now=self.now)
        advance(now=self.now)

    def _go_on_with_labels(self) -> None:
        """A threshold of our own, an import label of two versions of which one has ended, and a history worked out."""
        change_thresholds(families["lifecycle"], numbers={"ambassador": 25}, by=self.by)
        numbers = Customer.objects.order_by("number").values_list("number", flat=True)
        self._take_labels_in("2025", list(numbers[:6]))
        end_version(LabelGroup.objects.get(name="Mosaic"), "2025", by=self.by, name="Riet", now=self.now)
        self._take_labels_in("2026", list(numbers[3:9]))
        self.followed = Label.objects.get(name="Kent ons")
        ask_backfill(self.followed, first_day=self.day(-120), grid=Backfill.Grid.MONTH, by=self.by, now=self.now)
        assert run_backfills(clock=lambda: self.now) == 1

    def _take_labels_in(self, version: str, numbers: list[str]) -> None:
        lines = [f"{number};A01;Jonge stedelingen {LONG};Mosaic;{version}" for number in numbers]
        file = io.BytesIO("\n".join(["klantnummer;label;naam;groep;versie", *lines, ""]).encode())
        run = upload_import(
            format="labels", source_code="library", file=file, file_name=f"mosaic-{version}.csv", by=self.by,
            now=self.now,
        )  # fmt: skip
        assert run_import(run, now=self.now).new_count

    def day(self, days: int) -> dt.date:
        """Return the day so many days from today."""
        return local_date(self.now) + dt.timedelta(days=days)

    def _send(self) -> None:
        """One mailing with everything that can become of a message: sent, refused, in doubt, as a letter."""
        send_queued()  # the campaign's first step
        action = Action.objects.get(name__startswith="Verjaardag")
        self.mailing = run_action(action, Customer.objects.all(), due_key="test", by=self.by, now=self.now)
        mails = self.mailing.messages.filter(channel=Message.Channel.EMAIL).order_by("id")
        refused, doubted = mails[0], mails[1]
        self.sink.at_recipient[refused.address] = ["550 5.1.1 no such user"] * 2
        self.sink.at_data[doubted.address] = ["accept and drop"]
        send_queued()
        self.pile = print_letters(self.mailing, by=self.by, now=self.now)
        returned = self.pile.printed.order_by("number")[0]
        record_return(letter_code(self.pile.pk, returned.number), reason="moved", by=self.by, now=self.now)
        self.message = self.mailing.messages.filter(channel="email", state=Message.State.SENT).order_by("id")[0]
        self.customer = self.message.customer
        mailbox = Mailbox(self.folder / "mailbox")
        for mail in self.sink.received[:3]:
            envelope = Envelope()
            envelope.mail_from, envelope.rcpt_tos = mail.sender, list(mail.recipients)
            envelope.original_content = mail.content
            mailbox.keep(envelope, self.now)

    def _send_newsletter(self) -> None:
        newsletter = Newsletter.objects.get()
        subscribe(self.customer, newsletter, source_code="mijnmenu", actor="customer", now=self.now)
        sent = create_edition(newsletter, subject="Juni in Waterland", by=self.by, now=self.now)
        save_item(sent, title="De zomeragenda", body="<p>Er is van alles.</p>", by=self.by, now=self.now)
        send_edition(sent, by=self.by, now=self.now)
        self.edition = Edition.objects.exclude(pk=sent.pk).get()
        self.item = TextItem.objects.filter(edition=self.edition).order_by("pk")[0]

    def _hear_from_customers(self) -> None:
        first = self.mailing.links.order_by("position")[0].position
        follow_link(self.message, first, now=self.now - dt.timedelta(hours=1))  # long enough from when it was sent
        record_hits([Arrival(self.message.pk, first, self.now, "agent")])
        judge_hits(now=self.now + dt.timedelta(minutes=1))
        other = self.mailing.messages.filter(channel="email", state=Message.State.SENT).order_by("id")[1]
        unsubscribe(other, scope="purpose", method="page", now=self.now)
        record_consent(
            self.customer, purpose=Purpose.objects.get(code="profiling"), channel=Channel.EMAIL,
            state=Consent.State.GRANTED, source_code="counter", actor=self.by.username, event_at=self.now,
            wording_version="2026-1",
        )  # fmt: skip
        change_customer(self.customer, last_name=LONG, by=self.by, now=self.now)
        self.bounce = record_reports(
            [
                Report("hard", "story", address=self.message.address, status="5.1.1", detail=f"550 5.1.1 {LONG}",
                       message_id=other.pk, is_proven=True),
                Report("unknown", "story 2", detail=f"Vraag van {LONG}"),
            ],
            source=Bounce.Source.MAILBOX, now=self.now,
        )[0]  # fmt: skip
        suppress_address("verhuisd@example.nl", detail="Belde zelf", by=self.by, now=self.now)

    def _text_and_call(self) -> None:
        """A text message that was answered, and a call list with somebody in hand whom a colleague reached before."""
        change_text_settings(sender="0299123456", from_hour=0, until_hour=24, by=self.by)
        change_call_settings(from_hour=0, until_hour=24, by=self.by)
        change_customer(self.customer, phone="+31612345678", by=self.by, now=self.now)
        block = {"type": "text", "data": {"text": f"<p>Vraag {{{{ first_name }}}} naar {LONG}.</p>"}}
        content = save_content(None, name=f"Bellen met {LONG}", blocks=[block], by=self.by, now=self.now)
        save_short_text(content, text="Tot morgen! https://example.nl/" + LONG, by=self.by, now=self.now)
        service = Purpose.objects.get(code="service")
        _texts, self.calls = (
            start_mailing(
                name=content.name, origin="action:0", due_key=f"story:{channels}", purpose=service, channels=channels,
                content=content, candidates=Customer.objects.filter(pk=self.customer.pk), by=self.by, now=self.now,
            )
            for channels in ("sms", "calls")
        )  # fmt: skip
        assert send_texts() == {"sent": 1}
        record_text_events([Answer("story", "+31612345678", f"Hartelijk dank, {LONG}")], now=self.now)
        called = take_call(self.calls, by=self.by, now=self.now)
        assert called
        Call.objects.create(message=called, outcome="later", note=LONG, called_by=self.by, called_at=self.now)

    def _take_vouchers_in(self) -> None:
        self.voucher = Voucher.objects.filter(customer=self.customer).order_by("-pk")[0]
        self.used = Voucher.objects.exclude(pk=self.voucher.pk).filter(customer__isnull=False).order_by("pk")[0]
        other = Voucher.objects.exclude(pk__in=[self.voucher.pk, self.used.pk]).order_by("pk")[0]
        for number, voucher in enumerate([other, self.used]):
            self.redemption = redeem(
                voucher.code, branch=self.branch, staff=self.by, channel="counter", order_cents=2400,
                idempotency_key=f"story:{number}", now=self.now,
            )  # fmt: skip
            if voucher == other:
                reverse_redemption(self.redemption, reason="Klant zag ervan af", staff=self.by, now=self.now)
        try:
            redeem(
                self.used.code, branch=self.branch, staff=self.by, channel="counter", order_cents=2400,
                idempotency_key="story:again", now=self.now,
            )  # fmt: skip
        except Refused as refused:
            self.refusal = refused

    def _administer(self) -> None:
        written = Action.objects.get(name__startswith="Verjaardag").content
        self.saved = keep_block(written, written.blocks[0]["id"], name="Gelukwens", by=self.by, now=self.now)
        self.planned = plan_experiment(written, by=self.by, now=self.now).versions[1]
        tested = save_content(
            None, name=f"Zomer bij {LONG}", subject="Zomer", blocks=written.blocks[:1], by=self.by, now=self.now
        )
        self.test = plan_experiment(tested, by=self.by, now=self.now)
        set_arms(self.test, [{"percent": 40}, {"percent": 40, "subject": f"Zomer met {LONG}"}], now=self.now)
        start_mailing(
            name=tested.name, origin="action:0", due_key="story:test", purpose=self.mailing.purpose, channels="email",
            content=tested, candidates=Customer.objects.all(), with_test=True, by=self.by, now=self.now,
        )  # fmt: skip
        self.awaiting = start_mailing(
            name=f"Wacht op {LONG}", origin="action:0", due_key="story:awaits", purpose=self.mailing.purpose,
            channels="email", content=written, candidates=Customer.objects.all(), by=self.by, now=self.now,
        )  # fmt: skip
        Mailing.objects.filter(pk=self.awaiting.pk).update(state=Mailing.State.AWAITS, created_by=None)
        add_user(username="r.dejong", name=f"Riet {LONG}", email="riet@example.nl", role="counter", by=self.by)
        self.integration, _token = add_integration(name="theaterkassa", by=self.by)

    def _handle_data(self) -> None:
        """What the pages about sources, doubles, privacy and websites show."""
        one, two, three, four = Customer.objects.exclude(pk=self.customer.pk).order_by("-pk")[:4]
        self.pair = MatchPair.objects.create(
            first=min(one, two, key=lambda c: c.pk), second=max(one, two, key=lambda c: c.pk), score=71,
            reasons=[["home", 20], ["first_name_alike", 10]], found_at=self.now,
        )  # fmt: skip
        self.merge = merge_customers(three, four, by=self.by, now=self.now)
        self.note = write_note(self.customer, kind="call", text=f"Vroeg naar {LONG}.", by=self.by, now=self.now)
        request_access(self.customer, by=self.by, now=self.now)
        self.erasure = request_erasure(one, note="Graag alles weg.", now=self.now)
        self.feed = save_feed(
            None,
            source=Source.objects.get(code="theatre"),
            name="Kaartverkoop",
            delivers="facts",
            is_active=False,
            now=self.now,
        )
        self.publication = save_publication(
            None, name="Voor de mailtool", purpose=Purpose.objects.get(code="marketing"), channel="email",
            columns=["number", "email"], has_file=True, webhook_url="", daily_at=dt.time(5), is_active=True, by=self.by,
            now=self.now,
        )  # fmt: skip
        add_kind(
            name="Workshop", verb="volgde een workshop", participle="een workshop gevolgd", icon="star",
            has_amount=False, has_duration=False, by=self.by, now=self.now,
        )  # fmt: skip
        self.site = add_site(
            name="Bibliotheek Waterland", hosts=["www.example.nl"], is_app=False, keeps_queries=False,
            purpose=Purpose.objects.get(code="profiling"), by=self.by, now=self.now,
        )  # fmt: skip

    def named(self, route: str, name: str) -> object:
        """Return what stands for a name other than ``pk`` in this route, or nothing."""
        codes = {
            "kinds/": "workshop",
            "privacy/retention/": "notes",
            "mijn/aanmelden/": self.edition.newsletter.purpose.code,
        }
        if name == "code":
            return next((code for start, code in codes.items() if route.startswith(start)), None)
        keys = {"note": self.note.pk, "other": self.pair.second_id, "customer": self.customer.pk}
        return keys.get(name) or {"family": "lifecycle"}.get(name)

    def of(self, route: str) -> int:
        """Return the number to fill in for ``<int:pk>`` in this route; the longest start that is known counts."""
        start = max((known for known in self.objects if route.startswith(known)), key=len)
        return int(self.objects[start])

    @property
    def objects(self) -> dict[str, int]:
        """Which object each family of addresses is about."""
        definition = self.voucher.definition
        return {
            "customers/": self.customer.pk,
            "duplicates/": self.pair.pk,
            "merges/": self.merge.pk,
            "privacy/requests/": self.erasure.pk,
            "sources/": self.feed.source_id,
            "feeds/": self.feed.pk,
            "purposes/": self.publication.purpose_id,
            "publications/": self.publication.pk,
            "websites/": self.site.pk,
            "imports/": self.refused.pk,
            "labels/": Label.objects.get(name="Leesclub Spanning").pk,
            "labels/values/": ValueDefinition.objects.get(code="customer-value").pk,
            "labels/<int:pk>/rule/": Label.objects.get(name="Bevlogen").pk,
            "labels/<int:pk>/history/": self.followed.pk,
            "labels/groups/": Label.objects.filter(kind=Label.Kind.CUSTOMER)[0].group_id or 0,
            "selections/": Selection.objects.get(name="Thrillerlezers").pk,
            "selections/folders/": self.shelf.pk,
            "result-sets/": self.kept.pk,
            "actions/": Action.objects.get(name__startswith="Verjaardag").pk,
            "campaigns/": Campaign.objects.get().pk,
            "triggers/": Trigger.objects.get(kind="birthday").pk,
            "newsletters/": self.edition.newsletter_id,
            "editions/": self.edition.pk,
            "items/": self.item.pk,
            "mailings/": self.mailing.pk,
            "mailings/bounces/": self.bounce.pk,
            "mailings/<int:pk>/calls/": self.calls.pk,
            "mailings/<int:pk>/message/": self.awaiting.pk,
            "mailings/<int:pk>/refuse/": self.awaiting.pk,
            "mailings/letters/": self.pile.pk,
            "returned-post/": self.pile.printed.filter(message__post_return__isnull=False)[0].message.post_return.pk,
            "content/": self.mailing.content_id,
            "saved-blocks/": self.saved.pk,
            "experiments/": self.test.pk,
            "experiments/versions/": self.planned.pk,
            "house-styles/branches/": self.branch.pk,
            "sending/limits/": self.cap.pk,
            "sending/servers/": self.relay.pk,
            "sending/domains/": self.slow.pk,
            "sending/closing-days/": self.closing.pk,
            "vouchers/": definition.pk,
            "vouchers/codes/": self.used.pk,
            "users/": self.by.pk,
            "integrations/": self.integration.pk,
            "mailbox/": 1,
            "school-holidays/": SchoolHoliday.objects.order_by("pk")[0].pk,
            "places/": self.branch.pk,
            "balie/": self.redemption.pk,
            "mijn/": self.voucher.pk,
        }

    @property
    def questions(self) -> dict[str, list[dict[str, object]]]:
        """What is asked besides of pages that show most of it only when asked: their route, and the query strings."""
        purpose = self.publication.purpose_id
        readers, set_ = f"s{self.kept.selection_id}", f"r{self.kept.pk}"
        phase = Assignment.objects.open().filter(label__group__code="lifecycle")[0].label.code
        long_ago, today = self.day(-90).isoformat(), self.day(0).isoformat()
        return {
            "selections/": [{"folder": self.shelf.pk}],
            "actions/<int:pk>/run/": [{"selection": self.kept.selection_id}],
            "actions/<int:pk>/run/people/": [{"selection": self.kept.selection_id, "outcome": "accepted"}],
            "campaigns/<int:pk>/enrol/": [{"selection": self.kept.selection_id}],
            "selections/compare/": [{"one": readers, "two": set_}, {"one": readers, "two": set_, "part": "11"}],
            "selections/<int:pk>/": [{"figures": 1}],
            "selections/<int:pk>/then/": [
                {"first": long_ago},
                {"first": long_ago, "assume": "on"},
                {"first": long_ago, "last": today, "assume": "on"},
            ],
            "selections/<int:pk>/why/": [{"q": LONG[-14:]}],
            "selections/<int:pk>/why/<int:customer>/": [{"as_of": long_ago}],
            "selections/<int:pk>/calls/": [{"purpose": purpose}],
            "selections/<int:pk>/address-labels/": [{"purpose": purpose}],
            "customers/<int:pk>/selections/": [{"q": "lezers"}],
            "labels/<int:pk>/rule/preview/": [{"selection": self.kept.selection_id}],
            "mailings/<int:pk>/report/": [{"per": "hour", "kind": "loan", "days": 30}],
            "mailings/<int:pk>/report/people/": [{"step": "clicked"}],
            "shifts/": [{"first": long_ago, "last": today, "branch": self.branch.pk}],
            "shifts/cell/": [{"was": "~new", "became": phase}, {"was": "~new", "became": phase, "received": 1}],
        }
