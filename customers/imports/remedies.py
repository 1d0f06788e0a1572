"""What is wrong with a refused row, and what to do about it: one text per code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

REMEDIES: dict[str, _StrPromise] = {
    # of the row as it stands in the file
    "quote": _("A quotation mark opens here and does not close. Remove it, or write it twice within quotes."),
    "cells": _("The row has another number of cells than the header. Put a text with the separator in quotes."),
    "nul": _("The row holds invisible characters (NUL). Export the file again, or retype the row."),
    "encoding": _("The row holds characters that cannot be read. Save the file as CSV UTF-8."),
    "long": _("The row is far too long. Look for a quotation mark that does not close, or for a file in a cell."),
    # of a cell
    "empty": _("This cell must be filled in."),
    "too_long": _("The text is too long for this column. Shorten it."),
    "date": _("This is no date that exists. Write 2015-03-31 or 31-03-2015."),
    "birth_date": _("A birth date lies between 1900 and today. Correct the year."),
    "future": _("This lies in the future. Correct the date."),
    "past": _("This lies too far in the past. Correct the year."),
    "moment": _("This is no moment that exists. Write 2024-05-31 14:30, with a time."),
    "order": _("The end date lies before the start date. Correct one of the two."),
    "amount": _("This is no amount. Write 12,50."),
    "negative": _("This amount cannot be below zero."),
    "too_much": _("This amount is too high for a year. Correct it, and write 12,50."),
    "whole": _("This is no whole number."),
    "email": _("This is no complete e-mail address. Correct it, or leave the cell empty."),
    "phone": _("This is no complete phone number. Write 0612345678, or leave the cell empty."),
    "postal_code": _("This is no Dutch postal code. Write 1441 AB, or leave the cell empty."),
    "postal_area": _("This is no Dutch postal code. Write 1441 AB, or 1441 for all of that area."),
    "degrees": _("This is no place in the Netherlands. Latitude lies between 50 and 54, longitude between 3 and 8."),
    "code": _("A code holds letters, digits, dashes and underscores only."),
    "kind": _("This kind is not known. Use one of those in the explanation of the format."),
    "choice": _("This is not one of the possible answers. See the explanation of the format."),
    "name": _("A customer needs a last name; a newsletter contact or prospect may have an e-mail address instead."),
    # of a row among others
    "duplicate": _("This number is used by an earlier row of the same file. Keep one of the two."),
    "branch": _("This branch is not known. Import the branches first, or correct the code."),
    "customer": _("There is no customer with this number. Import the customers first, or correct the number."),
    "purpose": _("This purpose is not known. Use one of those in the explanation of the format."),
    "itself": _("Nobody is his own parent. Correct the number."),
    "parent": _("There is no parent with this number, not in this file either. Import the parent first."),
    "not_guardian": _("This parent is not known as the parent of this child. Import the customers with it first."),
    "grown": _("This person was 16 or older and answers for himself. Leave the parent out."),
    "said_no": _(
        "This person said no before this, elsewhere. A file does not undo that: only the person can, in MijnMenu, at "
        "the desk or by confirming a mail. Leave the row out."
    ),
    "erased": _("This person was erased and has not asked to come back. Leave the row out."),
    "other_customer": _("This number belongs to another customer already. Correct one of the two."),
}

#: What the report says of rows that were not refused.
REMARKS: dict[str, _StrPromise] = {
    "too_old": _(
        "from before the moment up to which facts of their kind were removed: not taken in, and counted as unchanged"
    ),
    "parent_refused": _(
        "name a parent whose own row was refused: taken in without the parent, who is linked as soon as he comes in"
    ),
    "absent": _("customers are known by this source and not in this file any more: see the quality of the data"),
    "erased_address": _(
        "e-mail addresses and telephone numbers were erased on request: the customers came in without them"
    ),
    "child_alone": _("a yes by a child under 16 without a parent: kept, but it does not count"),
}


def remedy_of(code: str) -> str:
    """Return the text for a code in the active language, or empty text for a code of long ago."""
    return str(REMEDIES.get(code, ""))
