"""The state of the selection builder: a tree of parts that travels in the form as flat fields indexed by path.

The root is ``r``, its second part ``r-1``, the first part of that ``r-1-0``. A group has a field ``r-1__op``,
a criterion has ``r-0__criterion`` and the fields of its own form with the prefix ``r-0``. The server reads
the tree out of the fields, changes it, and renders it again; nothing is kept in between.
"""

from workbench.forms.builder.parts import Choice, Part, menu
from workbench.forms.builder.tree import Builder

__all__ = ["Builder", "Choice", "Part", "menu"]
