"""Questions and their checks: one object, the same in a lab, when grading and in the tests.

A question has points and weighted sub-checks. Each sub-check runs whatever the others did, knows common
wrong answers by name and says what they mean, and tells "not attempted" from "wrong". This is the skeleton
of a test cell that every lab follows::

    q = check.question("conv-output-size", points=3, why="This one line gives every shape of the lab.",
                       misconceptions={"no-plus-one": "Count the first position too."})
    q.equal("a 5×5 kernel on 32 pixels", lambda: conv_output_size(32, 5), 28, wrong={"no-plus-one": 27})
    ### BEGIN HIDDEN TESTS
    with q.hidden():
        n = int(check.rng().integers(20, 40))
        q.equal("another size", lambda: conv_output_size(n, 3), n - 2, wrong={"no-plus-one": n - 3})
    ### END HIDDEN TESTS
    q.score()

The cell's last expression is the points earned, which is how nbgrader takes partial credit. Nothing reaches
stderr, because nbgrader gives 0 to a cell that writes there.
"""

import ast
import contextlib
import hashlib
import inspect
import io
import linecache
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labkit import rendering
from labkit.exchange import folder, hand_over, listing, read
from labkit.models import describe
from labkit.values import NotData, as_data, same, short

__all__ = [
    "Part",
    "Question",
    "Result",
    "after",
    "current",
    "describe",
    "folder",
    "gradient",
    "hand_over",
    "listing",
    "question",
    "read",
    "rng",
    "seed",
    "waits_for",
]

Wrong = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
LOST = ("out_of_memory", "timeout", "crashed")
PUBLIC_SEED = b"the public seed of every student's own kernel"
ALIASES = {"tf": "tensorflow", "sp": "scipy", "sk": "sklearn", "layers": "keras"}


@dataclass
class Part:
    """What became of one sub-check."""

    label: str
    weight: float
    hidden: bool
    status: str = "failed"  # passed, failed, error, not_attempted, timeout, crashed or out_of_memory
    message: str = ""
    misconception: str = ""
    hint: str = ""
    needs_value: bool = False  # counts only beside a passed check of a value


@dataclass
class Result:
    """What became of a question: the entry of ``questions`` in ``labbook grade --json``, and its parts."""

    question: str
    points: float
    max_points: float
    status: str
    misconceptions: list[str] = field(default_factory=list)
    message: str = ""
    why: str = ""
    parts: list[Part] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able built-in types."""
        return vars(self) | {"parts": [dict(vars(part)) for part in self.parts]}


_seed = bytes.fromhex(os.environ.get("LABBOOK_SEED", "")) or PUBLIC_SEED
_current: "Question | None" = None
_draws = 0


def seed(value: bytes) -> None:
    """Seed the hidden inputs of this process: done when grading, with a secret of the course."""
    global _seed
    _seed = value


def current() -> "Question | None":
    """The question that was begun last in this process."""
    return _current


def rng() -> np.random.Generator:
    """A generator for inputs that nobody can foresee when grading, and that repeat in a student's own kernel.

    Its seed is made from the course's secret, the current question and how often that question has asked.
    """
    global _draws
    _draws += 1
    name = _current.name if _current else ""
    digest = hashlib.sha256(_seed + f"\0{name}\0{_draws}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def question(
    name: str, points: float, misconceptions: Mapping[str, str] | None = None, why: str = ""
) -> "Question":
    """Begin a question.

    Args:
        name: its grade_id, for instance ``"conv-output-size"``.
        points: what it is worth.
        misconceptions: names of common mistakes, and the hint each deserves.
        why: said on success: why the answer matters.
    """
    global _current, _draws
    _current, _draws = Question(name, points, dict(misconceptions or {}), why), 0
    return _current


class Question:
    """A question being checked; see the module's docstring for the skeleton of a test cell."""

    def __init__(self, name: str, points: float, misconceptions: dict[str, str], why: str) -> None:
        self.name, self.points, self.why = name, float(points), why
        self.misconceptions = misconceptions
        self.parts: list[Part] = []
        self.is_hidden = False
        self._forbidden: Part | None = None

    @contextlib.contextmanager
    def hidden(self, **misconceptions: str) -> Iterator[None]:
        """Checks in here say nothing of their inputs, and show nothing that the student's code prints.

        Args:
            **misconceptions: more names (``-`` written as ``_``) and hints, which would give the answer
                away in the visible part.
        """
        self.misconceptions |= {name.replace("_", "-"): hint for name, hint in misconceptions.items()}
        self.is_hidden = True
        try:
            yield
        finally:
            self.is_hidden = False

    def equal(
        self,
        label: str,
        answer: Callable[[], Any],
        expected: Any,
        wrong: Wrong | None = None,
        weight: float = 1,
    ) -> None:
        """Check that the answer equals ``expected``: a number, a text, or lists, tuples and dicts of them.

        Args:
            label: what is checked, in a few words.
            answer: a function of no arguments that gives the student's value.
            expected: the right value.
            wrong: for each misconception the value it would give, or the type of exception it would raise. Where
                these take long to compute, a function of no arguments that gives them: it is called only if the
                answer is not right.
            weight: this check's share among the question's.
        """

        def judge(value: Any, target: Any) -> str:
            return "" if same(value, target) else f"Expected {short(target)}, received {short(value)}."

        self._check(label, answer, expected, judge, wrong, weight)

    def close(
        self,
        label: str,
        answer: Callable[[], Any],
        expected: Any,
        rtol: float = 1e-5,
        atol: float = 1e-7,
        wrong: Wrong | None = None,
        weight: float = 1,
    ) -> None:
        """Check that the answer has the shape of ``expected`` and is close: |a − b| ≤ atol + rtol·|b|.

        Args:
            label, answer, wrong, weight: as for `equal`.
            expected: the right numbers, an array or whatever NumPy makes one of.
            rtol, atol: the tolerances, relative and absolute.
        """

        def judge(value: Any, target: Any) -> str:
            try:
                a, b = np.asarray(value), np.asarray(target)
            except ValueError:
                return "Expected an array, received a ragged list."
            if a.dtype.kind not in "biufc":
                return f"Expected numbers, received {short(value)}."
            if a.shape != b.shape:
                return f"Expected shape {b.shape}, received {a.shape}."
            if np.allclose(a, b, rtol=rtol, atol=atol):
                return ""
            if not np.isfinite(a).all() and np.isfinite(b).all():
                return "Expected finite numbers, received NaN or infinity."
            if a.size <= 10:
                return (
                    f"Expected {short(b)}, received {short(a)} (tolerance {atol:g} + {rtol:g} of the value)."
                )
            gap = float(np.abs(a - b).max())
            return f"The largest difference is {gap:.3g} (tolerance {atol:g} + {rtol:g} of the value)."

        self._check(label, answer, expected, judge, wrong, weight)

    def satisfies(
        self,
        label: str,
        answer: Callable[[], Any],
        condition: Callable[[Any], Any],
        wrong: Wrong | None = None,
        weight: float = 1,
        expected: str = "",
    ) -> None:
        """Check a property of the answer: ``condition(value)`` must be true.

        Args:
            label, answer, weight: as for `equal`.
            condition: given the value as plain data, tells whether it will do. One that raises says no.
            wrong: for each misconception a condition that its values meet, or the type of exception.
            expected: the property in words, for the message.
        """

        def judge(value: Any, holds: Callable[[Any], Any]) -> str:
            try:
                if bool(holds(value)):
                    return ""
            except Exception:  # a value of another shape or type than the condition can read
                pass
            return f"{f'Expected {expected}, received' if expected else 'Received'} {short(value)}."

        self._check(label, answer, condition, judge, wrong, weight)

    def raises(
        self,
        label: str,
        answer: Callable[[], Any],
        exception: type[Exception],
        wrong: Wrong | None = None,
        weight: float = 1,
    ) -> None:
        """Check that the call raises. It counts only where a check of a value passed as well.

        Args:
            label, answer, weight: as for `equal`.
            exception: the type that must be raised, a subclass will do.
            wrong: for each misconception the value that is returned instead of raising.
        """
        part = Part(label, weight, self.is_hidden, needs_value=True)
        self.parts.append(part)
        try:
            with _captured(self.is_hidden):
                value = as_data(answer())
        except KeyboardInterrupt:
            raise
        except exception as error:
            part.status = (
                "not_attempted" if type(error) is NotImplementedError else _reason(error) or "passed"
            )
        except BaseException as error:
            self._explain(part, error)
            if part.status == "error":
                part.message = f"Expected {exception.__name__}, received {_where(error)}"
        else:
            part.message = f"Expected {exception.__name__}, received {short(value)}."
            self._recognise(part, lambda target: same(value, target), wrong)

    def forbids(self, *modules: str, answer: Callable[[], Any]) -> None:
        """Give no points where the answer's source uses one of these modules: the contract says so.

        Args:
            *modules: top-level names, for instance ``"tensorflow"``; common aliases are known.
            answer: gives the student's function.
        """
        try:
            tree = ast.parse(textwrap.dedent(_source(answer())))
        except (NotImplementedError, NameError, SyntaxError, OSError, TypeError, AttributeError):
            return
        used = {ALIASES.get(name, name) for name in _module_names(tree)} & set(modules)
        if used:
            self._forbidden = Part(
                "the libraries that the task allows",
                0,
                False,
                message=f"This answer uses {', '.join(sorted(used))}, which the task rules out.",
                misconception="forbidden-library",
                hint="Here the point is to do it by hand, once: write it without.",
            )

    def score(self) -> float:
        """Show what became of the checks and return the points earned, which is what nbgrader reads."""
        result = self.result()
        rendering.show(result.to_dict())
        return result.points

    def result(self) -> Result:
        """What became of the checks so far."""
        parts = list(self.parts)
        for part in parts:
            if part.hidden:
                part.message = ""  # it would repeat the hidden input, or what the student's code made of it
        a_value_passed = any(p.status == "passed" and not p.needs_value for p in parts)
        for part in parts:
            if part.needs_value and part.status == "passed" and not a_value_passed:
                part.status, part.message = "failed", "This counts once a value is right, too."
        if self._forbidden:
            parts.append(self._forbidden)
        whole = sum(p.weight for p in parts)
        earned = sum(p.weight for p in parts if p.status == "passed")
        points = self.points if whole and earned == whole else round(self.points * earned / (whole or 1), 2)
        if self._forbidden:
            points = 0.0
        told = [p for p in parts if p.status != "passed"]
        return Result(
            question=self.name,
            points=points,
            max_points=self.points,
            status="failed" if self._forbidden else _status([p.status for p in parts]),
            misconceptions=list(dict.fromkeys(p.misconception for p in told if p.misconception)),
            message=next((p.hint for p in told if p.hint), next((p.message for p in told if p.message), "")),
            why=self.why,
            parts=parts,
        )

    def _check(
        self,
        label: str,
        answer: Callable[[], Any],
        expected: Any,
        judge: Callable[[Any, Any], str],
        wrong: Wrong | None,
        weight: float,
    ) -> None:
        part = Part(label, weight, self.is_hidden)
        self.parts.append(part)
        try:
            with _captured(self.is_hidden):
                value = as_data(answer())
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._explain(part, error)
            raised = type(error)
            self._recognise(part, lambda t: isinstance(t, type) and issubclass(raised, t), wrong)
            return
        if value is None:
            part.status, part.message = (
                "not_attempted",
                "Received None: nothing here yet, or a `return` is missing.",
            )
            return
        message = judge(value, expected)
        if not message:
            part.status = "passed"
            return
        part.message = message
        self._recognise(part, lambda t: not isinstance(t, type) and not judge(value, t), wrong)

    def _explain(self, part: Part, error: BaseException) -> None:
        if isinstance(error, NotImplementedError):
            part.status = "not_attempted"
        elif isinstance(error, NameError) and _is_missing(error):
            part.status = "not_attempted"
            part.message = f"There is no `{error.name}` yet: run the cell that defines it first."
        elif isinstance(error, NotData):
            part.message = f"Expected a value, received {error}."
        else:
            part.status = _reason(error) or "error"
            part.message = _where(error)

    def _recognise(self, part: Part, is_it: Callable[[Any], bool], wrong: Wrong | None) -> None:
        """Name the first misconception whose value this is; one whose hint is still hidden stays unnamed."""
        for name, target in ((wrong() if callable(wrong) else wrong) or {}).items():
            if name in self.misconceptions and is_it(target):
                part.misconception, part.hint = name, self.misconceptions[name]
                return


def _reason(error: BaseException) -> str:
    """Why a room was lost, where that is what the error says."""
    if isinstance(error, MemoryError):
        return "out_of_memory"
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, str) and reason in LOST else ""


def _status(parts: list[str]) -> str:
    for status in LOST:
        if status in parts:
            return status
    if parts and all(status == "passed" for status in parts):
        return "passed"
    if all(status == "not_attempted" for status in parts):
        return "not_attempted"
    if "passed" in parts:
        return "partial"
    return "error" if "error" in parts else "failed"


def _where(error: BaseException) -> str:
    """The error in one line, with the line of the student's code that raised it."""
    try:
        text = str(error)[:300]
    except Exception:
        text = ""
    line = f"{type(error).__name__}: {text}" if text else type(error).__name__
    lines = getattr(error, "student_lines", None)  # of one that was raised in the answer room
    if lines is None:
        lines = [
            (frame.lineno, (frame.code_context or [""])[0])
            for frame in inspect.trace()
            if not frame.filename.startswith(os.path.dirname(__file__))
            and frame.function not in ("<module>", "<lambda>")
            and "site-packages" not in frame.filename
        ]
    if not lines:
        return line
    number, code = lines[-1]
    return f"{line} (line {number}: {code.strip()[:80]})".replace(": )", ")")


def _is_missing(error: NameError) -> bool:
    """Whether it is the check itself that asked for the name, not the student's code."""
    return not hasattr(error, "student_lines") and inspect.trace()[-1].function == "<lambda>"


def _source(answer: Any) -> str:
    """The text of the cell that defines the student's function, wherever it lives."""
    if hasattr(type(answer), "_source"):
        return str(answer._source())
    cell = "".join(linecache.getlines(answer.__code__.co_filename))
    return inspect.getsource(answer) if os.path.exists(answer.__code__.co_filename) else cell


def _module_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.Attribute):
            while isinstance(node, ast.Attribute):
                node = node.value
            if isinstance(node, ast.Name):
                yield node.id


@contextlib.contextmanager
def _captured(hidden: bool) -> Iterator[None]:
    """What the student's code writes to stderr goes to stdout, or nowhere under a hidden check.

    Three ways lead to stderr: ``sys.stderr``, an older reference to it (a logging handler has one), and the
    file descriptor.
    """
    out = io.StringIO() if hidden else sys.stdout
    old_error, old_write = sys.stderr, sys.stderr.write
    saved = [(fd, os.dup(fd)) for fd in ((1, 2) if hidden else (2,))]
    null = os.open(os.devnull, os.O_WRONLY) if hidden else -1
    try:
        for fd, _ in saved:
            os.dup2(null if hidden else 1, fd)
        with contextlib.suppress(AttributeError):  # a terminal's stream does not let itself be changed
            old_error.write = out.write  # type: ignore[method-assign]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            yield
    finally:
        with contextlib.suppress(AttributeError):
            old_error.write = old_write  # type: ignore[method-assign]
        for fd, copy in saved:
            os.dup2(copy, fd)
            os.close(copy)
        if hidden:
            os.close(null)


@contextlib.contextmanager
def waits_for(question: str, *values: Any) -> Iterator[None]:
    """Around an explore cell: say which answer it waits for instead of failing.

    Args:
        question: the question whose answer the cell uses.
        *values: where the answer is a plain value, that value; None means that it is still to come.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, NotImplementedError) and all(value is not None for value in values):
            raise
        print(f"This cell waits for your answer to “{question}”.")
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")  # or a figure that was begun is shown, empty


def after(f: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
    """Call ``f`` on copies and say what became of them: (result, arguments afterwards)."""
    if hasattr(type(f), "_after"):
        return f._after(*args, **kwargs)  # type: ignore[attr-defined, no-any-return]
    import copy

    args = copy.deepcopy(args)
    return f(*args, **kwargs), list(args)


def gradient(f: Callable[..., Any], *xs: Any) -> list[np.ndarray]:
    """The gradients of ``f`` at ``xs`` by automatic differentiation, wherever ``f`` lives."""
    if hasattr(type(f), "_gradient"):
        return f._gradient(*xs)  # type: ignore[attr-defined, no-any-return]
    import tensorflow as tf

    tensors = [tf.convert_to_tensor(x) for x in xs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        y = f(*tensors)
    return [np.asarray(g) for g in tape.gradient(y, tensors)]
