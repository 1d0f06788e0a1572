"""A message as it would look, before anybody gets it: for one customer or for nobody in particular."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from customers.models import Branch, Customer, Purpose
from mailings.actions.queueing import audience_members
from mailings.compiling import Compiled, compile_content
from mailings.content import parts_of, with_readers
from mailings.fields import merge_fields
from mailings.letters import Letter, letters_html, print_pdf
from mailings.models import Content, SendingSettings
from mailings.recipients import samples_of_blocks, values_of_customer
from mailings.rendering import PreparedMail, Recipient, fill, fill_all, in_style_of, sender_of
from mailings.styles import load_styles


@dataclass(frozen=True)
class Preview:
    """One reader's message. Links lead straight to their target, our own addresses nowhere, vouchers are samples."""

    content: Content
    compiled: Compiled
    identity: SendingSettings
    customer: Customer | None
    audiences: Collection[str]
    values: dict[str, str]
    now: dt.datetime

    @property
    def subject(self) -> str:
        """The subject line."""
        return fill(self.compiled["subject"], self.values, as_html=False)

    @property
    def html(self) -> SafeString:
        """The mail as HTML; pictures of ours by path, so that it shows them whatever this site is called here."""
        done = fill_all(self.compiled["html"], self.values, self.audiences, as_html=True)
        return mark_safe(done.replace(f'src="{settings.BASE_URL}/', 'src="/'))

    @property
    def text(self) -> str:
        """The plain-text part."""
        return fill_all(self.compiled["text"], self.values, self.audiences, as_html=False)

    def letter(self) -> bytes:
        """Return the letter as PDF."""
        return print_pdf([self._letter()], compiled=self.compiled, identity=self.identity, now=self.now)

    def letter_html(self) -> str:
        """Return the letter as the HTML that is printed."""
        return letters_html([self._letter()], compiled=self.compiled, identity=self.identity, now=self.now)

    def _letter(self) -> Letter:
        lines = ["Fatima de Vries", "Voorbeeldstraat 1", "1441 AB  Purmerend"]
        if self.customer:
            lines = [self.customer.full_name, *self.customer.address_lines]
        values = {**self.values, **samples_of_blocks(self.compiled, medium="post")}
        return Letter(lines, frozenset(self.audiences), values, self.customer.branch_id if self.customer else None)

    def mail(self, *, address: str, purpose: Purpose) -> bytes:
        """Return the mail as it would leave, for a test to a colleague's ``address``."""
        compiled = {**self.compiled, "subject": ["[Test] ", *self.compiled["subject"]]}
        for part in ("html", "text"):
            write = html.escape if part == "html" else str
            compiled[part] = [
                [audience, _with_targets(pieces, self.values, write)] for audience, pieces in compiled[part]
            ]
        prepared = PreparedMail(
            compiled,
            mailing_id=0,
            identity=self.identity,
            list_name=purpose.name,
            list_code=purpose.code,
            is_service=purpose.rule == Purpose.Rule.SERVICE,
        )
        recipient = Recipient(0, 0, 0, address, frozenset(self.audiences), None, self.values)
        return prepared.render(recipient, sender=sender_of(self.compiled, self.identity), now=self.now)


def _with_targets(pieces: list[Any], values: dict[str, str], write: Callable[[str], str]) -> list[Any]:
    """Write the targets of links out; a test must not count as a click."""
    return [
        write(values[str(piece[0])]) if isinstance(piece, list) and str(piece[0]).startswith("link:") else piece
        for piece in pieces
    ]


def preview_content(
    content: Content,
    *,
    purpose: Purpose,
    customer: Customer | None = None,
    audience: str = "",
    branch: Branch | None = None,
    now: dt.datetime,
) -> Preview:
    """Return the message for a customer, or with examples in the fields, as a ``branch`` sends it; raises Refused when
    a block is gone.

    ``audience`` (``selection:3``, ``selection:3+label:5``) shows what its members see; otherwise the customer's own
    audiences count.
    """
    identity = SendingSettings.load()
    branch_id = customer.branch_id if customer else branch.pk if branch else None
    compiled = compile_content(content, purpose=purpose, identity=identity, styles=load_styles([branch_id]))
    return preview_pieces(compiled, content=content, customer=customer, audience=audience, branch=branch, now=now)


def preview_pieces(
    compiled: Compiled,
    *,
    content: Content,
    customer: Customer | None = None,
    audiences: Collection[str] | None = None,
    audience: str = "",
    branch: Branch | None = None,
    now: dt.datetime,
) -> Preview:
    """Return a message out of pieces that are there already, as ``preview_content`` does; ``audiences`` are those the
    customer had when they were frozen.
    """
    identity = SendingSettings.load()
    compiled = in_style_of(compiled, customer.branch_id if customer else branch.pk if branch else None)
    if customer:
        values = values_of_customer(customer.pk, identity=identity, now=now)
    else:
        values = {field.code: field.example for field in merge_fields} | {"organisation": identity.organisation}
    values |= samples_of_blocks(compiled, medium="email")
    values |= {f"link:{position}": url for position, url in enumerate(compiled["links"])}
    values |= {"unsubscribe_url": "#", "preferences_url": "#", "privacy_url": identity.privacy_url or "#"}
    if audiences is None:
        audiences = set(parts_of(audience)) if audience else _audiences_of(customer, compiled, now)
    return Preview(content, compiled, identity, customer, audiences, values, now)


def audience_keys(content: Content) -> list[str]:
    """Return the keys of all audiences that see a block, also of those who belong to two."""
    return sorted({key for _one, key in with_readers(content.blocks) if key})


def _audiences_of(customer: Customer | None, compiled: Compiled, now: dt.datetime) -> set[str]:
    keys = {part for audience, _pieces in compiled["html"] for part in parts_of(audience)}
    if customer is None:
        return set()
    return {key for key in keys if audience_members(key, now=now).filter(pk=customer.pk).exists()}
