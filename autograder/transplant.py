"""The notebook that is examined: ours, with the student's answers in their places.

From the student come cell sources only: answers by their grade_id, code cells of their own, and markdown for
the feedback. Metadata, tags, ids, locked cells, kernel and tests are ours, so that deleting, duplicating,
retyping or re-tagging a cell changes nothing.
"""

import copy
import functools
import html
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.cells import EXTRA, grade_id, kind
from autograder.intake import RawCell
from autograder.labs import Lab


def transplant(solution: NotebookNode, release: NotebookNode, cells: Sequence[RawCell]) -> NotebookNode:
    """Our notebook with hidden tests, the student's answers in it.

    Args:
        solution: our notebook with the hidden tests.
        release: our notebook as students got it, for the stubs.
        cells: the student's.

    Returns:
        A notebook without outputs, which shares its metadata with ours. A question whose answer cell is missing
        keeps the stub.
    """
    stubs = {grade_id(cell): cell for cell in release.cells if kind(cell) == "answer"}
    known = {cell.id for cell in release.cells} | {grade_id(cell) for cell in release.cells if grade_id(cell)}
    texts = {cell.source.strip() for cell in release.cells}
    answers: dict[str, str] = {}
    extras: dict[str, list[NotebookNode]] = defaultdict(list)
    place = ""
    for number, cell in enumerate(cells):
        name = cell.grade_id or cell.id
        if name in stubs:
            place = name
            if name not in answers or cell.source.strip() != stubs[name].source.strip():
                answers[name] = cell.source
        elif name in known or cell.source.strip() in texts:
            place = name if name in known else place
        elif cell.source.strip() and not {"explore", "parameters", "injected-parameters"} & set(cell.tags):
            extras[place].append(_extra(cell, number))
    result = NotebookNode({**solution, "metadata": copy.deepcopy(solution.metadata)})
    result.cells = list(extras.pop("", []))
    for ours in solution.cells:
        if kind(ours) == "think-answer":
            continue
        cell = NotebookNode(ours)
        if kind(cell) == "answer":
            stub = stubs[grade_id(cell)]
            cell.source = answers.get(grade_id(cell), stub.source)
            cell.metadata = stub.metadata  # its checksum tells nbgrader "No response."
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        result.cells.append(cell)
        for name in dict.fromkeys((grade_id(cell), cell.id)):
            result.cells += extras.pop(name, []) if name else []
    return result


def transplanted(lab: Lab, cells: Sequence[RawCell], rejected: str | None = None) -> NotebookNode:
    """The notebook to examine for this lab, or the unanswered one with the reason why there is none."""
    solution, release = (_read(path, path.stat().st_mtime_ns) for path in (lab.solution, lab.release))
    if not rejected:
        return transplant(solution, release, cells)
    notebook = transplant(solution, release, ())
    notebook.metadata["labbook"] = {"rejected": rejected}
    return notebook


@functools.lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> NotebookNode:
    """One of our notebooks without its outputs, read once as long as it stays unchanged; nobody may change it."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _extra(cell: RawCell, number: int) -> NotebookNode:
    if cell.type == "code":
        new = nbformat.v4.new_code_cell(cell.source, metadata={"tags": [EXTRA]})
    else:
        new = nbformat.v4.new_markdown_cell(html.escape(cell.source, quote=False))
    new.id = f"extra-{number}"
    return new
