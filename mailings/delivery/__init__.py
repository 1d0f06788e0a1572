"""The only place that talks to mail servers, web hooks and pages behind links. All the input and output, none of the
decisions.

At most once: whoever calls has marked the message ``sending`` and committed that (``mailings.worker`` does), and gets
an outcome for it, never an exception. Whether a lost connection means "not sent" or "in doubt" depends on whether the
final dot was on its way; SMTP libraries raise the same error for both, so the phase is kept here.

``routes`` says where connections lead, ``smtp`` speaks the protocol over one, ``providers`` asks one over the web,
``crew`` serves many at once,
``webhooks`` posts to other systems,
``probing`` asks whether a page is there, ``names`` what stands in the DNS.
"""

from mailings.delivery.crew import Crew, Lane
from mailings.delivery.envelope import DEFERRED, FAILED, IN_DOUBT, SENT, Envelope
from mailings.delivery.names import Texts, look_up_texts, wrong_with
from mailings.delivery.probing import Answer, look_up
from mailings.delivery.routes import Route, routes, try_out
from mailings.delivery.single import Connection, send_test
from mailings.delivery.webhooks import post_webhook, sign_webhook

__all__ = [
    "DEFERRED",
    "FAILED",
    "IN_DOUBT",
    "SENT",
    "Answer",
    "Connection",
    "Crew",
    "Envelope",
    "Lane",
    "Route",
    "Texts",
    "look_up",
    "look_up_texts",
    "post_webhook",
    "routes",
    "send_test",
    "sign_webhook",
    "try_out",
    "wrong_with",
]
