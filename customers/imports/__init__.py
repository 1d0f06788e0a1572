"""Files taken in: read safely, staged by COPY, validated and written by statement, all or nothing.

deliveries  what a feed says about its files
reading   file -> rows that can be trusted to be rows; refuses what is no text file of this format
staging   rows -> temporary table, with the number each has in a spreadsheet
formats   which columns a file has, and what makes a cell or a row wrong
remedies  what to tell people about a wrong row
progress  how far a run is, shown while nothing of it is visible yet
undoing   what a run wrote, taken back
writers   good rows -> new, changed and unchanged rows of the product
report    the refused rows as a file
applying  the order of all that for one run
"""

from customers.imports.applying import apply_run, undo_run
from customers.imports.formats import FORMATS, Column, Format
from customers.imports.reading import examine
from customers.imports.remedies import remedy_of

__all__ = ["FORMATS", "Column", "Format", "apply_run", "examine", "remedy_of", "undo_run"]
