"""Transplant: only answers come from the student, whatever was done to the notebook."""

import html
import json
from collections.abc import Callable

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.cells import EXTRA, grade_id, kind, tags
from autograder.intake import RawCell, read_cells
from autograder.labs import Lab
from autograder.simulation import answered, reference_answers
from autograder.transplant import transplanted

RIGHT = "def output_size(n, kernel_size):\n    return n - kernel_size + 1"


def of(lab: Lab, notebook: NotebookNode) -> NotebookNode:
    path = lab.root / "handed-in.ipynb"
    path.write_text(json.dumps(notebook))
    return transplanted(lab, read_cells(path))


def cell(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(c for c in notebook.cells if grade_id(c) == name)


def answer(notebook: NotebookNode) -> str:
    return str(cell(notebook, "output-size").source)


@pytest.fixture
def handed_in(lab: Lab) -> NotebookNode:
    return answered(nbformat.read(lab.release, as_version=4), {"output-size": RIGHT})


def test_answers_stand_in_our_notebook_with_the_hidden_tests(lab: Lab, handed_in: NotebookNode) -> None:
    ours = of(lab, handed_in)
    assert answer(ours) == RIGHT
    assert "SECRET-SIZE" in cell(ours, "test-output-size").source
    assert "raise NotImplementedError" in cell(ours, "softmax").source
    assert "think-answer" not in [kind(c) for c in ours.cells]


def retag(c: NotebookNode) -> None:
    c.metadata = nbformat.from_dict(
        {
            "nbgrader": {"grade_id": "output-size", "grade": True, "points": 1e9},
            "tags": ["skip-execution", "explore"],
        }
    )


def retype(c: NotebookNode) -> None:
    c.cell_type = "markdown"
    del c["outputs"], c["execution_count"]


def no_metadata(c: NotebookNode) -> None:
    c.metadata = nbformat.from_dict({})  # its id still tells


@pytest.mark.parametrize("change", [retag, retype, no_metadata])
def test_changing_a_cells_marks_changes_nothing(
    lab: Lab, handed_in: NotebookNode, change: Callable[[NotebookNode], None]
) -> None:
    expected = of(lab, handed_in)
    change(cell(handed_in, "output-size"))
    assert of(lab, handed_in) == expected


def test_tests_setup_kernel_and_metadata_are_ours(lab: Lab, handed_in: NotebookNode) -> None:
    expected = of(lab, handed_in)
    cell(handed_in, "test-output-size").source = "3.0"
    cell(handed_in, "setup-imports").source = "from student import check"
    handed_in.metadata = nbformat.from_dict(
        {"kernelspec": {"name": "evil", "display_name": "e"}, "widgets": {}}
    )
    handed_in.cells = [c for c in handed_in.cells if grade_id(c) not in ("test-softmax", "setup-imports")]
    assert of(lab, handed_in) == expected


def test_of_duplicates_the_last_that_differs_from_the_stub_counts(lab: Lab, handed_in: NotebookNode) -> None:
    stub = cell(nbformat.read(lab.release, as_version=4), "output-size")
    second = nbformat.from_dict(cell(handed_in, "output-size"))
    second.source = "output_size = 2"
    third = nbformat.from_dict(stub)
    handed_in.cells += [second, third]
    assert answer(of(lab, handed_in)) == "output_size = 2"


def test_a_deleted_answer_is_the_stub(lab: Lab, handed_in: NotebookNode) -> None:
    handed_in.cells = [c for c in handed_in.cells if grade_id(c) != "output-size"]
    assert "raise NotImplementedError" in answer(of(lab, handed_in))


def test_extra_cells_keep_their_place_and_lose_their_html(lab: Lab, handed_in: NotebookNode) -> None:
    at = handed_in.cells.index(cell(handed_in, "output-size"))
    handed_in.cells.insert(at, nbformat.v4.new_code_cell("HELPER = 1"))
    handed_in.cells.insert(at + 2, nbformat.v4.new_markdown_cell("Note <script>alert(1)</script>"))
    handed_in.cells.insert(0, nbformat.v4.new_code_cell("FIRST = 1"))
    ours = of(lab, handed_in)
    assert ours.cells[0].source == "FIRST = 1"
    here = ours.cells.index(cell(ours, "output-size"))
    assert ours.cells[here - 1].source == "HELPER = 1"
    assert tags(ours.cells[here - 1]) == [EXTRA]
    assert "<script" not in ours.cells[here + 1].source


@pytest.mark.parametrize("text", ["<!-- note -->", "a < b & c", "&lt;", "<a " + "b " * 400_000])
def test_every_text_of_theirs_is_text(lab: Lab, handed_in: NotebookNode, text: str) -> None:
    handed_in.cells.append(nbformat.v4.new_markdown_cell(text))
    shown = of(lab, handed_in).cells[-1].source
    assert "<" not in shown
    assert html.unescape(shown) == text


def test_explore_and_parameters_cells_are_ours(lab: Lab, handed_in: NotebookNode) -> None:
    expected = of(lab, handed_in)
    for c in handed_in.cells:
        if kind(c) in ("explore", "parameters"):
            c.source = "import os; os.abort()"
    assert of(lab, handed_in) == expected


def test_the_solution_is_itself(lab: Lab) -> None:
    release = nbformat.read(lab.release, as_version=4)
    ours = of(lab, answered(release, reference_answers(lab)))
    assert {grade_id(c): c.source for c in ours.cells if kind(c) == "answer"} == reference_answers(lab)


def test_nothing_handed_in_is_all_stubs(lab: Lab) -> None:
    release = nbformat.read(lab.release, as_version=4)
    stubs = {grade_id(c): c.source for c in release.cells if kind(c) == "answer"}
    ours = transplanted(lab, [RawCell("code", "x = 1", "", "", ())])
    assert {grade_id(c): c.source for c in ours.cells if kind(c) == "answer"} == stubs
    assert ours.cells[0].source == "x = 1"
