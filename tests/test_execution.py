"""Batch execution: papermill's runs, their metrics, and how each ends."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from autograder.labs import Lab

Command = Callable[..., tuple[int, str, str]]


def explore(lab: Lab, code: str) -> None:
    """Add an explore cell to the source."""
    lab.source.write_text(f'{lab.source.read_text()}\n# %% tags=["explore"]\n{code}\n')


def test_a_run_reports_metrics_and_seconds_and_updates_the_solution(lab: Lab, labbook: Command) -> None:
    code, out, err = labbook("run", "--json", "r.json", "--update")
    assert code == 0, err
    document = json.loads(Path("r.json").read_text())
    (run,) = document.pop("runs")
    assert document == {"schema": 1, "scale": "smoke", "device": document["device"]}
    assert run.pop("seconds") > 0
    assert Path(run.pop("notebook")).is_file()
    metric = {"value": 28, "unit": "pixels", "published": 28, "source": "arithmetic"}
    assert run == {"lab": "01_toy", "status": "ok", "error": "", "metrics": {"positions": metric}}
    assert "28" in out
    executed = nbformat.read(lab.solution, as_version=4)
    codes = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1))
    assert not any("papermill" in cell.metadata for cell in executed.cells)
    assert str(lab.root) not in lab.solution.read_text()
    before = lab.solution.read_bytes()
    assert labbook("build", "--check")[0] == 0
    assert labbook("build")[0] == 0
    assert lab.solution.read_bytes() == before


@pytest.mark.parametrize(
    ("cell", "status", "told"),
    [
        ("raise RuntimeError('broken')", "failed", "RuntimeError: broken"),
        ("import os; os.kill(os.getpid(), 9)", "crashed", "kernel died"),
        ("raise MemoryError()", "out_of_memory", "MemoryError"),
        ("from labkit.data import DataError; raise DataError('no MNIST')", "missing_data", "no MNIST"),
    ],
)
def test_a_run_that_fails_says_how_and_exits_non_zero(
    lab: Lab, labbook: Command, cell: str, status: str, told: str
) -> None:
    explore(lab, cell)
    before = lab.solution.read_bytes()
    code, _, err = labbook("run", "--json", "r.json", "--update")
    assert code == 1
    assert "Traceback" not in err
    (run,) = json.loads(Path("r.json").read_text())["runs"]
    assert run["status"] == status
    assert told in run["error"]
    assert lab.solution.read_bytes() == before


def test_parameters_reach_the_notebook_and_unknown_ones_are_refused(lab: Lab, labbook: Command) -> None:
    explore(lab, 'metrics.record("seed", SEED)\nassert SCALE == "smoke"')
    assert labbook("run", "-p", "SEED", "7", "--json", "r.json")[0] == 0
    assert json.loads(Path("r.json").read_text())["runs"][0]["metrics"]["seed"]["value"] == 7
    code, _, err = labbook("run", "-p", "SEEED", "7")
    assert (code, err.strip()) == (2, "labbook: 01_toy has no parameter 'SEEED'; it has SEED, SCALE.")
    assert labbook("run", "-p", "SEED")[0] == 2
    assert labbook("run", "--scale", "huge")[0] == 2
    assert labbook("run", "--scale", "full", "--update")[0] == 2


def test_a_solution_too_large_to_commit_is_refused(lab: Lab, labbook: Command) -> None:
    explore(lab, "print('x' * 2_000_000)")
    before = lab.solution.read_bytes()
    code, _, err = labbook("run", "--update")
    assert code == 2
    assert "smaller" in err
    assert lab.solution.read_bytes() == before
