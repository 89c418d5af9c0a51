"""Building: the same source gives the same bytes, and `--check` sees any difference."""

import ast
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from autograder.build import build, source_notebook
from autograder.cells import grade_id
from autograder.labs import Lab
from labkit.errors import LabbookError

Command = Callable[..., tuple[int, str, str]]


def test_building_again_gives_the_same_bytes(lab: Lab) -> None:
    before = lab.release.read_bytes(), lab.solution.read_bytes()
    lab.release.unlink()
    lab.solution.unlink()
    assert sorted(build([lab])) == ["labs/01_toy/toy.ipynb", "solutions/01_toy/toy.ipynb"]
    assert (lab.release.read_bytes(), lab.solution.read_bytes()) == before
    assert build([lab]) == []


def test_nbgraders_own_command_gives_the_same_students_notebook(lab: Lab) -> None:
    from autograder.steps import nbgrader_config, run_nbgrader

    config = nbgrader_config(lab.root, lab.root / "course")
    (lab.root / "course").mkdir()
    config.CourseDirectory.release_directory = "released"
    run_nbgrader("generate_assignment", config, lab.name)
    theirs = nbformat.read(lab.root / "course" / "released" / lab.name / lab.release.name, as_version=4)
    assert theirs == nbformat.read(lab.release, as_version=4)


def test_the_students_notebook_has_stubs_and_no_secrets(lab: Lab) -> None:
    text = lab.release.read_text()
    for secret in ("SECRET", "HIDDEN TESTS", "SOLUTION", "THINK-ANSWER", "np.exp(z - z.max", "{{"):
        assert secret not in text
    cells = {grade_id(c): c for c in nbformat.read(lab.release, as_version=4).cells}
    assert cells["output-size"].source.endswith("    # YOUR CODE HERE\n    raise NotImplementedError")
    assert cells["biases"].source == "biases = None  # an int: how many biases six feature maps have"
    for cell in nbformat.read(lab.release, as_version=4).cells:
        if cell.cell_type == "code":
            ast.parse(cell.source)
            assert cell.outputs == []
            assert cell.execution_count is None
    assert "The threshold is 50." in text


def test_ids_do_not_move_when_a_cell_is_inserted(lab: Lab) -> None:
    before = {cell.source: cell.id for cell in source_notebook(lab).cells}
    lab.source.write_text("# %% [markdown]\n# New.\n\n" + lab.source.read_text())
    after = {cell.source: cell.id for cell in source_notebook(lab).cells}
    assert {source: after[source] for source in before} == before


def one_character(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("solutions/01_toy/toy.py", "kernel_size + 1\n", "kernel_size + 2\n", "solutions/01_toy/toy.ipynb"),
        ("solutions/01_toy/toy.py", "A lab of three", "A lab of Three", "labs/01_toy/toy.ipynb"),
        ("solutions/01_toy/toy.ipynb", "kernel_size + 1", "kernel_size + 2", "solutions/01_toy/toy.ipynb"),
        ("solutions/01_toy/toy.ipynb", "SECRET-SIZE", "SECRET-SIZ3", "solutions/01_toy/toy.ipynb"),
        ("labs/01_toy/toy.ipynb", "32, 5", "32, 6", "labs/01_toy/toy.ipynb"),
        ("labs/01_toy/toy.ipynb", '"outputs": []', '"outputs": [] ', "labs/01_toy/toy.ipynb"),
        ("solutions/01_toy/thresholds.json", '"threshold": 50', '"threshold": 51', "labs/01_toy/toy.ipynb"),
    ],
)
def test_check_names_the_file_that_differs(
    lab: Lab, labbook: Command, file: str, old: str, new: str, named: str
) -> None:
    assert labbook("build", "--check")[0] == 0
    one_character(lab.root / file, old, new)
    code, out, err = labbook("build", "--check")
    assert code != 0
    assert named in out
    assert "run `labbook build`" in err


def test_outputs_of_unchanged_cells_are_kept_and_left_out_of_the_check(lab: Lab) -> None:
    notebook = nbformat.read(lab.solution, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text=f"output of {cell.id}\n")]
            cell.execution_count = 7
    lab.solution.write_text(nbformat.writes(notebook) + "\n")
    assert build([lab], check=True) == []
    one_character(lab.source, "biases = 6", "biases = 3 + 3")
    build([lab])
    kept = {c.id: c.outputs for c in nbformat.read(lab.solution, as_version=4).cells if c.cell_type == "code"}
    assert kept.pop("biases") == []
    assert all(kept.values())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('# %% answer="biases"', '# %% anwser="biases"', "anwser"),
        ('# %% answer="biases"', "# %%", "unmarked"),
        (" points=1\n", "\n", "needs points"),
        ("thresholds.half", "thresholds.third", "third"),
    ],
)
def test_a_source_that_means_nothing_is_told_in_a_line(
    lab: Lab, labbook: Command, old: str, new: str, told: str
) -> None:
    one_character(lab.source, old, new)
    code, _, err = labbook("build")
    assert code == 2
    assert told in err
    assert "Traceback" not in err
    with pytest.raises(LabbookError):
        source_notebook(lab)


def test_a_solution_without_an_end_is_refused_and_nothing_is_written(lab: Lab, labbook: Command) -> None:
    before = lab.release.read_bytes()
    one_character(lab.source, "    ### END SOLUTION\n", "")
    code, _, err = labbook("build")
    assert code == 2
    assert "Traceback" not in err
    assert lab.release.read_bytes() == before
