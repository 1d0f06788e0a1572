"""The facts that mailings themselves bring: somebody followed a link, or opened a mail and lets us see that."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.facts import FactKind, fact_kinds

CLICK, OPEN, CALL = "click", "open", "call"

fact_kinds.register(
    FactKind(
        CLICK,
        _("Click"),
        _("followed a link in a message"),
        "mouse-pointer-click",
        importable=False,
        participle=pgettext_lazy("have", "followed a link in a message"),
    )
)

fact_kinds.register(
    FactKind(
        OPEN,
        _("Opened mail"),
        _("opened a message"),
        "mail-open",
        importable=False,
        participle=pgettext_lazy("have", "opened a message"),
    )
)

fact_kinds.register(
    FactKind(
        CALL,
        _("Telephone call"),
        _("was called"),
        "phone",
        importable=False,
        is_ours=True,
        participle=pgettext_lazy("have", "been called"),
    )
)
