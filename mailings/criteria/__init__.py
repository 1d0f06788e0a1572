"""What may be asked about customers and what was sent to them: messages, decisions of the gate, answers, addresses."""

from common.criteria import criteria
from mailings.criteria import addresses, answers, decisions, messages

for _criterion in (*messages.CRITERIA, *answers.CRITERIA, *decisions.CRITERIA, *addresses.CRITERIA):
    criteria.register(_criterion)
