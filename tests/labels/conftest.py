"""What tests of labels start from: an organisation that profiles until somebody objects.

Most tests are about how a label follows from behaviour; test_refresh tests whose behaviour may be looked at.
"""

from __future__ import annotations

import pytest

from customers.models import Purpose, PurposeChannel
from tests.factories import PurposeFactory


@pytest.fixture(autouse=True)
def profiling(db: None) -> Purpose:
    purpose: Purpose = PurposeFactory(code="profiling", rule="opt_in")
    purpose.channels.filter(channel="email").update(basis=PurposeChannel.Basis.INTEREST)
    return purpose
