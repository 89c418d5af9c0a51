"""Examine one transplanted notebook: run what counts and find out what each question earned.

Not walled yet: one ordinary kernel runs the student's cells and our tests side by side.
"""

import contextlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from nbformat import NotebookNode
from traitlets.config import Config

from autograder.cells import kind, question
from labkit import rendering
from labkit.checks import LOST, Part, Result

SKIPPED = ("text", "explore", "think-answer")
MAX_TEXT = 20_000
MAX_IMAGE = 1 << 20
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds for a cell, a question and the whole notebook."""

    cell: float = 30
    question: float = 30
    notebook: float = 180


@dataclass
class Examination:
    """What came of an examination: the value of the cache.

    Attributes:
        questions: by question, a `labkit.checks.Result` as a dict.
        outputs: by cell id, what an answer or an extra cell printed and drew (text and PNG).
        seconds: wall time.
    """

    questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able built-in types."""
        return asdict(self)


def examine(notebook: NotebookNode, seed: str, limits: Limits) -> Examination:
    """Run a transplanted notebook and return what its questions earned.

    Args:
        notebook: from `autograder.transplant.transplant`.
        seed: of the hidden inputs.
        limits: of time.
    """
    began = time.monotonic()
    result = Examination()
    lost = ""
    with _kernel(notebook, seed, limits) as run_cell:
        for index, cell in enumerate(notebook.cells):
            if kind(cell) in SKIPPED:
                continue
            if time.monotonic() - began > limits.notebook:
                lost = lost or "timeout"
            if not lost:
                lost = run_cell(index)
            if kind(cell) == "test":
                name, points = question(cell), float(cell.metadata.nbgrader.points)
                result.questions[name] = _result(cell, name, points, lost)
            elif kind(cell) != "parameters":
                result.outputs[cell.id] = clean_outputs(cell.outputs)
            if lost == "timeout":
                lost = ""
    result.seconds = round(time.monotonic() - began, 3)
    return result


def private_kernel(folder: str) -> Config:
    """Let a kernel talk over sockets in ``folder``, which is ours alone, not over ports open to every user."""
    return Config({"KernelManager": {"transport": "ipc", "ip": os.path.join(folder, ".kernel")}})


@contextlib.contextmanager
def _kernel(notebook: NotebookNode, seed: str, limits: Limits) -> Iterator[Any]:
    """An ordinary kernel; what is yielded runs a cell by its index and says how it was lost, if it was."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    env = dict(os.environ)
    env |= {
        "LABBOOK_SEED": seed,
        "LABBOOK_BATCH": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONSAFEPATH": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
    }
    with tempfile.TemporaryDirectory(prefix="labbook-exam-") as folder:
        client = NotebookClient(
            notebook,
            timeout=None,
            allow_errors=True,
            record_timing=False,
            store_widget_state=False,
            kernel_name="python3",
            config=private_kernel(folder),
            resources={"metadata": {"path": folder}},
        )

        def run_cell(index: int) -> str:
            cell = notebook.cells[index]
            # The first setup cell pays for the imports, on a busy machine too.
            client.timeout = {"test": limits.question, "setup": limits.notebook}.get(kind(cell), limits.cell)
            try:
                client.execute_cell(cell, index)
            except CellTimeoutError:
                client.km.interrupt_kernel()
                return "timeout"
            except DeadKernelError:
                return "crashed"
            return ""

        with client.setup_kernel(env=env):
            yield run_cell


def _result(cell: NotebookNode, name: str, points: float, lost: str) -> dict[str, Any]:
    """The question's own result from the test cell's outputs, or one that says why there is none."""
    if not lost:
        for output in cell.outputs:
            found = output.get("data", {}).get(rendering.MIME)
            if found is not None:
                return checked_result(found, name, points)
    status = lost or "error"
    error = next((o for o in cell.outputs if o.output_type == "error"), None)
    message = f"{error.ename}: {error.evalue}"[:300] if error and not lost else rendering.WORDS[status]
    return lost_result(name, points, status, message)


def lost_result(name: str, points: float, status: str, message: str) -> dict[str, Any]:
    """The result of a question whose checks did not come to their end."""
    return Result(
        name, 0.0, points, status, message=message, parts=[Part("the checks", 1, False, status, message)]
    ).to_dict()


def checked_result(found: Any, name: str, points: float) -> dict[str, Any]:
    """A result that came out of a kernel, its types and its points as they must be."""
    try:
        parts = [
            Part(
                str(p["label"]),
                float(p["weight"]),
                bool(p["hidden"]),
                str(p["status"]),
                str(p["message"]),
                str(p["misconception"]),
                str(p["hint"]),
            )
            for p in found["parts"]
        ]
        status = str(found["status"])
        if status not in rendering.WORDS:
            raise ValueError(status)
        return Result(
            name,
            min(max(float(found["points"]), 0.0), points),
            points,
            status,
            [str(m) for m in found["misconceptions"]],
            str(found["message"]),
            str(found["why"]),
            parts,
        ).to_dict()
    except (TypeError, KeyError, ValueError, AttributeError):
        return lost_result(name, points, "error", "The checks' result could not be read.")


def clean_outputs(outputs: list[Any]) -> list[dict[str, Any]]:
    """Text and PNG pictures of bounded size: nothing that a browser would run."""
    kept: list[dict[str, Any]] = []
    for output in outputs[:40]:
        if output["output_type"] == "stream":
            kept.append({"output_type": "stream", "name": "stdout", "text": str(output["text"])[:MAX_TEXT]})
        elif output["output_type"] == "error":
            lines = [ANSI.sub("", str(line))[:2000] for line in output["traceback"]]
            kept.append(
                {
                    "output_type": "error",
                    "ename": str(output["ename"])[:80],
                    "evalue": str(output["evalue"])[:2000],
                    "traceback": lines[-8:],
                }
            )
        else:
            data = output["data"]
            clean = {"text/plain": str(data.get("text/plain", ""))[:MAX_TEXT]}
            image = data.get("image/png")
            if isinstance(image, str) and len(image) <= MAX_IMAGE:
                clean["image/png"] = image
            kept.append({"output_type": "display_data", "metadata": {}, "data": clean})
    return kept


def is_lost(examination: Examination) -> bool:
    """Whether a question ended in a crash, a timeout or for want of memory."""
    return any(q["status"] in LOST for q in examination.questions.values())
