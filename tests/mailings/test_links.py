from __future__ import annotations

from email.headerregistry import Address
from typing import Any

import pytest

from mailings.links import bounce_address, read_bounce_address


@pytest.fixture(autouse=True)
def _address(settings: Any) -> None:
    settings.BOUNCE_ADDRESS = "bounce@example.nl"


def test_a_message_has_an_address_of_its_own_for_reports() -> None:
    address = bounce_address(0xBEEF)
    assert address.startswith("bounce+beef-")
    assert address.endswith("@example.nl")
    assert read_bounce_address(address) == 0xBEEF


def test_mail_servers_may_change_its_capitals() -> None:
    assert read_bounce_address(bounce_address(48879).upper()) == 48879


def test_it_fits_what_mail_servers_take_however_many_messages_there_were() -> None:
    assert len(Address(addr_spec=bounce_address(2**63 - 1)).username) <= 64


def test_another_message_cannot_be_named_without_our_key() -> None:
    forged = bounce_address(7).replace("+7-", "+8-")
    assert read_bounce_address(forged) is None
    assert read_bounce_address("bounce@example.nl") is None


def test_without_a_mailbox_for_reports_there_is_none(settings: Any) -> None:
    settings.BOUNCE_ADDRESS = ""
    assert bounce_address(7) == ""
