"""A class drawn from the variants of the labs: for demonstrations, for load, and for the tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import numpy as np
from nbformat import NotebookNode

from autograder.cells import grade_id, kind
from autograder.files import dumps, write
from autograder.labs import Lab
from labkit.errors import LabbookError


@dataclass(frozen=True)
class Variant:
    """Another answer to a question: a right one, or a wrong one and the misconception that it must report."""

    question: str
    name: str
    source: str
    misconception: str = ""

    @property
    def is_right(self) -> bool:
        """Whether it must get full marks."""
        return not self.misconception


def read_variants(lab: Lab) -> list[Variant]:
    """The variants of a lab, in the file's order.

    Raises:
        LabbookError: the file is missing, or a cell says neither ``right="…"`` nor ``wrong="…"``.
    """
    if not lab.variants.is_file():
        raise LabbookError(f"{lab.name} has no variants.py to draw answers from.")
    variants = []
    for cell in jupytext.read(lab.variants, fmt="py:percent").cells:
        if cell.cell_type != "code":
            continue
        marks = cell.metadata
        if "question" not in marks or ("right" in marks) == ("wrong" in marks):
            raise LabbookError(
                f'{lab.variants}: mark each cell question="…" and right="…" or wrong="…"; not {dict(marks)}.'
            )
        name = marks.get("name", marks.get("right", marks.get("wrong")))
        variants.append(Variant(marks["question"], name, cell.source, marks.get("wrong", "")))
    return variants


def reference_answers(lab: Lab) -> dict[str, str]:
    """By question the answer of our own solution."""
    notebook = nbformat.read(lab.solution, as_version=4)
    return {grade_id(cell): cell.source for cell in notebook.cells if kind(cell) == "answer"}


def answered(release: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """The student's notebook with these answers filled in; the other questions keep their stubs."""
    notebook = nbformat.from_dict(release)
    for cell in notebook.cells:
        if kind(cell) == "answer":
            cell.source = answers.get(grade_id(cell), cell.source)
    return notebook


def simulate(labs: list[Lab], students: int, seed: int, out: Path) -> list[Path]:
    """Write a class's hand-ins in nbgrader's layout.

    Each student has a skill drawn from a beta distribution; a question is answered rightly (in one of the right
    ways), wrongly, or left, accordingly. The same seed gives the same class.

    Returns:
        The notebooks written.
    """
    written = []
    for lab in labs:
        variants = read_variants(lab)
        answers = reference_answers(lab)
        release = nbformat.read(lab.release, as_version=4)
        rng = np.random.default_rng([seed, int(lab.name.split("_")[0])])
        for number in range(1, students + 1):
            skill = rng.beta(4, 1.5)
            chosen = {}
            for question, reference in answers.items():
                mine = [v for v in variants if v.question == question]
                right = [reference, *(v.source for v in mine if v.is_right)]
                wrong = [v.source for v in mine if not v.is_right]
                draw = rng.random()
                if draw < skill:
                    chosen[question] = right[int(rng.integers(len(right)))]
                elif wrong and draw < skill + 0.8 * (1 - skill):
                    chosen[question] = wrong[int(rng.integers(len(wrong)))]
            path = out / f"s{number:03d}" / lab.name / lab.release.name
            write(path, dumps(answered(release, chosen)))
            written.append(path)
    return written
