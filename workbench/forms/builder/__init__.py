"""The state of the selection builder: a tree of parts that travels in the form as flat fields indexed by path.

The root is ``r``, its second part ``r-1``, the first part of that ``r-1-0``. A group has a field ``r-1__op``,
a criterion has ``r-0__criterion`` and the fields of its own form with the prefix ``r-0``; every part has a ``__key``
that stays with it. The server reads the tree out of the fields, changes it, and renders it again. It keeps nothing but
the draft: earlier states, and counts to compare with.
"""

from workbench.forms.builder.drafts import Draft
from workbench.forms.builder.examples import example, examples
from workbench.forms.builder.menu import Choice, codes_in, menu, used_lately
from workbench.forms.builder.parts import Part
from workbench.forms.builder.picks import pick_menu
from workbench.forms.builder.tree import Builder

__all__ = ["Builder", "Choice", "Draft", "Part", "codes_in", "example", "examples", "menu", "pick_menu", "used_lately"]
