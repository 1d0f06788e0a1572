"""Moves of customers between the labels of an exclusive group, read from the intervals of those labels.

scale    a group with its labels in order; which way a move goes
states   who was where at an instant, as a condition on customers
matrix   how many were where on one day and on another
history  the moves of one customer, group by group
moves    every move in a stretch of time: when, from, to, by what
origins  moves that say nothing of the customer: the first run, changed thresholds, histories worked out
"""

from labels.shifts.history import history_of
from labels.shifts.matrix import Matrix, customers_in, matrix
from labels.shifts.moves import Move, Moves, moves_of, moves_per_week, moves_sql
from labels.shifts.origins import own_moves_sql
from labels.shifts.scale import CODES, NEW, NONE, Scale, scales

__all__ = [
    "CODES", "NEW", "NONE", "Matrix", "Move", "Moves", "Scale", "customers_in", "history_of", "matrix", "moves_of",
    "moves_per_week", "moves_sql", "own_moves_sql", "scales",
]  # fmt: skip
