"""Examine one transplanted notebook: run what counts and find out what each question earned.

The rooms of `autograder.rooms` do it, each a walled fork of the fork server.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from nbformat import NotebookNode

from autograder.cells import kind
from autograder.rooms import control
from autograder.rooms.control import Limits
from labkit.checks import LOST, Part, Result
from labkit.forkserver import Server

__all__ = ["Examination", "Limits", "examine", "is_lost", "lost_result"]

SKIPPED = ("text", "explore", "think-answer")
ROOMS_KIND = {"parameters": "setup", "setup": "setup", "answer": "answer", "extra": "answer", "test": "test"}


@dataclass
class Examination:
    """What came of an examination: the value of the cache.

    Attributes:
        questions: by question, a `labkit.checks.Result` as a dict.
        outputs: by cell id, what a cell printed and drew (text and PNG), and how it failed.
        seconds: wall time.
    """

    questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able built-in types."""
        return asdict(self)


def examine(
    notebook: NotebookNode, seed: str, limits: Limits, server: Server | None = None, unsafe: bool = False
) -> Examination:
    """Run a transplanted notebook and return what its questions earned.

    Args:
        notebook: from `autograder.transplant.transplant`.
        seed: of the hidden inputs, as hexadecimal digits.
        limits: of time, memory, files.
        server: the fork server; this user's if None, started if need be.
        unsafe: go on where a wall is missing.
    """
    cells = [
        {
            "id": cell.id,
            "kind": ROOMS_KIND[kind(cell)],
            "source": cell.source,
            "points": float(cell.metadata.nbgrader.points) if kind(cell) == "test" else 0.0,
        }
        for cell in notebook.cells
        if kind(cell) not in SKIPPED
    ]
    found = control.examine(
        server or Server.connect(), cells, limits=limits, seed=bytes.fromhex(seed), unsafe=unsafe
    )
    shown = {}
    for name, cell in found["cells"].items():
        told = [output for output in cell["outputs"] if output["output_type"] != "error"]
        shown[name] = told + _error_output(cell["error"])
    return Examination(found["questions"], shown, found["seconds"])


def _error_output(error: dict[str, Any] | None) -> list[dict[str, Any]]:
    """How an answer cell failed, as a notebook's output; the student's own lines are all of its traceback."""
    if error is None:
        return []
    lines = [f"line {number}: {text}" for number, text in error["lines"]]
    output = {"output_type": "error", "ename": error["type"], "evalue": error["text"]}
    return [output | {"traceback": [*lines, f"{error['type']}: {error['text']}"]}]


def lost_result(name: str, points: float, status: str, message: str) -> dict[str, Any]:
    """The result of a question whose checks did not come to their end."""
    return Result(
        name, 0.0, points, status, message=message, parts=[Part("the checks", 1, False, status, message)]
    ).to_dict()


def is_lost(examination: Examination) -> bool:
    """Whether a question ended in a crash, a timeout or for want of memory."""
    return any(q["status"] in LOST for q in examination.questions.values())
