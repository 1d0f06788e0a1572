"""Engines that are broken on purpose, as others are in earnest: what they change of ours, in the worker that is to be
caught. Each must be found out by the checker, or the checker proves nothing.
"""

from __future__ import annotations

#: By name: the code that breaks the engine, and under which heading the checker finds it.
VARIANTS = {
    # pretix: what was in flight for too long is sent again
    "requeues what was being sent": (
        """
from common.sql import execute
from mailings import queue
queue.recover = lambda: (execute(
    "UPDATE mailings_message SET state = 'queued', claim = NULL, lease_until = NULL"
    " WHERE state IN ('claimed', 'sending') AND lease_until < clock_timestamp()"), 0)
""",
        "twice",
    ),
    # Odoo, Mautic: a mail is written down only once it has gone
    "marks after sending": (
        """
from mailings import queue
queue.mark = lambda mailing, ids, **others: set(ids)
""",
        "twice",
    ),
    # CiviMail: outcomes are written down by the batch
    "records in bulk": (
        """
from mailings import queue
one_by_one, kept = queue.record, []
def record(mailing, outcomes, *, token):
    kept.extend(outcomes)
    if len(kept) < 40:
        return 0
    several = kept[:]
    kept.clear()
    return one_by_one(mailing, several, token=token)
queue.record = record
""",
        "doubts",
    ),
    # "retry on OSError": a connection lost after the dot is taken for one lost before it
    "tries again what may have arrived": (
        """
from dataclasses import replace
from mailings import queue
honest = queue.record
queue.record = lambda mailing, outcomes, *, token: honest(
    mailing, [replace(one, state='deferred') if one.state == 'in_doubt' else one for one in outcomes], token=token)
""",
        "twice",
    ),
}
