"""Good rows become rows of the product: a writer per format, each a few statements that write only
differences, and beside it who takes that back.

A writer gets the columns that the file has and the values of the run, and returns (new, changed, unchanged).
A column that the file lacks leaves what is known as it is; an empty cell in a column it has makes it empty.
"""
