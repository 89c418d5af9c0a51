"""Every lab, held to the same lines: what it releases, what it accepts, what it recognises.

Every variant is graded through the real engine: one of each question together, and in `make proof` each alone.
"""

import ast
import json
import re
import statistics
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.build import build, source_notebook
from autograder.cells import grade_id, kind, question
from autograder.examination import Limits, examine
from autograder.intake import RawCell
from autograder.labs import Lab, find_labs
from autograder.simulation import Variant, read_variants, reference_answers
from autograder.thresholds import threshold
from autograder.transplant import transplanted

ROOT = Path(__file__).parent.parent
LABS = find_labs(ROOT)
each_lab = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)

Results = dict[str, dict[str, Any]]


def submission(lab: Lab, answers: Mapping[str, str]) -> NotebookNode:
    return transplanted(lab, [RawCell("code", source, name, name, ()) for name, source in answers.items()])


@pytest.fixture(scope="module")
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def grade(workers: ThreadPoolExecutor, notebooks: list[NotebookNode], seed: str = "00ff") -> list[Results]:
    limits = Limits(cell_seconds=60, question_seconds=60, notebook_seconds=300)
    futures = [workers.submit(examine, notebook, seed, limits) for notebook in notebooks]
    return [future.result().questions for future in futures]


def points_of(notebook: NotebookNode) -> dict[str, float]:
    return {question(c): float(c.metadata.nbgrader.points) for c in notebook.cells if kind(c) == "test"}


@each_lab
def test_derived_files_are_as_their_source_says(lab: Lab) -> None:
    assert build([lab], check=True) == []


@each_lab
def test_a_lab_has_its_questions_points_and_variants(lab: Lab) -> None:
    notebook = nbformat.read(lab.solution, as_version=4)
    points = points_of(notebook)
    answers = [question(c) for c in notebook.cells if kind(c) == "answer"]
    assert list(points) == answers
    assert 7 <= len(points) <= 10
    assert sum(points.values()) == 30
    variants = read_variants(lab)
    assert {v.question for v in variants} == set(answers)
    for name in answers:
        assert len({v.misconception for v in variants if v.question == name and not v.is_right}) >= 3, name
        assert sum(v.is_right for v in variants if v.question == name) >= 2, name


@each_lab
def test_the_students_notebook_gives_nothing_away(lab: Lab) -> None:
    released = nbformat.read(lab.release, as_version=4)
    solved = source_notebook(lab)
    hidden = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", re.DOTALL)
    solution = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)
    secrets = [
        line.strip()
        for cell in solved.cells
        for block in hidden.findall(cell.source) + solution.findall(cell.source)
        for line in block.splitlines()
        if len(line.strip()) > 25
    ]
    shown = {  # what a line of an explore cell says, too, is no secret
        line.strip()
        for cell in solved.cells
        if kind(cell) in ("setup", "explore", "test")
        for line in hidden.sub("", cell.source).splitlines()
    }
    secrets = [line for line in secrets if line not in shown]
    assert len(secrets) > 20
    text = "\n".join(cell.source for cell in released.cells)
    for line in secrets:
        assert line not in text, line
    assert not re.search(r"HIDDEN TESTS|BEGIN SOLUTION|\{\{|/home/|/root/|/Users/|/tmp/", text)
    assert not [cell for cell in released.cells if "think-answer" in cell.metadata.get("tags", [])]
    for cell in released.cells:
        if cell.cell_type == "code":
            ast.parse(cell.source)
            assert cell.outputs == []
            assert cell.execution_count is None


@each_lab
def test_answers_have_names_of_their_own(lab: Lab) -> None:
    """In the examination room a name is ours first: an answer that we define, too, would not be looked at."""
    defined: dict[str, set[str]] = {"answer": set(), "setup": set(), "test": set()}
    for cell in source_notebook(lab).cells:
        if kind(cell) in defined:
            names = _defined(ast.parse(cell.source))
            if kind(cell) == "answer":
                assert not names & defined["answer"], names
            defined[kind(cell)] |= names
    assert not defined["answer"] & (defined["setup"] | defined["test"])
    assert not defined["answer"] & set(dir(__builtins__))


def _defined(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {t.id for t in ast.walk(ast.Tuple(node.targets, ast.Load())) if isinstance(t, ast.Name)}
    return names


@each_lab
def test_hidden_checks_are_hidden(lab: Lab) -> None:
    for cell in source_notebook(lab).cells:
        if kind(cell) == "test" and "BEGIN HIDDEN TESTS" in cell.source:
            block = cell.source.split("### BEGIN HIDDEN TESTS\n")[1].split("### END HIDDEN TESTS")[0]
            for node in ast.parse(block).body:
                calls = [
                    n.func.attr
                    for n in ast.walk(node)
                    if isinstance(n, ast.Call)
                    and isinstance(n.func, ast.Attribute)
                    and isinstance(n.func.value, ast.Name)
                    and n.func.value.id == "q"
                ]
                assert not calls or (isinstance(node, ast.With) and calls[0] == "hidden"), grade_id(cell)


@each_lab
def test_thresholds_are_what_their_seeds_say(lab: Lab) -> None:
    for entry in lab.read_thresholds().values():
        assert len(entry["values"]) >= 5
        measured = threshold(entry["values"], entry["direction"])
        assert entry["threshold"] == measured["threshold"]
        assert entry["mean"] == pytest.approx(statistics.fmean(entry["values"].values()), abs=1e-3)


@each_lab
def test_the_executed_solution_is_whole(lab: Lab) -> None:
    executed = nbformat.read(lab.solution, as_version=4)
    codes = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in codes)
    outputs = [output for cell in codes for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    pictures = [o.data["text/html"] for o in outputs if "image/png" in o.get("data", {})]
    assert len(pictures) >= 3
    assert all(re.search(r'<img[^>]* alt="[^"]{20,}"', html) for html in pictures)
    assert not re.search(r"/home/|/root/|/Users/|/tmp/", json.dumps([c.outputs for c in codes]))
    assert lab.solution.stat().st_size <= 1_500_000


@each_lab
def test_untouched_scores_zero_and_the_solution_full_marks(lab: Lab, workers: ThreadPoolExecutor) -> None:
    untouched, solved = grade(workers, [submission(lab, {}), submission(lab, reference_answers(lab))])
    for result in untouched.values():
        assert (result["points"], result["status"]) == (0, "not_attempted"), result
    for result in solved.values():
        assert (result["points"], result["status"]) == (result["max_points"], "passed"), result


def verify(results: Results, variants: Mapping[str, Variant]) -> list[str]:
    """What is wrong with the results of a notebook that answers these questions by variants, the others rightly."""
    told = []
    for name, result in results.items():
        variant = variants.get(name)
        right = variant is None or variant.is_right
        named = right or (variant is not None and variant.misconception in result["misconceptions"])
        if (result["status"] == "passed") != right or not named:
            got = f"{result['status']}, {result['points']:g}, {result['misconceptions']}, {result['message'][:200]}"
            told.append(f"{name}, with {[(v.question, v.name) for v in variants.values()]}: {got}")
        assert right or result["points"] < result["max_points"]
    return told


def in_rows(variants: list[Variant]) -> list[dict[str, Variant]]:
    """The first variant of every question, the second of every question, and so on."""
    columns: dict[str, list[Variant]] = {}
    for variant in variants:
        columns.setdefault(variant.question, []).append(variant)
    return [
        {name: column[i] for name, column in columns.items() if i < len(column)}
        for i in range(max(map(len, columns.values())))
    ]


@each_lab
def test_every_variant_is_recognised(lab: Lab, workers: ThreadPoolExecutor) -> None:
    assert not verify_all(lab, workers, in_rows(read_variants(lab)))


HELPERS = """
import functools, logging, sys, types, warnings
import numpy
logging.basicConfig()

running = set()

def noisy(function):
    @functools.wraps(function)
    def told(*args, **kwargs):
        if function in running:  # it calls itself
            return function(*args, **kwargs)
        print("called", function.__name__)
        print("to stderr", file=sys.stderr)
        warnings.warn("a warning")
        logging.getLogger("mine").error("a log line")
        running.add(function)
        try:
            return in_other_types(function(*args, **kwargs))
        finally:
            running.remove(function)
    return told

def in_other_types(value):
    if isinstance(value, types.FunctionType):
        return noisy(value)
    if type(value) in (bool, int, float):
        return numpy.array(value)[()]
    if type(value) in (list, tuple) and len(repr(value)) < 500_000:
        return (tuple if type(value) is list else list)(map(in_other_types, value))
    return value
"""


def in_another_style(answer: str) -> str:
    """The same answer with imports of its own under other names, whose functions talk and give other types."""
    tree = ast.parse(answer)
    imports = []
    for module, usual in (("numpy", "np"), ("tensorflow", "tf")):
        uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == usual]
        for node in uses:
            node.id = f"my_{usual}"
        imports += [f"import {module} as my_{usual}"] if uses else []
    names = [
        node.name if isinstance(node, ast.FunctionDef) else ast.unparse(node.targets[0])
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.Assign)
    ]
    return "\n".join([*imports, ast.unparse(tree), *(f"{name} = in_other_types({name})" for name in names)])


@each_lab
def test_right_answers_keep_full_marks_in_another_style(lab: Lab, workers: ThreadPoolExecutor) -> None:
    rows = [{}, *in_rows([variant for variant in read_variants(lab) if variant.is_right])]
    answers = reference_answers(lab)
    notebooks = []
    for row in rows:
        cells = {
            name: in_another_style(row[name].source if name in row else answers[name]) for name in answers
        }
        own = [RawCell("code", HELPERS, "", "my-helpers", ())]
        own += [RawCell("code", source, name, name, ()) for name, source in cells.items()]
        notebooks.append(transplanted(lab, own))
    told = []
    for row, results in zip(rows, grade(workers, notebooks), strict=True):
        told += verify(results, row)
    assert not told


@pytest.mark.proof
@each_lab
def test_variants_are_recognised_whatever_the_hidden_inputs(lab: Lab, workers: ThreadPoolExecutor) -> None:
    rows = [{}, *in_rows(read_variants(lab))]
    told = [verify_all(lab, workers, rows, f"{seed:04x}") for seed in range(1, 21)]
    assert not [line for lines in told for line in lines]


@pytest.mark.proof
@each_lab
def test_variants_lose_their_points_only(lab: Lab, workers: ThreadPoolExecutor) -> None:
    """Every variant alone among right answers."""
    assert not verify_all(lab, workers, [{variant.question: variant} for variant in read_variants(lab)])


def verify_all(
    lab: Lab, workers: ThreadPoolExecutor, rows: list[dict[str, Variant]], seed: str = "00ff"
) -> list[str]:
    """What is wrong with the results of these notebooks."""
    answers = reference_answers(lab)
    notebooks = [submission(lab, answers | {name: v.source for name, v in row.items()}) for row in rows]
    told = []
    for row, results in zip(rows, grade(workers, notebooks, seed), strict=True):
        told += verify(results, row)
    return told
