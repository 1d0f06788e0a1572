"""What a customer allows: the rules of the ledger, once in Python to explain and once in SQL to decide for many.

The ledger is append-only. For each purpose and channel the latest row by ``event_at`` counts; at a tie the refusal
does. A row that was retracted was never said, and neither is a yes by a child under 16 where a parent must give it
(AVG 8). Only where the ledger is then silent does ``PurposeChannel.basis`` say what holds:

- consent: never without a yes (Tw 11.7(1));
- customer relation (Tw 11.7(3)): members with a payment obligation, that is a subscription with a price that runs, and
  only once the organisation has confirmed the other four conditions;
- legitimate interest (AVG 6(1)(f)): members and former members, until they object (AVG 21(2));
- service (AVG 6(1)(b), the contract): always for members, who cannot opt out of what their membership needs, as the
  right to object of AVG 21(1) does not reach this basis; for former members and newsletter contacts until they refuse;
  for prospects only with a yes, since there is no relation;
- none: the channel is not used, whatever anybody said.

A refusal always beats an inferred basis. Who died is not reached, and whose data are restricted (AVG 18) neither. Being
profiled and being followed are no ways to be reached: what is said about them counts whatever channel it was said over.
"""

from customers.consents.channels import channels_of, default_channels, ensure_channels
from customers.consents.purposes import check_reaches, reaching_purposes
from customers.consents.recording import ANSWERS, record_consent
from customers.consents.rules import (
    AGE_OF_CONSENT,
    ALLOWED,
    CONSENT,
    CUSTOMER_RELATION,
    DECEASED,
    LEGITIMATE_INTEREST,
    NO_PERMISSION,
    OBJECTION,
    OPEN_TRACKING,
    PROCESSING,
    PROFILING,
    RESTRICTED,
    SERVICE,
    UNDER_AGE,
    WITHDRAWN,
    age_of_consent,
    asks_guardian,
    is_child,
    judge,
    latest,
)
from customers.consents.states import State, explain, states_of
from customers.consents.verdicts import allowed_q, allowed_sql, said_q, verdicts_sql

__all__ = [
    "AGE_OF_CONSENT",
    "ALLOWED",
    "ANSWERS",
    "CONSENT",
    "CUSTOMER_RELATION",
    "DECEASED",
    "LEGITIMATE_INTEREST",
    "NO_PERMISSION",
    "OBJECTION",
    "OPEN_TRACKING",
    "PROCESSING",
    "PROFILING",
    "RESTRICTED",
    "SERVICE",
    "UNDER_AGE",
    "WITHDRAWN",
    "State",
    "age_of_consent",
    "allowed_q",
    "allowed_sql",
    "asks_guardian",
    "channels_of",
    "check_reaches",
    "default_channels",
    "ensure_channels",
    "explain",
    "is_child",
    "judge",
    "latest",
    "reaching_purposes",
    "record_consent",
    "said_q",
    "states_of",
    "verdicts_sql",
]
