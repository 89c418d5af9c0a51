"""Our steps in nbgrader's lists, so that its commands, formgrader and ours all do the same.

`ClearAnswers` and `StripThinkAnswers` stand in GenerateAssignment's, `SubmissionExporter`, `Transplant` and
`Examine` in Autograde's, `FeedbackPage` in GenerateFeedback's: see nbgrader_config.py.
"""

import copy
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions, NbGraderPreprocessor
from traitlets import Bool, Dict, Unicode

from autograder import cache, examination
from autograder.cells import kind, question, tags
from autograder.examination import Examination, Limits, lost_result
from autograder.feedback import FeedbackPage
from autograder.intake import Rejected, Submission, read_submission
from autograder.labs import Lab, find_labs
from autograder.transplant import transplanted
from labkit import rendering

__all__ = ["ClearAnswers", "Examine", "FeedbackPage", "StripThinkAnswers", "SubmissionExporter", "Transplant"]


class StripThinkAnswers(NbGraderPreprocessor):  # type: ignore[misc]
    """Leave out the answers to "think" questions."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Drop the cells tagged ``think-answer``."""
        nb.cells = [cell for cell in nb.cells if "think-answer" not in tags(cell)]
        return nb, resources


class ClearAnswers(ClearSolutions):  # type: ignore[misc]
    """Turn a solution into a stub that parses, runs, and says by NotImplementedError that it is one.

    A region inside a function becomes the stub; one at the left margin disappears, because the line above it
    (``size = None  # an int``) is the stub there. "Run all" then reaches the end of an untouched lab.
    """

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        lines: list[str] = []
        inside = found = False
        for line in cell.source.split("\n"):
            if self.begin_solution_delimeter in line:
                if inside:
                    raise RuntimeError(f"A solution begins within a solution: {cell.source}")
                inside = found = True
                if indent := line[: len(line) - len(line.lstrip())]:
                    lines += [f"{indent}# YOUR CODE HERE", f"{indent}raise NotImplementedError"]
            elif self.end_solution_delimeter in line:
                inside = False
            elif not inside:
                lines.append(line)
        if inside:
            raise RuntimeError(f"A solution does not end: {cell.source}")
        cell.source = "\n".join(lines)
        return found


class SubmissionExporter(NotebookExporter):  # type: ignore[misc]
    """Reads what was handed in with our intake, so that no file whatever stops the batch."""

    rejected = Dict(help="Reasons for '<student>/<lab>' why there is nothing to examine.").tag(config=True)

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        """Read and export one notebook; the student's while nbgrader sanitises, ours when it grades."""
        if not self.parent._sanitizing:
            found: tuple[str, Any] = super().from_filename(filename, resources, **kw)
            return found
        marks = resources["nbgrader"]
        notebook = nbformat.v4.new_notebook()
        try:
            reason = self.rejected.get(f"{marks['student']}/{marks['assignment']}")
            if reason:
                raise Rejected(reason)
            # A lab is named by where the file lies; its other paths do not matter for reading.
            lab = Lab(marks["assignment"], Path())
            resources["labbook_cells"] = read_submission(
                Submission(marks["student"], lab, Path(filename).parent)
            )
        except Rejected as error:
            resources["labbook_rejected"] = str(error)
        exported: tuple[str, Any] = self.from_notebook_node(notebook, resources=resources, **kw)
        return exported


class LabbookStep(NbGraderPreprocessor):  # type: ignore[misc]
    """A step that knows the lab book and the course."""

    root = Unicode(help="The lab book's folder.").tag(config=True)
    course = Unicode(help="The course's folder: gradebook, secret, examinations.").tag(config=True)

    def lab(self, resources: Any) -> Lab:
        """The lab that is being graded."""
        return find_labs(Path(self.root), [resources["nbgrader"]["assignment"]])[0]


class Transplant(LabbookStep):
    """Put the student's answers into our notebook; the student's own notebook ends here."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Replace the notebook by ours with the student's answers, or by the untouched one with a reason."""
        lab = self.lab(resources)
        reason = resources.pop("labbook_rejected", None)
        cells = resources.pop("labbook_cells", ())
        return copy.deepcopy(transplanted(lab, cells, reason)), resources  # the next steps write into it


class Examine(LabbookStep):
    """Stands where nbgrader's Execute stood: outputs and points come from the examination."""

    unsafe = Bool(False, help="Go on where this machine cannot wall off a student's code.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Fill in the outputs of the examination, from the cache if it has been made."""
        reason = nb.metadata.get("labbook", {}).get("rejected")
        if reason:
            found = Examination()
        else:
            course, lab, limits = cache.open_course(Path(self.course)), self.lab(resources), Limits()
            name = cache.key(course, lab, nb, limits)
            cached = cache.load(course, name)
            if cached is None:
                seed = cache.hidden_seed(course, lab, nb)
                cached = examination.examine(nb, seed, limits, unsafe=self.unsafe)
                if examination.is_lost(cached):  # perhaps for want of time on a busy machine
                    cached = examination.examine(nb, seed, limits, unsafe=self.unsafe)
                cache.store(course, name, cached)
            found = cached
        fill_outputs(nb, found, reason or "It was not examined.")
        return nb, resources


def fill_outputs(notebook: NotebookNode, found: Examination, without: str) -> None:
    """Write an examination into its notebook: a result and a number for every test, whatever happened.

    nbgrader gives full marks to a test cell without an output, and 0 to one that writes to stderr.
    """
    count = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        count += 1
        outputs: list[dict[str, Any]] = found.outputs.get(cell.id, [])
        if kind(cell) == "test":
            points = float(cell.metadata.nbgrader.points)
            result = found.questions.get(question(cell)) or lost_result(
                question(cell), points, "error", without
            )
            earned = {"text/plain": repr(float(result["points"]))}
            outputs = [
                {"output_type": "display_data", "metadata": {}, "data": rendering.bundle(result)},
                {"output_type": "execute_result", "metadata": {}, "execution_count": count, "data": earned},
            ]
        cell.outputs = [nbformat.from_dict(output) for output in outputs]
        cell.execution_count = count if outputs else None
