"""Grading through the rooms, from hand-in to gradebook: every end has a row, and no score survives unearned."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder import gradebook
from autograder.files import dumps
from autograder.labs import Lab, find_labs
from autograder.simulation import answered, read_variants, reference_answers

ROOT = Path(__file__).parent.parent
Command = Callable[..., tuple[int, str, str]]
QUIET = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def hand_in(lab: Lab, student: str, **answers: str) -> Path:
    """The reference answers, with these put in their place (a question's ``-`` written ``_``)."""
    chosen = reference_answers(lab) | {name.replace("_", "-"): source for name, source in answers.items()}
    path = lab.root / "course" / "submitted" / student / lab.name / lab.release.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(answered(nbformat.read(lab.release, as_version=4), chosen)))
    return path


def graded(labbook: Command, lab: Lab, *words: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Exit code, rows by student, stderr."""
    result = lab.root / "result.json"
    code, _, err = labbook("grade", "--json", result, *words)
    document = json.loads(result.read_text())
    assert document["schema"] == 1
    assert document["totals"]["submissions"] == len(document["submissions"])
    return code, {row["student"]: row for row in document["submissions"]}, err


NOISE = """
import logging, os, subprocess, sys, warnings
logging.basicConfig()
def output_size(n, kernel_size):
    print("looking at", n)
    print("to stderr", file=sys.stderr)
    warnings.warn("a warning")
    logging.getLogger("mine").error("a log line")
    os.write(2, b"raw bytes\\n")
    return n - kernel_size + 1
"""


def test_a_class_ends_in_rows_a_gradebook_and_pages(lab: Lab, labbook: Command) -> None:
    hand_in(lab, "full")
    hand_in(lab, "noisy", output_size=NOISE)
    hand_in(lab, "wrong", output_size="def output_size(n, kernel_size):\n    return n - kernel_size")
    hand_in(lab, "killer", biases="import os\nos.kill(os.getpid(), 9)")
    hand_in(lab, "breaks", biases="biases = 1/0")
    hand_in(lab, "syntax", softmax="def softmax(z: return z")
    hand_in(lab, "no-json").write_text("{")
    hand_in(lab, "renamed").rename(lab.root / "course/submitted/renamed/01_toy/mine.ipynb")
    (lab.root / "course/submitted/empty/01_toy").mkdir(parents=True)
    code, rows, err = graded(labbook, lab)
    assert code == 1
    assert "Traceback" not in err
    got = {student: (row["status"], row["score"]) for student, row in rows.items()}
    assert got == {
        "full": ("graded", 6),
        "noisy": ("graded", 6),
        "wrong": ("graded", 3),
        "killer": ("partly", 5),
        "breaks": ("graded", 5),
        "syntax": ("graded", 4),
        "no-json": ("rejected", 0),
        "renamed": ("rejected", 0),
        "empty": ("rejected", 0),
    }
    assert rows["wrong"]["questions"]["output-size"] == {
        "points": 0.0,
        "max_points": 3.0,
        "status": "failed",
        "misconceptions": ["no-plus-one"],
        "message": "Count the first position too.",
    }
    assert rows["killer"]["questions"]["biases"]["status"] == "crashed"
    assert rows["syntax"]["questions"]["softmax"]["status"] == "error"
    assert "no valid JSON" in rows["no-json"]["message"]
    assert "mine.ipynb" in rows["renamed"]["message"]
    assert set(rows["full"]) == {
        "student",
        "lab",
        "status",
        "score",
        "max_score",
        "seconds",
        "cached",
        "message",
        "questions",
    }
    recorded = {score.student: score.score for score in gradebook.read_scores(lab.root / "course", [lab])}
    assert recorded == {student: row["score"] for student, row in rows.items()}

    # Again: nothing is examined, everything is the same.
    again = graded(labbook, lab)[1]
    assert all(row["cached"] for row in again.values() if row["status"] != "rejected")
    assert {s: row["questions"] for s, row in again.items()} == {
        s: row["questions"] for s, row in rows.items()
    }
    assert labbook("feedback")[0] == 0
    assert len(list((lab.root / "course/feedback").glob("*/*/toy.html"))) == len(rows)
    assert labbook("report")[0] == 0

    # A worse hand-in: the earlier score goes, a person's stays.
    hand_in(lab, "full").write_text("[")
    with gradebook.Gradebook(gradebook.database(lab.root / "course")) as book:
        book.find_grade("test-biases", "toy", lab.name, "full").manual_score = 0.5
        book.db.commit()
    assert graded(labbook, lab)[1]["full"]["score"] == 0
    recorded = {score.student: score.score for score in gradebook.read_scores(lab.root / "course", [lab])}
    assert recorded["full"] == 0.5


def test_odd_names_and_times_stop_nobody(lab: Lab, labbook: Command) -> None:
    odd = ["[x]", "line\nend", " space", os.fsdecode(b"\xff")]
    for student in ["honest", "山田\u3000太郎", "*", "-v", "x" * 255, *odd]:
        hand_in(lab, student)
    for number, told in enumerate(
        ["0001-01-01 00:00:00 +1400", "10:00:00+99:99", "9" * 90, "", "\0", "1 1 1"]
    ):
        (hand_in(lab, f"stamped-{number}").parent / "timestamp.txt").write_text(told)
    hand_in(lab, "late").with_name("timestamp.txt").write_text("2026-01-02 03:04:05 Europe/Berlin")
    code, rows, err = graded(labbook, lab)
    assert (code, len(rows)) == (1, 16)
    assert "Traceback" not in err
    refused = {name for name, row in rows.items() if row["status"] == "rejected"}
    assert refused == {"[x]", "line\nend", " space", "?"}
    assert all("rename it" in rows[name]["message"] for name in refused)
    assert all(row["score"] == 6 for name, row in rows.items() if name not in refused)
    with gradebook.Gradebook(gradebook.database(lab.root / "course")) as book:
        assert str(book.find_submission(lab.name, "late").timestamp) == "2026-01-02 02:04:05"
        assert len(book.assignment_submissions(lab.name)) == len(rows) - len(refused)


def check_that_nbgrader_agrees(root: Path, labbook: Command, students: int) -> None:
    """Grade a simulated class with the command, and from nothing again with nbgrader's own."""
    labs, course = find_labs(root), root / "course"
    assert labbook("simulate", "--students", students, "--seed", 3, "--out", course / "submitted")[0] == 0
    assert labbook("grade", "--json", root / "result.json")[0] == 0
    rows = json.loads((root / "result.json").read_text())["submissions"]
    expected = {(row["student"], row["lab"]): row["score"] for row in rows}
    assert len(expected) == students * len(labs)
    assert len(set(expected.values())) > 1
    for folder in ("autograded", ".examined"):
        shutil.rmtree(course / folder)
    (course / "gradebook.db").unlink()
    for lab in labs:
        for step in ("autograde", "generate_feedback"):
            ran = subprocess.run(
                ["nbgrader", step, lab.name], cwd=root, env=QUIET, capture_output=True, text=True, check=False
            )
            assert ran.returncode == 0, ran.stderr
    scores = gradebook.read_scores(course, labs)
    assert {(score.student, score.lab): round(score.score, 6) for score in scores} == expected
    assert len(list(course.glob("feedback/*/*/*.html"))) == len(expected)


def test_nbgraders_own_command_gives_the_same_scores(lab: Lab, labbook: Command) -> None:
    check_that_nbgrader_agrees(lab.root, labbook, 4)


@pytest.mark.proof
def test_nbgraders_own_command_gives_a_class_of_twelve_the_same_scores(
    tmp_path: Path, labbook: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All labs."""
    for name in ("labs", "solutions"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    monkeypatch.setenv("LABBOOK_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    check_that_nbgrader_agrees(tmp_path, labbook, 12)


def test_nbgraders_own_command_survives_a_broken_notebook(lab: Lab) -> None:
    hand_in(lab, "a").write_text("{")
    hand_in(lab, "b", softmax="softmax = None")
    ran = subprocess.run(
        ["nbgrader", "autograde", lab.name],
        cwd=lab.root,
        env=QUIET,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    recorded = {score.student: score.score for score in gradebook.read_scores(lab.root / "course", [lab])}
    assert recorded == {"a": 0, "b": 4}


def test_a_simulated_class_is_drawn_from_the_variants_and_repeats(lab: Lab, labbook: Command) -> None:
    for name in ("one", "two"):
        assert labbook("simulate", "--students", 5, "--seed", 1, "--out", lab.root / name)[0] == 0
    one, two = ([p.read_bytes() for p in sorted((lab.root / n).glob("*/*/*.ipynb"))] for n in ("one", "two"))
    assert one == two
    assert len(set(one)) > 1
    known = [*reference_answers(lab).values(), *(v.source for v in read_variants(lab))]
    text = "".join(path.read_text() for path in (lab.root / "one").glob("*/*/*.ipynb"))
    assert any(nbformat.v4.new_code_cell(source).source.splitlines()[-1].strip() in text for source in known)


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="needs signals")
def test_ctrl_c_ends_in_one_line_and_the_next_run_goes_on(lab: Lab, labbook: Command) -> None:
    hand_in(lab, "a")
    hand_in(lab, "b", biases="import time\ntime.sleep(20)\nbiases = 6")
    command = [sys.executable, "-m", "labkit.cli", "grade", "--jobs", "1"]
    process = subprocess.Popen(
        command,
        cwd=lab.root,
        env=QUIET,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not list((lab.root / "course").glob(".examined/*.json")) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err, err
    assert err.strip().splitlines()[-1].startswith("labbook: Stopped.")
    hand_in(lab, "b")
    code, rows, _ = graded(labbook, lab)
    assert code == 0
    assert {s: (row["score"], row["cached"]) for s, row in rows.items()} == {"a": (6, True), "b": (6, True)}


def test_a_lost_cache_entry_is_examined_again_and_a_damaged_one_too(lab: Lab, labbook: Command) -> None:
    hand_in(lab, "a")
    assert graded(labbook, lab)[1]["a"]["score"] == 6
    (entry,) = (lab.root / "course" / ".examined").glob("*.json")
    entry.write_text(entry.read_text()[:100])
    code, rows, _ = graded(labbook, lab)
    assert code == 0
    assert rows["a"]["score"] == 6
    assert not rows["a"]["cached"]


def test_the_course_is_its_owners_alone(lab: Lab, labbook: Command) -> None:
    hand_in(lab, "a")
    graded(labbook, lab)
    course = lab.root / "course"
    assert course.stat().st_mode & 0o777 == 0o700
    assert (course / ".secret").stat().st_mode & 0o777 == 0o600
    assert not list(course.glob(".staged*"))


def test_the_gradebooks_log_is_kept_while_a_class_is_recorded(lab: Lab, labbook: Command) -> None:
    hand_in(lab, "ada")
    graded(labbook, lab)
    log = lab.root / "course" / "gradebook.db-wal"
    gradebook.read_scores(lab.root / "course", [lab])
    assert not log.exists()  # written back when the last connection is closed, for which one waits
    with gradebook.held_open(lab.root / "course"):
        gradebook.read_scores(lab.root / "course", [lab])
        assert log.exists()
    assert not log.exists()
