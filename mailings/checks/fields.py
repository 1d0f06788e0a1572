"""Fields about the reader that have no value for some, where the text gives no word instead."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailings.checks.base import Check, Finding, Proof, Severity
from mailings.checks.readers import bare_fields
from mailings.fields import merge_fields


def find(proof: Proof) -> Iterator[Finding]:
    """Yield a warning for each field that is empty for somebody who will read it, with how many those are."""
    for code, audience, place in bare_fields(proof.content):
        count = proof.tally.lacking.get((code, audience), 0)
        if not count:
            continue
        words = ngettext(
            "“%(field)s” is empty for %(shown)s customer, and there is no other word for it.",
            "“%(field)s” is empty for %(shown)s customers, and there is no other word for it.",
            count,
        ) % {"field": merge_fields[code].label, "shown": number_format(count, force_grouping=True)}
        example = f'{{{{ {code} | default: "…" }}}}'
        remedy = _("Give a word for who has none: %(example)s") % {"example": example}
        yield Finding("fields.empty", Severity.WARNING, words, remedy, place=place, count=count)


CHECK = Check("fields", gettext_lazy("Fields about the reader have a value"), find)
