"""The statement that the gate decides with, put together for one purpose, its channels and the limits that hold."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from common.time import local_date, years_before
from customers.consents import verdicts_sql
from customers.models import Channel, Purpose
from mailings.caps import NONE, Caps, caps_for
from mailings.models import Mailing, SendingSettings

if TYPE_CHECKING:
    from mailings.gate import Terms

_HAS_POSTAL_ADDRESS = (
    "(customer.street <> '' AND customer.postal_code <> '' AND customer.city <> '' AND customer.address_state = '')"
)
# where post goes to, and where it came back from or somebody has left
_CAME_BACK = (
    "(customer.street <> '' AND customer.postal_code <> '' AND customer.city <> '' AND customer.address_state <> '')"
)
_BY_POST = (Mailing.Channels.LETTER, Mailing.Channels.EMAIL_OR_LETTER)
_HAS_EMAIL = "(email.value IS NOT NULL AND suppression.id IS NULL)"
_CHANNEL = {
    Mailing.Channels.EMAIL: "'email'",
    Mailing.Channels.LETTER: "'post'",
    # A letter only where there is no usable e-mail address; who refuses e-mail does not get paper instead.
    Mailing.Channels.EMAIL_OR_LETTER: (
        f"CASE WHEN {_HAS_EMAIL} OR NOT {_HAS_POSTAL_ADDRESS} THEN 'email' ELSE 'post' END"
    ),
    Mailing.Channels.SMS: "'sms'",
    Mailing.Channels.CALLS: "'phone'",
}
_USED = {
    Mailing.Channels.EMAIL: [Channel.EMAIL],
    Mailing.Channels.LETTER: [Channel.POST],
    Mailing.Channels.EMAIL_OR_LETTER: [Channel.EMAIL, Channel.POST],
}
#: Mailings over one channel that is not mail or post.
_ONLY = {Mailing.Channels.SMS: Channel.SMS, Mailing.Channels.CALLS: Channel.PHONE}

# A number that is rung, or written to: no text message goes to a Dutch number that is not a mobile one.
_PHONES = """LEFT JOIN customers_contactpoint AS phone
            ON phone.customer_id = candidate.customer_id AND phone.channel = 'phone' AND phone.is_primary
        LEFT JOIN mailings_suppression AS silenced ON silenced.address = phone.value AND silenced.released_at IS NULL"""
NUMBER = {
    Channel.PHONE: "phone.value",
    Channel.SMS: "CASE WHEN phone.value NOT LIKE '+31%%' OR phone.value LIKE '+316%%' THEN phone.value END",
}


def mailbox(address: str) -> str:
    """Return SQL for the mailbox behind an e-mail address: "Jan+bieb@..." and "jan@..." are one, and so are dots at
    Gmail.
    """
    lowered = f"lower({address})"
    before, domain = f"split_part(split_part({lowered}, '@', 1), '+', 1)", f"split_part({lowered}, '@', 2)"
    return f"""CASE WHEN {domain} IN ('gmail.com', 'googlemail.com') THEN replace({before}, '.', '') || '@gmail.com'
        WHEN position('+' IN {address}) > 1 THEN {before} || '@' || {domain} ELSE {lowered} END"""


_STATEMENT = """
    WITH candidate AS (SELECT customer_id FROM gate_candidate),
    reachable AS MATERIALIZED (
        SELECT candidate.customer_id, {channel} AS channel, email.value AS email, {phone} AS phone,
            {is_suppressed} AS is_suppressed, {has_postal_address} AS has_postal_address,
            {came_back} AS came_back,
            customer.birth_date
        FROM candidate
        JOIN customers_customer AS customer ON customer.id = candidate.customer_id
        LEFT JOIN customers_contactpoint AS email
            ON email.customer_id = candidate.customer_id AND email.channel = 'email' AND email.is_primary
        LEFT JOIN mailings_suppression AS suppression
            ON suppression.address = lower(email.value) AND suppression.released_at IS NULL
        {phones}
    ),
    verdict AS MATERIALIZED ({verdicts}),
    recent AS ({recent}),
    judged AS MATERIALIZED (
        SELECT reachable.customer_id, reachable.channel, reachable.email, reachable.phone, verdict.basis, CASE
            WHEN verdict.verdict <> 'allowed' THEN verdict.verdict
            WHEN reachable.came_back AND (reachable.channel = 'post' OR reachable.email IS NULL) THEN 'post_returned'
            WHEN reachable.channel = 'email' AND reachable.email IS NULL THEN 'no_address'
            WHEN reachable.channel = 'post' AND NOT reachable.has_postal_address THEN 'no_address'
            WHEN reachable.channel IN ('phone', 'sms') AND reachable.phone IS NULL THEN 'no_address'
            WHEN reachable.channel <> 'post' AND reachable.is_suppressed THEN 'suppressed'
            WHEN reachable.birth_date > %(born_after)s THEN 'under_age'
            WHEN {held} THEN 'hold_out'
            WHEN {has_enough} THEN 'frequency_cap'
            ELSE 'accepted' END AS outcome,
            CASE WHEN verdict.verdict <> 'allowed' THEN '' WHEN reachable.birth_date > %(born_after)s
                THEN %(minimum_age)s {held_rule} {full_rule} ELSE '' END AS rule,
            coalesce({is_full}, false) AS takes_place{needed}
        FROM reachable
        JOIN verdict ON verdict.customer_id = reachable.customer_id {same_channel}
        LEFT JOIN recent ON recent.customer_id = reachable.customer_id
    ),
    -- one mail per mailbox, one text message per number: of those who share it, the one with the lowest id
    numbered AS (
        SELECT judged.*, row_number() OVER (
            PARTITION BY outcome = 'accepted' AND channel IN ('email', 'sms'),
                (CASE WHEN outcome = 'accepted' AND channel = 'email' THEN {mailbox}
                    WHEN outcome = 'accepted' AND channel = 'sms' THEN phone ELSE customer_id::text END) COLLATE "C"
            ORDER BY customer_id) AS at_address
        FROM judged
    ),
    freed AS ({freed}),
    decided AS (
        SELECT numbered.customer_id, basis, takes_place{needed_too},
            CASE WHEN outcome = 'accepted' AND (at_address > 1 OR {is_taken}) THEN 'duplicate'
                WHEN outcome = 'frequency_cap' AND freed.free_at <= %(deadline)s THEN 'waits'
                ELSE outcome END AS outcome,
            CASE WHEN outcome IN ('no_address', 'post_returned') THEN '' ELSE channel END AS channel,
            CASE WHEN outcome IN ('under_age', 'hold_out', 'frequency_cap') THEN rule ELSE '' END AS rule,
            CASE WHEN outcome = 'frequency_cap' AND freed.free_at <= %(deadline)s THEN freed.free_at END AS until
        FROM numbered LEFT JOIN freed ON freed.customer_id = numbered.customer_id
        {taken}
    )
"""
# The addresses that are in this mailing already; nobody's when it has yet to start.
TAKEN = f"""LEFT JOIN (SELECT DISTINCT CASE message.channel WHEN 'email' THEN {mailbox("message.address")}
                ELSE message.address END AS address
            FROM mailings_message AS message
            WHERE message.mailing_id = %(mailing)s AND message.channel IN ('email', 'sms')
            AND message.state <> 'withdrawn') AS taken
        ON taken.address = CASE numbered.channel
            WHEN 'email' THEN {mailbox("numbered.email")} WHEN 'sms' THEN numbered.phone END"""  # noqa: S608 - ours
# Stable for as long as the customer is: the control group of today is that of tomorrow.
HASH = "('x' || substr(md5('hold-out:' || reachable.customer_id), 1, 7))::bit(28)::int %% 100"
# The same for the control group of one action or campaign, whatever the general one is.
_OWN_HASH = "('x' || substr(md5(%(own_key)s || ':' || reachable.customer_id), 1, 7))::bit(28)::int %% 100"


def statement_of(terms: Terms, *, now: dt.datetime, taken: str = "") -> tuple[str, dict[str, Any], Caps]:
    """Return the statement for the channels of a mailing, or for one channel whoever uses it, and its limits.

    Its end is ``decided``. ``taken``: the join of the addresses that are in the mailing already.
    """
    limits, channel = SendingSettings.load(), terms.channel or _ONLY.get(Mailing.Channels(terms.channels))
    used = [channel] if channel else _USED[Mailing.Channels(terms.channels)]
    caps = NONE if terms.channel else caps_for(terms.purpose, channels=used, priority=terms.priority)
    groups = _control_groups(terms, limits)
    text = _STATEMENT.format(
        channel=f"'{channel.value}'" if channel else _CHANNEL[Mailing.Channels(terms.channels)],
        phone=NUMBER.get(channel, "NULL::text") if channel else "NULL::text",
        phones=_PHONES if channel in NUMBER else "",
        is_suppressed="silenced.id IS NOT NULL" if channel in NUMBER else "suppression.id IS NOT NULL",
        has_postal_address=_HAS_POSTAL_ADDRESS,
        came_back=_CAME_BACK if channel == Channel.POST or (not channel and terms.channels in _BY_POST) else "false",
        verdicts=" UNION ALL ".join(_verdicts(terms.purpose, one, used, now) for one in used),
        same_channel="AND verdict.channel = reachable.channel" if len(used) > 1 else "",
        held=" OR ".join(groups) or "false",
        held_rule=" ".join(f"WHEN {condition} THEN '{rule}'" for condition, rule in groups.items()),
        full_rule=caps.full_rule(),
        recent=caps.recent(),
        has_enough=caps.has_enough,
        is_full=caps.is_full,
        needed=caps.needed(),
        needed_too="".join(f", needed_{number}" for number in range(len(caps.rules))),
        freed=caps.freed(),
        mailbox=mailbox("email"),
        taken=taken,
        is_taken="taken.address IS NOT NULL" if taken else "false",
    )
    deadline = terms.deadline or now + dt.timedelta(days=limits.wait_days)
    values = {
        "now": now,
        "hold_out_percent": limits.hold_out_percent,
        "own_percent": terms.hold_out.percent,
        "own_key": terms.hold_out.key,
        "minimum_age": str(limits.minimum_age),
        "born_after": None if terms.is_service else years_before(local_date(now), limits.minimum_age),
        **caps.values(now=now, priority=terms.priority, deadline=deadline),
    }
    return text, values, caps


def _control_groups(terms: Terms, limits: SendingSettings) -> dict[str, str]:
    """Return condition -> rule of the control groups that hold, the general one first: "5", "10/own"."""
    if terms.is_service or terms.channel:
        return {}
    groups = {}
    if limits.hold_out_percent:
        groups[f"{HASH} < %(hold_out_percent)s"] = f"{limits.hold_out_percent:d}"
    if terms.hold_out.percent:
        groups[f"{_OWN_HASH} < %(own_percent)s"] = f"{terms.hold_out.percent:d}/own"
    return groups


def _verdicts(purpose: Purpose, channel: Channel, used: list[Channel], now: dt.datetime) -> str:
    # Of several channels not "= this one": the planner takes that for a few people, and walks where it should hash.
    others = [f"channel <> '{other.value}'" for other in used if other != channel]
    own = f"SELECT customer_id FROM reachable WHERE {' AND '.join(others)}" if others else "TABLE gate_candidate"  # noqa: S608
    verdicts = verdicts_sql(own, purpose=purpose, channel=channel, as_of=now)
    return f"SELECT customer_id, verdict, basis, '{channel.value}' AS channel FROM ({verdicts}) AS v"  # noqa: S608
