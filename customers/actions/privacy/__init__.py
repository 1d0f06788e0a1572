"""What a customer may ask of us about his own data (AVG 12-21), and what staff and the night do about it."""

from customers.actions.privacy.choices import object_to_profiling, restrict, unrestrict
from customers.actions.privacy.copies import expire_copies, make_access_files, make_waiting_copies, request_access
from customers.actions.privacy.erasing import (
    erase_customer,
    erase_many,
    refuse_request,
    release_address,
    request_erasure,
    withdraw_request,
)
from customers.actions.privacy.retention import change_retention, preview_retention, run_retention, save_register_texts

__all__ = [
    "change_retention",
    "erase_customer",
    "erase_many",
    "expire_copies",
    "make_access_files",
    "make_waiting_copies",
    "object_to_profiling",
    "preview_retention",
    "refuse_request",
    "release_address",
    "request_access",
    "request_erasure",
    "restrict",
    "run_retention",
    "save_register_texts",
    "unrestrict",
    "withdraw_request",
]
