"""The checks: what they accept, what they recognise, and what reaches stderr (nothing)."""

import logging
import os
import subprocess
import sys
import textwrap
import warnings
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import checks, rendering
from labkit.values import NotData, as_data, same


def question(**more: Any) -> checks.Question:
    return checks.question(
        "q", points=4, misconceptions={"off-by-one": "Count again.", "other": "Other."}, **more
    )


def fails(error: BaseException) -> Any:
    def answer() -> None:
        raise error

    return answer


class EqualToAll:
    """An object that says yes to every comparison."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(5.0)

    def __bool__(self) -> bool:
        return True


class SlyFloat(float):
    """A number that equals every other."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


@pytest.mark.parametrize("value", [5, np.int64(5), np.array(5), 5.0, np.float32(5)])
def test_equal_is_lenient_about_the_kind_of_number(value: Any) -> None:
    q = question()
    q.equal("five", lambda: value, 5)
    assert q.result().points == 4
    assert q.result().status == "passed"


@pytest.mark.parametrize(
    "value", [[1, (2, 3)], (1, [2, 3]), np.array([1, 2]), [np.int8(1), 2], ((1, 2), 3), {"a": [1]}]
)
def test_same_is_lenient_about_containers_and_strict_about_content(value: Any) -> None:
    listed = value.tolist() if isinstance(value, np.ndarray) else value
    assert same(value, listed)
    assert not same(value, [listed])
    assert not same(value, EqualToAll)


@pytest.mark.parametrize(
    "value", [4, True, "5", [5], np.array([5]), {5}, 5j, float("nan"), EqualToAll(), SlyFloat(4), len]
)
def test_equal_refuses_what_is_not_five(value: Any) -> None:
    q = question()
    q.equal("five", lambda: value, 5)
    assert q.result().points == 0
    assert q.result().status == "failed"


@pytest.mark.parametrize(
    "value", [EqualToAll(), [EqualToAll()], {"a": EqualToAll()}, np.array([EqualToAll()], object), len]
)
def test_objects_that_decide_their_own_comparison_are_no_data(value: Any) -> None:
    with pytest.raises(NotData):
        as_data(value)
    q = question()
    q.close("near", lambda: value, np.array([5.0]))
    q.satisfies("true", lambda: value, lambda v: v)
    assert q.result().points == 0


def test_a_subclass_of_a_number_is_compared_as_its_base() -> None:
    assert type(as_data(SlyFloat(4))) is float
    assert as_data(SlyFloat(4)) == 4.0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_data_is_the_same_as_itself_and_crosses_unchanged(value: Any) -> None:
    assert same(as_data(value), value)


def test_close_names_shape_finiteness_and_distance() -> None:
    q = question()
    q.close("shape", lambda: np.ones((2, 3)), np.ones((3, 2)))
    q.close("finite", lambda: [np.nan, 1], [1, 1])
    q.close("far", lambda: np.full(100, 1.5), np.ones(100))
    q.close("near", lambda: np.full(100, 1 + 1e-9), np.ones(100))
    q.close("text", lambda: ["a"], [1.0])
    q.close("ragged", lambda: [[1], [1, 2]], [1.0])
    messages = [part.message for part in q.result().parts]
    assert messages[0] == "Expected shape (3, 2), received (2, 3)."
    assert "NaN" in messages[1]
    assert messages[2].startswith("The largest difference is 0.5 ")
    assert [part.status for part in q.result().parts] == ["failed"] * 3 + ["passed"] + ["failed"] * 2
    assert q.result().status == "partial"
    assert q.result().points == pytest.approx(4 / 6, abs=0.01)


def test_a_misconception_is_recognised_by_value_by_condition_and_by_exception() -> None:
    for check in (
        lambda q: q.equal("x", lambda: 4, 5, wrong={"other": 3, "off-by-one": 4}),
        lambda q: q.close("x", lambda: [4.0], [5.0], wrong={"other": [3.0], "off-by-one": [4.0]}),
        lambda q: q.satisfies("x", lambda: 4, lambda v: v == 5, wrong={"off-by-one": lambda v: v == 4}),
        lambda q: q.equal("x", fails(IndexError("i")), 5, wrong={"off-by-one": IndexError}),
        lambda q: q.raises("x", lambda: 4, ValueError, wrong={"off-by-one": 4}),
        lambda q: q.equal("x", lambda: 4, 5, wrong=lambda: {"other": 3, "off-by-one": 4}),
        lambda q: q.raises("x", lambda: 4, ValueError, wrong=lambda: {"off-by-one": 4}),
    ):
        q = question()
        check(q)
        assert q.result().misconceptions == ["off-by-one"]
        assert q.result().message == "Count again."


def test_what_mistakes_would_give_is_computed_only_for_an_answer_that_is_not_right() -> None:
    asked: list[str] = []
    q = question()
    q.equal("right", lambda: 5, 5, wrong=lambda: asked.append("right") or {})
    q.equal("nothing", lambda: None, 5, wrong=lambda: asked.append("nothing") or {})
    q.raises("raises", fails(ValueError("x")), ValueError, wrong=lambda: asked.append("raises") or {})
    q.equal("wrong", lambda: 4, 5, wrong=lambda: asked.append("wrong") or {})
    assert asked == ["wrong"]


def test_not_attempted_wrong_error_and_lost_are_told_apart() -> None:
    class Lost(Exception):
        reason = "timeout"

    for error, status in [
        (NotImplementedError(), "not_attempted"),
        (ZeroDivisionError(), "error"),
        (SystemExit(), "error"),
        (MemoryError(), "out_of_memory"),
        (Lost(), "timeout"),
    ]:
        q = question()
        q.equal("x", fails(error), 1)
        q.raises("y", fails(error), KeyError)
        assert q.result().status == status, error
        assert q.result().points == 0
    q = question()
    q.equal("x", lambda: None, 1)
    assert q.result().status == "not_attempted"


def test_every_check_runs_whatever_the_others_did() -> None:
    q = question()
    q.equal("a", fails(RecursionError()), 1)
    q.equal("b", lambda: 1, 1, weight=3)
    assert q.result().points == 3
    assert q.result().status == "partial"


def test_keyboard_interrupt_stops_the_cell() -> None:
    q = question()
    with pytest.raises(KeyboardInterrupt):
        q.equal("a", fails(KeyboardInterrupt()), 1)
    with pytest.raises(KeyboardInterrupt):
        q.raises("a", fails(KeyboardInterrupt()), ValueError)


def test_raising_earns_nothing_without_a_right_value() -> None:
    always = fails(ValueError("no"))
    q = question()
    q.raises("refuses", always, ValueError)
    q.equal("value", always, 1)
    assert q.result().points == 0
    q = question()
    q.raises("refuses", always, ValueError)
    q.equal("value", lambda: 1, 1)
    assert q.result().points == 4


def test_a_forbidden_library_costs_the_question() -> None:
    def honest(x: Any) -> Any:
        return np.tanh(x)

    def lazy(x: Any) -> Any:
        import tensorflow as tf

        return tf.tanh(x)

    for answer, points in ((honest, 4), (lazy, 0)):
        q = question()
        q.forbids("tensorflow", answer=lambda answer=answer: answer)
        q.equal("x", lambda: 1, 1)
        assert q.result().points == points
    assert q.result().status == "failed"
    assert q.result().misconceptions == ["forbidden-library"]


@pytest.mark.filterwarnings("ignore:warned")
def test_hidden_checks_say_nothing_of_their_inputs(capfd: pytest.CaptureFixture[str]) -> None:
    def leaky(x: int) -> int:
        print("printed", x)
        os.write(1, b"raw 77123")
        warnings.warn(f"warned {x}", stacklevel=1)
        if x % 2:
            raise ValueError(f"raised {x}")
        return x

    q = question()
    with q.hidden(secret_slip="Look at the padding."):
        q.equal("label 77123", lambda: leaky(77124), 5, wrong={"secret-slip": 77124})
        q.equal("label 77123", lambda: leaky(77123), 5)
        q.close("label 77123", lambda: leaky(77124), 5.0)
        q.raises("label 77123", lambda: leaky(77124), ValueError)
        q.raises("label 77123", lambda: leaky(77123), KeyError)
    q.score()
    out, err = capfd.readouterr()
    assert not err
    assert "7712" not in out
    assert "Look at the padding." in out
    assert "0 of 5 hidden checks" in out
    assert q.result().misconceptions == ["secret-slip"]
    assert "7712" not in rendering.html(q.result().to_dict())
    assert not any(part.message for part in q.result().parts)


def test_nothing_reaches_stderr_under_a_check(capfd: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stderr)  # keeps its reference to the stream of now
    log = logging.getLogger("student")
    log.addHandler(handler)

    def noisy() -> int:
        print("to stdout")
        print("to stderr", file=sys.stderr)
        log.warning("logged")
        os.write(2, b"raw\n")
        subprocess.run(["sh", "-c", "echo child >&2"], check=True)
        return 5

    q = question()
    q.equal("x", noisy, 5)
    log.removeHandler(handler)
    out, err = capfd.readouterr()
    assert err == ""
    for word in ("to stdout", "to stderr", "raw", "child"):
        assert word in out
    print("after", file=sys.stderr)
    assert capfd.readouterr().err == "after\n"


def test_inputs_repeat_in_a_students_kernel_and_differ_by_question_draw_and_seed() -> None:
    def draws() -> list[float]:
        question()
        first = [checks.rng().random(), checks.rng().random()]
        checks.question("another", points=1)
        return [*first, checks.rng().random()]

    public = draws()
    assert public == draws()
    assert len(set(public)) == 3
    try:
        checks.seed(b"the course's secret")
        assert not set(public) & set(draws())
    finally:
        checks.seed(checks.PUBLIC_SEED)


def test_waits_for_swallows_only_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with checks.waits_for("conv-forward"):
        raise NotImplementedError
    with checks.waits_for("maps", None):
        len(None)  # type: ignore[arg-type]
    assert capsys.readouterr().out.count("waits for your answer to") == 2
    with pytest.raises(TypeError), checks.waits_for("maps", 6):
        len(6)  # type: ignore[arg-type]


def test_a_cell_that_waits_shows_no_figure_that_it_has_begun() -> None:
    with checks.waits_for("maps"):
        plt.subplots()
        raise NotImplementedError
    assert not plt.get_fignums()


def test_after_shows_a_mutation_and_leaves_the_argument_alone() -> None:
    def scale(x: Any) -> None:
        x *= 2

    given_array = np.ones(2)
    result, (changed,) = checks.after(scale, given_array)
    assert result is None
    assert changed.tolist() == [2, 2]
    assert given_array.tolist() == [1, 1]


def test_the_html_escapes_and_holds_no_script() -> None:
    q = question()
    q.equal("<script>alert(1)</script>", lambda: "<img src=x onerror=alert(1)>", "&")
    html = rendering.html(q.result().to_dict())
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_importing_labkit_imports_nothing_heavy() -> None:
    code = """
        import sys
        import labkit
        from labkit import check, data, metrics
        print(sorted({"tensorflow", "keras", "sklearn", "matplotlib", "IPython", "pooch"} & set(sys.modules)))
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_a_name_that_is_not_there_is_not_attempted_and_a_misspelt_one_inside_an_answer_is_an_error() -> None:
    def answer() -> int:
        return not_there  # type: ignore[name-defined,no-any-return]  # noqa: F821

    q = question()
    q.equal("x", lambda: not_there, 1)  # type: ignore[name-defined]  # noqa: F821
    assert q.result().status == "not_attempted"
    assert q.parts[0].message == "There is no `not_there` yet: run the cell that defines it first."
    q = question()
    q.equal("x", lambda: answer(), 1)
    assert q.result().status == "error"


def test_an_error_names_the_students_own_line() -> None:
    def answer(x: int) -> float:
        return x / 0

    q = question()
    q.equal("x", lambda: answer(1), 1)
    line = answer.__code__.co_firstlineno + 1
    assert q.parts[0].message == f"ZeroDivisionError: division by zero (line {line}: return x / 0)"

    error = KeyError("a")
    error.student_lines = [(3, "    return table['a']")]  # type: ignore[attr-defined]
    q = question()
    q.equal("x", fails(error), 1)
    assert q.parts[0].message == "KeyError: 'a' (line 3: return table['a'])"
