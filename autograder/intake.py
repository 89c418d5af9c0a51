"""What a student handed in, read with care: cell sources and their ids, or a reason why not.

Nothing else of a submission is believed. Links, archives and other files are not opened.
"""

import json
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.cells import grade_id, tags
from autograder.labs import Lab

MAX_BYTES = 64 << 20  # figures in the outputs can be large, and we drop them
MAX_DEPTH = 100
MAX_CELLS = 1000
MAX_SOURCE = 1 << 20  # characters in all cells together
MAX_TOKENS = 2_000_000  # strings and brackets of a notebook, its outputs' included

# A string, ended or not, or a bracket. Possessive, so that no text makes it slow.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class Rejected(Exception):
    """There is nothing to examine; the text says why and what to do, in a line for the student."""


def as_text(name: str) -> str:
    """A file's name as text: itself, but "?" for every byte that is none."""
    return name.encode(errors="replace").decode()


def printable(name: str) -> str:
    """A file's name as it can be printed, with "?" for line ends, control characters, and bytes that are no text."""
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return "".join("?" if unicodedata.category(char) in hidden else char for char in name)


@dataclass(frozen=True)
class RawCell:
    """A cell of the student's: its type, its text, and how it names itself."""

    type: str
    source: str
    grade_id: str
    id: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Submission:
    """One student's hand-in for one lab, found on disk."""

    student: str
    lab: Lab
    folder: Path

    @property
    def notebook(self) -> Path:
        """Where the notebook should be."""
        return self.folder / self.lab.release.name


def find_submissions(submitted: Path, labs: list[Lab]) -> tuple[list[Submission], list[str]]:
    """Everything handed in for these labs, and the remarks on what was passed over.

    The layout is nbgrader's, ``<student>/<NN_name>/<name>.ipynb``.
    """
    found: list[Submission] = []
    remarks: list[str] = []
    wanted = {lab.name: lab for lab in labs}
    for student in _folders(submitted, remarks):
        for folder in _folders(student, remarks):
            if folder.name in wanted:
                found.append(Submission(student.name, wanted[folder.name], folder))
    return found, remarks


def _folders(folder: Path, remarks: list[str]) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda e: e.name)
    except OSError as error:
        remarks.append(f"passed over {printable(str(folder))}: {error.strerror}")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)
        else:
            remarks.append(f"passed over {printable(entry.path)}: no folder")


def read_submission(submission: Submission) -> list[RawCell]:
    """The cells of the notebook handed in.

    Raises:
        Rejected: no notebook, another name, no JSON, or over a limit.
    """
    path = submission.notebook
    try:
        there = sorted(
            printable(entry.name) for entry in os.scandir(submission.folder) if not entry.name.startswith(".")
        )
    except OSError as error:
        raise Rejected(f"The folder {submission.lab.name} cannot be read: {error.strerror}.") from None
    if path.name not in there:
        others = [name for name in there if name.endswith(".ipynb")]
        if others:
            raise Rejected(
                f"Expected {path.name}, found {', '.join(others[:3])}: rename it and hand in again."
            )
        raise Rejected(
            f"No notebook: expected {path.name}, found {', '.join(there[:5]) if there else 'an empty folder'}."
        )
    return read_cells(path)


def read_cells(path: Path) -> list[RawCell]:
    """The cells of the notebook at ``path``; see `read_submission`."""
    text = _read_text(path)
    _check_tokens(text, path.name)
    try:
        content = json.loads(text, parse_int=_no_number, parse_float=_no_number)
    except (ValueError, RecursionError, MemoryError):
        raise Rejected(
            f"{path.name} is not a notebook (no valid JSON): save it from JupyterLab again."
        ) from None
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise Rejected(f"{path.name} holds no cells: open it in JupyterLab, save it and hand in again.")
    if len(cells) > MAX_CELLS:
        raise Rejected(
            f"{path.name} has {len(cells)} cells, more than {MAX_CELLS}: remove those you do not need."
        )
    found = [_raw_cell(cell) for cell in cells if isinstance(cell, dict)]
    if sum(len(cell.source) for cell in found) > MAX_SOURCE:
        raise Rejected(
            f"{path.name} holds more than {MAX_SOURCE:,} characters of text: remove what is not needed."
        )
    return found


def _read_text(path: Path) -> str:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise Rejected(
            f"{path.name} is not a file that can be read (a link?): hand in the notebook itself."
        ) from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise Rejected(f"{path.name} is not a file: hand in the notebook itself.")
        if status.st_size > MAX_BYTES:
            raise Rejected(
                f"{path.name} is larger than {MAX_BYTES >> 20} MiB: clear its outputs, hand in again."
            )
        with open(handle, "rb", closefd=False) as stream:
            content = stream.read(MAX_BYTES)
    finally:
        os.close(handle)
    if not content.strip():
        raise Rejected(f"{path.name} is empty: save it from JupyterLab again.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Rejected(
            f"{path.name} is not a notebook (no UTF-8 text): save it from JupyterLab again."
        ) from None


def _check_tokens(text: str, name: str) -> None:
    """Refuse deep nesting, and what would fill the memory, before a parser meets it."""
    depth = 0
    for number, token in enumerate(_TOKEN.finditer(text), 1):
        if number > MAX_TOKENS:
            raise Rejected(f"{name} has outputs of too many pieces: clear its outputs, hand in again.")
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Rejected(f"{name} is nested more than {MAX_DEPTH} deep: it is no notebook.")
        elif token[0] in "]}":
            depth -= 1


def _no_number(digits: str) -> None:
    """Nothing that we read of a notebook is a number, and millions of them take memory."""


def _raw_cell(cell: dict[str, Any]) -> RawCell:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    text = source if isinstance(source, str) else ""
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    kind, name = cell.get("cell_type"), cell.get("id")
    return RawCell(
        type=kind if kind in ("code", "markdown", "raw") else "raw",
        source=text,
        grade_id=grade_id(cell),
        id=name if isinstance(name, str) else "",
        tags=tuple(tags(cell)),
    )
