"""Which patterns (regular expressions) may be asked of a text: those that PostgreSQL and people read the same way.

PostgreSQL matches without going back and forth, as long as a pattern does not refer back to what it matched; so that is
refused, with all that is written differently elsewhere. What is left cannot be made slow by what is in the data.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

MOST_TIMES = 99  # in {n,m}; a count within a counted group is refused, for it multiplies
LONGEST = 200

_COUNT = re.compile(r"\{(\d{1,3})(?:(,)(\d{1,3})?)?\}")
_CLASS = re.compile(r"\[\^?(?:[^\[\]\\]|\\[dws]|\\[^a-zA-Z0-9])+\]")
_PLAIN_ESCAPE = re.compile(r"\\(?:[dwsDWS]|[^a-zA-Z0-9])")


def require_pattern(pattern: str) -> None:
    """Raise ValueError, in words for people, when the pattern is not one that may be asked."""
    if len(pattern) > LONGEST:
        raise ValueError(_("A pattern has at most %d characters.") % LONGEST)
    _walk(pattern)
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise ValueError(_("This is no pattern that can be read: %s.") % error) from None


def _walk(pattern: str) -> None:
    """Look at each part of the pattern; ``counted`` holds per open group whether something in it is counted."""
    at, may_repeat, counted, closed_counted = 0, False, [False], False
    while at < len(pattern):
        sign = pattern[at]
        if sign == "(":
            if pattern.startswith("(?", at):
                raise ValueError(_("Groups with a question mark, (?…), are not possible in a pattern."))
            counted.append(False)
            at, may_repeat, closed_counted = at + 1, False, False
        elif sign == ")":
            if len(counted) == 1:
                raise ValueError(_("A bracket closes here that did not open."))
            closed_counted = counted.pop()
            counted[-1] |= closed_counted
            at, may_repeat = at + 1, True
        elif sign in "*+?{":
            at = _repeat(pattern, at, may_repeat, closed_counted)
            counted[-1] |= sign == "{"
            may_repeat, closed_counted = False, False
        elif sign in "^$|":
            at, may_repeat, closed_counted = at + 1, False, False
        else:
            at, may_repeat, closed_counted = _one(pattern, at), True, False
    if len(counted) > 1:
        raise ValueError(_("A bracket opens that does not close."))


def _repeat(pattern: str, at: int, may_repeat: bool, is_counted: bool) -> int:
    """Return where a repetition ends."""
    if not may_repeat:
        raise ValueError(_("There is nothing to repeat before “%s”.") % pattern[at])
    if pattern[at] != "{":
        return at + 1
    count = _COUNT.match(pattern, at)
    if count is None:
        raise ValueError(_("Write a count as {2} or {2,5}; a curly bracket itself as \\{."))
    numbers = [int(number) for number in (count[1], count[3]) if number]
    if max(numbers) > MOST_TIMES or numbers != sorted(numbers):
        raise ValueError(_("A count goes up to %d, the lowest number first.") % MOST_TIMES)
    if is_counted:
        raise ValueError(_("A count within a counted group makes a pattern too heavy."))
    return count.end()


def _one(pattern: str, at: int) -> int:
    """Return where one sign, class or escape ends."""
    found = None
    if pattern[at] == "[":
        found = _CLASS.match(pattern, at)
        if found is None:
            raise ValueError(_("Write a class as [abc] or [a-z]; letters after \\ are d, w and s."))
    elif pattern[at] == "\\":
        found = _PLAIN_ESCAPE.match(pattern, at)
        if found is None:
            raise ValueError(_("After \\ come d, w, s or a sign; references back are not possible."))
    elif pattern[at] in "]}":
        raise ValueError(_("Write “%(sign)s” itself as \\%(sign)s.") % {"sign": pattern[at]})
    return found.end() if found else at + 1
