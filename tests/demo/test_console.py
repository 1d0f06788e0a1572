import io

import pytest

from demo.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_output_is_one_line_per_step_without_control_characters() -> None:
    out = io.StringIO()
    with Console(out).step("Writing files", total=10) as step:
        step.reach(5)
        step.result = "9 files"
    assert out.getvalue().startswith("v Writing files: 9 files (")
    assert "\r" not in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_terminal_shows_a_bar_and_then_the_result() -> None:
    out = Terminal()
    with Console(out).step("Importing", total=200):
        pass
    assert "[........................] Importing   0% 0/200" in out.getvalue()
    assert out.getvalue().endswith("s)\n")


def test_failed_step_is_marked_and_the_error_goes_on() -> None:
    out = io.StringIO()
    with pytest.raises(RuntimeError), Console(out).step("Sending"):
        raise RuntimeError
    assert out.getvalue().startswith("x Sending")


def test_table_aligns_its_columns() -> None:
    out = io.StringIO()
    Console(out).table("The story", [("Customers", "5,000"), ("", "of whom 4,100 members")])
    assert out.getvalue().splitlines()[3:] == ["Customers  5,000", "           of whom 4,100 members"]
