"""The command: a user's mistake ends in one line that says what to do, a non-zero exit, and nothing half-written."""

import contextlib
import errno
import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from autograder import cli, files
from autograder.labs import Lab
from autograder.simulation import answered, reference_answers
from labkit.workspace import working_copy

Command = Callable[..., tuple[int, str, str]]


def one_line(err: str) -> str:
    (line,) = [line for line in err.splitlines() if line.startswith("labbook: ")]
    assert "Traceback" not in err
    return line


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("build", "01_toi"), "Did you mean 01_toy?"),
        (("build", "toy"), "Did you mean 01_toy?"),
        (("run", "zzz"), "There are: 01_toy."),
        (("grade", "nowhere"), "No folder nowhere"),
        (("grade", "empty"), "No hand-ins in empty"),
        (("grade", "labs"), "No hand-ins in labs"),
        (("grade", "labs", "--lab", "zzz"), "There are: 01_toy."),
        (("feedback",), "run `labbook grade` first"),
        (("report",), "run `labbook grade` first"),
        (("check", "nowhere.ipynb"), "No notebook at nowhere.ipynb"),
        (("check", "nbgrader_config.py"), "is not a notebook"),
        (("lab", "01_toi"), "Did you mean 01_toy?"),
        (("simulate", "--students", "2", "--out", "x", "--lab", "02_toy"), "Did you mean 01_toy?"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    book: Path, labbook: Command, words: tuple[str, ...], told: str
) -> None:
    (book / "empty").mkdir()
    code, _, err = labbook(*words)
    assert code == 2
    assert told in one_line(err)


def test_every_subcommand_has_help(labbook: Command) -> None:
    code, out, _ = labbook("--help")
    assert code == 0
    for command in (
        "doctor",
        "lab",
        "build",
        "check",
        "run",
        "grade",
        "feedback",
        "report",
        "simulate",
        "demo",
    ):
        assert command in out
        code, text, _ = labbook(command, "--help")
        assert code == 0
        assert "Usage" in text


def test_outside_a_lab_book_the_remedy_is_named(
    tmp_path: Path, labbook: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABBOOK_ROOT", str(tmp_path))
    assert "LABBOOK_ROOT" in one_line(labbook("build")[2])


def test_a_full_disk_is_told_and_leaves_the_old_file(
    lab: Lab, labbook: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.source.write_text(lab.source.read_text().replace("A lab of three", "A lab of 3"))
    before = {path: path.read_bytes() for path in (lab.release, lab.solution)}

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(lab.solution))

    monkeypatch.setattr(files.os, "replace", full)
    code, _, err = labbook("build")
    assert code == 2
    assert "No space left" in one_line(err)
    assert {path: path.read_bytes() for path in before} == before
    assert not [path for path in lab.solution.parent.iterdir() if path.name.startswith(".")]


def test_a_port_in_use_is_told(book: Path, labbook: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, err = labbook("lab", "--port", taken.getsockname()[1])
    assert code == 2
    assert "--port" in one_line(err)


def test_a_working_copy_is_never_overwritten(lab: Lab) -> None:
    (mine,), remarks = working_copy(lab.root)
    assert mine.read_bytes() == lab.release.read_bytes()
    assert not remarks
    mine.write_text("my work")
    assert working_copy(lab.root, "01_toy") == ([mine], [])
    assert mine.read_text() == "my work"
    lab.release.write_text(lab.release.read_text() + "\n")
    _, (remark,) = working_copy(lab.root)
    assert mine.read_text() == "my work"
    assert mine.with_name("toy.new.ipynb").read_bytes() == lab.release.read_bytes()
    assert "toy.new.ipynb" in remark
    assert working_copy(lab.root)[1] == []


def test_check_runs_the_visible_checks(lab: Lab, labbook: Command) -> None:
    solved = answered(nbformat.read(lab.release, as_version=4), reference_answers(lab))
    path = lab.root / "mine.ipynb"
    path.write_text(nbformat.writes(solved))
    code, out, err = labbook("check", path, "--json", "c.json")
    assert code == 0, err
    assert "6 of 6 points" in out
    assert [q["status"] for q in json.loads(Path("c.json").read_text())["questions"]] == ["passed"] * 3
    path.write_text(lab.release.read_text())
    code, out, _ = labbook("check", path)
    assert code == 1
    assert "0 of 6 points" in out
    assert "not attempted" in out


def test_doctor_says_what_works(book: Path, labbook: Command) -> None:
    code, out, _ = labbook("doctor", "--json", "d.json")
    findings = {f["what"]: f for f in json.loads((book / "d.json").read_text())["findings"]}
    assert code == 0, out
    assert findings["TensorFlow"]["status"] == "ok"
    for finding in findings.values():
        assert finding["status"] == "ok" or finding["remedy"] or finding["what"] == "GPU"


def test_a_ctrl_c_that_a_library_swallows_is_raised_again() -> None:
    with cli._bar() as tell:
        tell("examining", 0, 2)
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            tell("examining", 1, 2)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
