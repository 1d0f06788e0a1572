"""What is looked at before a message goes out: one module per kind of check, all in the registry ``checks``.

A check reads a ``Proof`` and yields ``Finding``s; it changes nothing. An error stops a sending by hand, a warning is
confirmed by who sends, a hint is advice. What only the outside world can tell (do links answer?) was found out before,
by a task; here it is read.
"""

from mailings.checks import (
    audiences,
    contrast,
    fields,
    identity,
    language,
    links,
    pictures,
    programs,
    ready,
    size,
    spam,
    subject,
    texts,
)
from mailings.checks.base import Check, Finding, Proof, Report, Severity, check_content, checks, confirm

__all__ = [
    "Check",
    "Finding",
    "Proof",
    "Report",
    "Severity",
    "check_content",
    "checks",
    "confirm",
]

# The order in which they stand on a page.
for _module in (
    ready, identity, subject, fields, audiences, links, pictures, contrast, programs, size, spam, language, texts,
):  # fmt: skip
    checks.register(_module.CHECK)
