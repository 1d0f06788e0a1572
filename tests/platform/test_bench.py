import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.django_db(transaction=True)
def test_a_benchmark_ends_with_one_line_of_json() -> None:
    out = StringIO()
    call_command("bench", "imports", "--n", "50", stdout=out)
    last = json.loads(out.getvalue().splitlines()[-1])
    assert last["benchmark"] == "imports"
    assert last["n"] == 50


def test_an_unknown_benchmark_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(CommandError, match=r"there are: .*imports"):
        call_command("bench", "nonsense")
