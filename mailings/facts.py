"""The fact that mailings themselves bring: somebody followed a link."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.facts import FactKind, fact_kinds

CLICK = "click"

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
