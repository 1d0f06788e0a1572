"""Everything goes wrong while mail is being sent: nothing twice, nothing lost, few doubts, nobody against his will. And
an engine that is broken is found out.

``make test-faults KILLS=200 SEED=7`` does it for long.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.broken import VARIANTS
from tests.faults.nemesis import DEADLY, FAULTS, Nemesis
from tests.faults.rig import CONNECTIONS, KILLS, Rig, rig, wait_until
from tests.faults.sink import KINDS, Script

pytestmark = pytest.mark.django_db  # the database that is copied
SEED = int(os.environ.get("SEED") or (random.randrange(10**6) if KILLS else 7))
HONEST = "none of these"


@pytest.fixture(scope="module")
def stand(copied: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig"), copied) as made:
        yield made


@pytest.fixture(autouse=True)
def _at_rest(stand: Rig) -> Iterator[None]:
    """Begin each test with a mail server that does no harm, and nobody at work."""
    stand.deaths, stand.sink.script, stand.sink.seconds = 0, Script(), 0.002
    for worker in stand.workers:
        worker.changes, worker.skew = "", 0
    yield
    stand.sink.hold, stand.to_mail.is_shut = "", False
    stand.rest()


def test_nothing_is_repeated_or_lost_whatever_goes_wrong(stand: Rig) -> None:
    messages = stand.start_mailings("alles", readers=300)["alles"]
    stand.sink.script = Script(seed=SEED, rate=0.1)
    nemesis = Nemesis(stand, SEED, messages)
    for strike in nemesis.chance.sample(list(FAULTS), len(FAULTS)):
        nemesis.strike(strike)
    stand.finish(messages)
    verdict = stand.judge(messages, doubts_allowed=stand.deaths * CONNECTIONS)
    print(f"seed {SEED}: {nemesis.done}, {dict(verdict.states)}")
    assert verdict.faults == {}, verdict
    assert verdict.accepted >= 200
    assert max(nemesis.resumed) < 60


@pytest.fixture(scope="module")
def waiting(stand: Rig) -> dict[str, dict[int, str]]:
    """A mailing for each engine; none leaves before its turn."""
    keys = {name: f"motor{number}-" for number, name in enumerate([HONEST, *VARIANTS])}
    made = stand.start_mailings(*keys.values(), readers=60, is_held=True)
    return {name: made[key] for name, key in keys.items()}


@pytest.mark.parametrize("variant", [HONEST, *VARIANTS])
def test_a_broken_engine_is_found_out_and_ours_is_not(
    stand: Rig, waiting: dict[str, dict[int, str]], variant: str
) -> None:
    """Killed twice while the server has taken mails without an answer yet; now and then it hangs up at that point."""
    messages = waiting[variant]
    changes, heading = VARIANTS.get(variant, ("", ""))
    worker = stand.workers[0]
    worker.changes = changes
    stand.release(messages)
    stand.sink.script = Script(seed=1, rate=0.1, kinds=("taken after dot",))
    for _ in range(2):
        worker.begin()
        enough = stand.sink.accepted + 18
        wait_until(lambda enough=enough: stand.sink.accepted >= enough, what="for mail")  # type: ignore[misc]
        stand.sink.hold = "dot"
        wait_until(lambda: bool(stand.sink.held), what="for the server")
        worker.kill()
        stand.sink.hold = ""
        stand.mourn(worker)
    if variant == HONEST:
        stand.finish(messages)
        assert judged(stand, messages) == {}
    else:
        worker.begin()
        wait_until(lambda: heading in judged(stand, messages), what=f"for {heading}")


def judged(stand: Rig, messages: dict[int, str]) -> dict[str, int]:
    stand.hasten()
    return stand.judge(messages, doubts_allowed=stand.deaths * CONNECTIONS).faults


def test_two_schedulers_at_once_start_one_mailing(stand: Rig) -> None:
    stand.do("populate('dubbel', 40)")
    mothers = [worker.mother for worker in stand.workers]
    for mother in mothers:
        mother.start("from tests.faults.population import *\nmail('dubbel', is_held=True)")
    assert [mother.finish() for mother in mothers] == [0, 0]
    found = stand.servers.ask(
        "SELECT count(DISTINCT mailing.id) AS mailings, count(*) AS messages FROM mailings_message AS message"
        " JOIN mailings_mailing AS mailing ON mailing.id = message.mailing_id WHERE mailing.name = 'dubbel'"
    )
    assert found == [{"mailings": 1, "messages": 40}]


@pytest.mark.skipif(not KILLS, reason="takes minutes: make test-faults")
def test_nothing_is_repeated_or_lost_in_the_long_run(stand: Rig) -> None:
    """So many workers die; a fault of another kind comes between every two or three, and one attempt in ten fails."""
    stand.sink.script = Script(seed=SEED, rate=0.1, kinds=KINDS)
    nemesis = Nemesis(stand, SEED, {})
    others = [name for name in FAULTS if name not in DEADLY]
    while stand.deaths < KILLS:
        if stand.open_messages(nemesis.messages) < 150:
            key = f"ronde{len(nemesis.messages)}-"
            nemesis.messages.update(stand.start_mailings(key, readers=600)[key])
        nemesis.strike(nemesis.chance.choice(DEADLY if nemesis.chance.random() < 0.7 else others))
    stand.finish(nemesis.messages, seconds=300)
    verdict = stand.judge(nemesis.messages, doubts_allowed=stand.deaths * CONNECTIONS)
    figures = {
        "seed": SEED,
        "messages": len(nemesis.messages),
        "deaths": stand.deaths,
        "strikes": Counter(nemesis.done),
        "states": verdict.states,
        "accepted": verdict.accepted,
        "unexplained_doubts": verdict.doubts,
        "doubts_allowed": verdict.doubts_allowed,
        "slowest_resumption_s": round(max(nemesis.resumed), 2),
        "faults": verdict.faults,
    }
    Path(os.environ.get("FIGURES", os.devnull)).write_text(json.dumps(figures) + "\n")
    print(json.dumps(figures))
    assert verdict.faults == {}, verdict
