"""From the source of a lab to its two notebooks: the solution, and what students get.

``solutions/NN_name/name.py`` → (jupytext) → ``solutions/NN_name/name.ipynb`` → (nbgrader's GenerateAssignment)
→ ``labs/NN_name/name.ipynb``. The same source gives the same bytes. Outputs come into the solution by
``labbook run --update``; building keeps those of the cells that did not change.
"""

import hashlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from autograder.cells import nbgrader_marks
from autograder.files import dumps, write
from autograder.labs import Lab
from autograder.steps import nbgrader_config, run_nbgrader
from labkit.errors import LabbookError

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
PLACEHOLDER = re.compile(r"\{\{\s*thresholds\.(\w+)\s*\}\}")


def source_notebook(lab: Lab) -> NotebookNode:
    """The lab's source as a notebook without outputs, thresholds filled in.

    Raises:
        LabbookError: the source marks a cell in a way that means nothing.
    """
    try:
        notebook = jupytext.read(lab.source, fmt="py:percent")
    except Exception as error:  # jupytext raises whatever its parser meets
        raise LabbookError(f"{lab.source} is not a py:percent file: {error}") from None
    thresholds = lab.read_thresholds()
    seen: set[str] = set()
    for cell in notebook.cells:
        _mark(cell, lab)
        if cell.cell_type == "markdown" or cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = PLACEHOLDER.sub(lambda match: _threshold(match[1], thresholds, lab), cell.source)
        cell.id = _cell_id(cell, seen)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _mark(cell: NotebookNode, lab: Lab) -> None:
    """Turn ``answer="…"``, ``test="…" points=…`` and ``setup="…"`` into nbgrader's metadata."""
    given = {
        key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"
    }  # jupytext's own
    marks: dict[str, Any] = {}
    if "answer" in given:
        marks["nbgrader"] = nbgrader_marks(given.pop("answer"), solution=True)
    elif "test" in given:
        marks["nbgrader"] = nbgrader_marks(f"test-{given.pop('test')}", points=float(given.pop("points", 0)))
        if not marks["nbgrader"]["points"]:
            raise LabbookError(f"{lab.source}: the test {marks['nbgrader']['grade_id']!r} needs points=…")
    elif "setup" in given:
        marks["nbgrader"] = nbgrader_marks(f"setup-{given.pop('setup')}")
    if "tags" in given:
        marks["tags"] = given.pop("tags")
    if given:
        raise LabbookError(
            f"{lab.source}: a cell is marked {', '.join(given)}; answer, test, setup and tags mean something."
        )
    if cell.cell_type == "code" and not marks:
        raise LabbookError(f"{lab.source}: a code cell is unmarked; it begins {cell.source[:40]!r}.")
    cell.metadata = nbformat.from_dict(marks)


def _threshold(name: str, thresholds: dict[str, Any], lab: Lab) -> str:
    if name not in thresholds:
        raise LabbookError(
            f"{lab.source} asks for the threshold {name!r}, which {lab.thresholds.name} lacks."
        )
    return f"{thresholds[name]['threshold']:g}"


def _cell_id(cell: NotebookNode, seen: set[str]) -> str:
    """The grade_id, or a hash of the text: an id that stays while the cell does."""
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    digest = hashlib.sha256(f"{cell.cell_type}\0{cell.source}".encode()).hexdigest()
    found = name or f"{cell.cell_type}-{digest[:12]}"
    while found in seen:
        found += "-again"
    seen.add(found)
    return str(found)


def keep_outputs(new: NotebookNode, old_path: Path) -> None:
    """Give the cells of ``new`` the outputs of the same cells in the notebook at ``old_path``, if there is one."""
    if not old_path.is_file():
        return
    old = {cell.get("id"): cell for cell in nbformat.read(old_path, as_version=4).cells}
    for cell in new.cells:
        before = old.get(cell.id)
        if cell.cell_type == "code" and before is not None and before.source == cell.source:
            cell.outputs, cell.execution_count = before.outputs, before.execution_count


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """A copy with neither outputs nor execution counts: what ``--check`` compares."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return copy


def student_notebooks(labs: Sequence[Lab], sources: dict[str, NotebookNode]) -> dict[str, NotebookNode]:
    """What nbgrader's GenerateAssignment makes of the sources, by lab."""
    with tempfile.TemporaryDirectory(prefix="labbook-build-") as scratch:
        root = Path(scratch)
        for lab in labs:
            folder = root / "source" / lab.name
            folder.mkdir(parents=True)
            (folder / lab.solution.name).write_text(dumps(sources[lab.name]))
        config = nbgrader_config(labs[0].root, root)
        config.CourseDirectory.source_directory = "source"
        config.CourseDirectory.release_directory = "release"
        config.SaveCells.enabled = False
        config.GenerateAssignment.no_database = True
        for lab in labs:
            run_nbgrader("generate_assignment", config, lab.name)
        return {
            lab.name: nbformat.read(root / "release" / lab.name / lab.release.name, as_version=4)
            for lab in labs
        }


def build(labs: Sequence[Lab], check: bool = False) -> list[str]:
    """Build the labs, or with ``check`` say which files differ from what building would give.

    Returns:
        The files written, or with ``check`` those that differ, each with the first difference.
    """
    if not labs:
        return []
    sources = {lab.name: source_notebook(lab) for lab in labs}
    students = student_notebooks(labs, sources)
    told = []
    for lab in labs:
        solution = nbformat.from_dict(sources[lab.name])
        if check:
            told += _difference(lab.solution, solution, compare_outputs=False)
            told += _difference(lab.release, students[lab.name], compare_outputs=True)
            continue
        keep_outputs(solution, lab.solution)
        for path, notebook in ((lab.solution, solution), (lab.release, students[lab.name])):
            text = dumps(notebook)
            if not path.is_file() or path.read_text() != text:
                write(path, text)
                told.append(str(path.relative_to(lab.root)))
    return told


def _difference(path: Path, expected: NotebookNode, compare_outputs: bool) -> list[str]:
    name = str(path.relative_to(path.parents[2]))
    if not path.is_file():
        return [f"{name}: is missing"]
    text = path.read_text()
    try:
        found = nbformat.reads(text, as_version=4)
    except Exception as error:
        return [f"{name}: is no notebook ({type(error).__name__})"]
    if compare_outputs:
        same = text == dumps(expected)
    else:
        same = dumps(without_outputs(found)) == dumps(without_outputs(expected)) and text == dumps(found)
    if same:
        return []
    for mine, theirs in zip(found.cells, expected.cells, strict=False):
        if mine.source != theirs.source or mine.metadata != theirs.metadata or mine.get("id") != theirs.id:
            return [f"{name}: cell {theirs.id!r} differs from its source"]
    return [f"{name}: differs from its source in its cells' number, outputs or metadata"]
