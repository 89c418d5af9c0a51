"""Intake: whatever a student hands in becomes cells or a reason."""

import contextlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder import intake
from autograder.cells import kind
from autograder.intake import Rejected, Submission, find_submissions, read_submission
from autograder.labs import Lab, find_labs
from autograder.transplant import transplanted
from tests.classroom import examples


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    folder = tmp_path / "s1" / "01_toy"
    folder.mkdir(parents=True)
    return Submission("s1", Lab("01_toy", tmp_path), folder)


def rejects(submission: Submission, *words: str) -> None:
    with pytest.raises(Rejected) as caught:
        read_submission(submission)
    told = str(caught.value)
    assert "\n" not in told
    for word in words:
        assert word in told
    assert str(submission.folder) not in told


def test_bad_hand_ins_are_told_in_a_line(submission: Submission) -> None:
    rejects(submission, "expected toy.ipynb", "an empty folder")
    (submission.folder / "notes.txt").write_text("x")
    rejects(submission, "expected toy.ipynb", "notes.txt")
    (submission.folder / "toy (1).ipynb").write_text("{}")
    rejects(submission, "Expected toy.ipynb", "toy (1).ipynb", "rename")
    for content, word in [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "no valid JSON"),
        (b"PK\x03\x04\xff\xfe", "no UTF-8"),
        (b"[1, 2]", "no cells"),
        (b"{}", "no cells"),
        (b'{"cells": 3}', "no cells"),
        (b'{"worksheets": []}', "no cells"),
        (b'"' + b"[" * 5, "no valid JSON"),
        (b'{"cells": ' + b"[" * 200 + b"]" * 200 + b"}", "nested"),
        (b"[" * 1_000_000, "nested"),
        (b'{"cells": [' + b"{}," * 1001 + b"{}]}", "more than 1000"),
        (b'{"cells": [' + b"[]," * 1_000_001 + b"[]]}", "too many pieces"),
        (json.dumps({"cells": [{"cell_type": "code", "source": "x" * 1_100_000}]}).encode(), "characters"),
    ]:
        submission.notebook.write_bytes(content)
        rejects(submission, word)


def test_names_are_told_as_they_can_be_printed(submission: Submission, tmp_path: Path) -> None:
    (submission.folder / os.fsdecode(b"\xff\x1b[31m\n\xe2\x80\xae.ipynb")).touch()
    rejects(submission, "found ??[31m??.ipynb: rename")
    (tmp_path / os.fsdecode(b"\xff\n")).touch()
    assert find_submissions(tmp_path, [submission.lab])[1] == [f"passed over {tmp_path}/??: no folder"]


@pytest.mark.parametrize("piece", ["[],", '{"":1},', '"",', "1.5,", "123456,"])
def test_no_notebook_fills_the_memory(submission: Submission, piece: str) -> None:
    submission.notebook.write_text('{"cells":[' + piece * ((60 << 20) // len(piece)) + "1]}")
    reading = (
        "import resource, sys, pathlib\n"
        "from autograder import intake\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    intake.read_cells(pathlib.Path(sys.argv[1]))\n"
        "except intake.Rejected:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    command = [sys.executable, "-c", reading, submission.notebook]
    assert int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) < 400 << 10


def test_quotes_without_end_are_scanned_in_one_pass(submission: Submission) -> None:
    submission.notebook.write_text('{"cells": "' + '\\"' * 2_000_000)
    rejects(submission, "no valid JSON")


def test_links_folders_and_pipes_are_not_followed(submission: Submission, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_text('{"cells": []}')
    submission.notebook.symlink_to(secret)
    rejects(submission, "a link?")
    submission.notebook.unlink()
    submission.notebook.mkdir()
    rejects(submission, "not a file")
    submission.notebook.rmdir()
    os.mkfifo(submission.notebook)
    rejects(submission, "not a file")


def test_too_large_a_file_is_not_read(submission: Submission) -> None:
    with submission.notebook.open("wb") as file:
        file.truncate(intake.MAX_BYTES + 1)
    rejects(submission, "larger than")


def test_cells_come_with_text_and_names_only(submission: Submission) -> None:
    cells: list[Any] = [
        {
            "cell_type": "code",
            "source": ["a = 1\n", "b", 3],
            "metadata": {"nbgrader": {"grade_id": "q"}},
            "id": "i",
        },
        {"cell_type": "widget", "source": {"x": 1}, "metadata": {"nbgrader": []}, "id": 5},
        {"metadata": {"tags": ["explore", 7], "nbgrader": {"grade_id": ["q"]}}, "source": "\ud800\0x"},
        "no cell",
        None,
    ]
    submission.notebook.write_text(json.dumps({"cells": cells, "nbformat": "x"}))
    found = read_submission(submission)
    assert found[0] == intake.RawCell("code", "a = 1\nb", "q", "i", ())
    assert found[1] == intake.RawCell("raw", "", "", "", ())
    assert found[2] == intake.RawCell("raw", "?x", "", "", ("explore",))
    assert len(found) == 3


def test_a_byte_order_mark_is_no_reason(submission: Submission) -> None:
    submission.notebook.write_bytes(b'\xef\xbb\xbf{"cells": []}')
    assert read_submission(submission) == []


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["cells", "source", "metadata", "nbgrader", "grade_id", "tags", "id", "cell_type"]
            )
            | st.text(),
            inner,
        )
    ),
    max_leaves=30,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(2000), deadline=None
)
@given(content=ANY_JSON | st.fixed_dictionaries({"cells": st.lists(ANY_JSON)}))
def test_any_json_is_cells_or_a_reason(submission: Submission, content: Any) -> None:
    submission.notebook.write_text(json.dumps(content))
    found = []
    with contextlib.suppress(Rejected):
        found = read_submission(submission)
    assert all(isinstance(cell.source, str) and isinstance(cell.grade_id, str) for cell in found)


def test_only_folders_in_nbgraders_layout_are_found(tmp_path: Path) -> None:
    lab = Lab("01_toy", tmp_path)
    submitted = tmp_path / "submitted"
    for folder in ("s2/01_toy", "s1/01_toy", "s1/99_other", ".hidden/01_toy"):
        (submitted / folder).mkdir(parents=True)
    (submitted / "class.zip").write_text("x")
    (submitted / "s3").symlink_to(submitted / "s1")
    found, remarks = find_submissions(submitted, [lab])
    assert [(s.student, s.lab.name) for s in found] == [("s1", "01_toy"), ("s2", "01_toy")]
    assert len(remarks) == 2


PATHS = st.lists(st.integers(0, 10**6), min_size=1, max_size=7)
ODD = ANY_JSON | st.sampled_from(
    [10**400, -1, 1e308, "x" * 100_000, [[[[]]]], {"nbgrader": {"grade_id": ["a"]}}]
)


def put(node: Any, path: list[int], odd: Any) -> Any:
    """The JSON with something odd somewhere in it, or with something taken out."""
    if not path or not isinstance(node, dict | list) or not node:
        return odd
    here, rest = path[0], path[1:]
    if isinstance(node, list):
        at = here % len(node)
        if here % 7 == 0:
            return node[:at] + node[at + 1 :]
        return [
            *node[:at],
            put(node[at], rest, odd),
            *node[at + 1 :],
            *(node[at:][:1] if here % 5 == 0 else []),
        ]
    key = sorted(node)[here % len(node)]
    if here % 7 == 0:
        return {name: value for name, value in node.items() if name != key}
    return {**node, key: put(node[key], rest, odd)}


@settings(suppress_health_check=list(HealthCheck), max_examples=examples(2000), deadline=None)
@given(st.lists(st.tuples(PATHS, ODD), min_size=1, max_size=4), st.integers(0, 10**6), st.booleans())
def test_a_mutated_notebook_is_a_row_or_a_reason(
    built: Path, submission: Submission, changes: list[tuple[list[int], Any]], at: int, tear: bool
) -> None:
    lab = find_labs(built)[0]
    content = json.loads(lab.release.read_text())
    for path, odd in changes:
        content = put(content, path, odd)
    text = json.dumps(content)
    if tear:
        text = text[: at % len(text)] + text[at % len(text) + 1 :]
    submission.notebook.write_text(text)
    before, reason = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, ""
    try:
        notebook = transplanted(lab, read_submission(submission))
    except Rejected as rejected:
        reason = str(rejected)
        notebook = transplanted(lab, [], reason)
    assert "\n" not in reason
    assert [kind(cell) for cell in notebook.cells].count("test") == 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10
