"""Nothing is lost and nobody is harmed: kills, full disks, locked gradebooks, changed questions, a hostile class."""

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder import cache, gradebook, grading, walls
from autograder.build import build
from autograder.files import dumps
from autograder.intake import find_submissions
from autograder.labs import Lab, find_labs
from autograder.rooms.control import GRACE, Limits
from autograder.simulation import answered, reference_answers, simulate
from labkit.forkserver import Server
from tests.classroom import CHROMIUM, dangers, open_in_chromium, text_of

Command = Callable[..., tuple[int, str, str]]
GRADE = [sys.executable, "-m", "labkit.cli", "grade", "--json", "rows.json"]
proof = pytest.mark.proof
sizes = pytest.mark.parametrize


def hand_in(lab: Lab, student: str, **answers: str) -> None:
    """The reference answers, with these put in their place."""
    path = lab.root / "course" / "submitted" / student / lab.name / lab.release.name
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(lab.release, as_version=4)
    path.write_text(dumps(answered(notebook, reference_answers(lab) | answers)))


def contents(course: Path) -> dict[str, Any]:
    """All that a run leaves: what nbgrader's tables say, without ids and times, and the autograded notebooks."""
    queries = {
        "questions": "select c.name, g.max_score from grade_cells g join base_cell c on c.id = g.id",
        "submissions": "select s.student_id, a.name from submitted_assignment s join assignment a "
        "on a.id = s.assignment_id",
        "grades": "select s.student_id, c.name, g.auto_score, g.manual_score, g.extra_credit from grade g "
        "join base_cell c on c.id = g.cell_id join submitted_notebook n on n.id = g.notebook_id "
        "join submitted_assignment s on s.id = n.assignment_id",
        "comments": "select s.student_id, c.name, m.auto_comment, m.manual_comment from comment m "
        "join base_cell c on c.id = m.cell_id join submitted_notebook n on n.id = m.notebook_id "
        "join submitted_assignment s on s.id = n.assignment_id",
    }
    with sqlite3.connect(course / "gradebook.db") as database:
        tables = {name: sorted(map(str, database.execute(query))) for name, query in queries.items()}
    pages = {
        str(path.relative_to(course)): path.read_text()
        for path in sorted(course.glob("autograded/*/*/*.ipynb"))
    }
    left = sorted(path.name for path in course.glob(".*") if path.name.startswith((".staged", ".secret-")))
    return {**tables, "pages": pages, "left": left}


def rows_of(path: Path) -> dict[str, Any]:
    """The rows of `grade --json` without what depends on the moment."""
    rows = json.loads(path.read_text())["submissions"]
    return {row["student"]: {k: v for k, v in row.items() if k not in ("seconds", "cached")} for row in rows}


def environment(root: Path) -> dict[str, str]:
    return {**os.environ, "LABBOOK_ROOT": str(root), "COLUMNS": "200"}


@sizes(
    ("students", "kills"), [(4, 2), pytest.param(40, 20, marks=proof)], ids=["a few", "twenty kills of forty"]
)
def test_a_killed_run_is_ended_by_the_next_as_if_nothing_had_been(
    lab: Lab, students: int, kills: int
) -> None:
    simulate([lab], students, 5, lab.root / "course" / "submitted")
    hand_in(lab, "rejected")
    (lab.root / "course/submitted/rejected/01_toy/toy.ipynb").write_text("{")
    course, whole = lab.root / "course", lab.root / "whole"
    cache.read_secret(cache.open_course(course))
    shutil.copytree(course, whole)

    def run(folder: Path, seconds: float | None = None) -> float:
        began = time.monotonic()
        process = subprocess.Popen(
            [*GRADE, "--course", folder, folder / "submitted"],
            cwd=lab.root,
            env=environment(lab.root),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            _, err = process.communicate(timeout=seconds)
            assert process.returncode == 1, err  # one is rejected
            assert "Traceback" not in err
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        return time.monotonic() - began

    Server.connect()
    longest = run(whole)
    expected, rows = contents(whole), rows_of(lab.root / "rows.json")
    assert len(expected["submissions"]) == students + 1
    assert len(expected["pages"]) == students + 1
    assert expected["left"] == []
    moments = random.Random(students)
    fresh = lab.root / "fresh"
    shutil.copytree(course, fresh)
    for _ in range(kills):
        shutil.rmtree(course)
        shutil.copytree(fresh, course)
        moment = moments.uniform(0.1, 0.95) * longest
        run(course, moment)
        run(course)
        assert contents(course) == expected, f"killed after {moment:.2f} s of {longest:.2f} s"
        assert rows_of(lab.root / "rows.json") == rows


HOSTILE = {
    "exits": "import os\nos._exit(0)",
    "loops": "while True: pass",
    "sleeps": "import time\ntime.sleep(999)",
    "kills itself": "import os\nos.kill(os.getpid(), 9)",
    "takes all memory": "x = [bytearray(1 << 24) for _ in range(10**6)]",
    "segfaults": "import ctypes\nctypes.string_at(0)",
    "aborts": "import os\nos.abort()",
    "starts threads": "import threading, time\n"
    "for _ in range(10**4): threading.Thread(target=time.sleep, args=(99,)).start()",
    "forks": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "fills the disk": "i = 0\nwhile True: open(str(i), 'wb').write(b'1' * (30 << 20)); i += 1",
    "writes files": "i = 0\nwhile True:\n    for folder in ('.', '/tmp', '/dev/shm', '/var/tmp'):\n"
    "        try: open(f'{folder}/hostile-{i}', 'w').close()\n        except OSError: pass\n    i += 1",
    "prints": "while True: print('x' * 10**6)",
    "stops itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "swallows": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "blocks signals": "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n"
    "while True: pass",
    "runs commands": "import subprocess\nsubprocess.Popen(['sleep', '4321'])",
    "daemon": "import os\nos.system('nohup sleep 4321 &')\nwhile True: pass",
    "listens": "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()",
    "closes": "import os\nos.closerange(0, 200)",
    "recurses": "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
}
SHORT = {
    "cell_seconds": 3.0,
    "question_seconds": 3.0,
    "notebook_seconds": 20.0,
    "memory": 400 << 20,
    "disk": 64 << 20,
}


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Limits of the grader for tests that wait for them."""
    defaults = [SHORT.get(name, field.default) for name, field in Limits.__dataclass_fields__.items()]
    monkeypatch.setattr(Limits.__init__, "__defaults__", tuple(defaults))
    return Limits()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server.connect()
    yield found
    rooms = found.path.with_suffix(".rooms")
    children = Path(f"/proc/{found.pid}/task/{found.pid}/children")
    end = time.monotonic() + 5
    while time.monotonic() < end and (children.read_text() or list(rooms.iterdir())):
        time.sleep(0.05)
    assert children.read_text() == ""
    assert list(rooms.iterdir()) == []


def commands() -> set[str]:
    """What runs on this machine, as far as we may see."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not walls.landlock_abi(), reason="this kernel has no Landlock")
@sizes(("honest", "hostile"), [(6, 2), pytest.param(40, 20, marks=proof)], ids=["a few", "forty and twenty"])
def test_hostile_submissions_cost_nobody_else_anything(
    lab: Lab, short_limits: Limits, server: Server, honest: int, hostile: int
) -> None:
    submitted = lab.root / "course" / "submitted"
    simulate([lab], honest, 7, submitted)

    def grade(course: Path) -> tuple[dict[str, grading.Row], float]:
        began = time.monotonic()
        submissions, _ = find_submissions(submitted, [lab])
        with ThreadPoolExecutor(2) as executor:
            rows = grading.grade(lab.root, cache.open_course(course), submissions, executor)
        return {row.student: row for row in rows}, time.monotonic() - began

    alone, seconds = grade(lab.root / "alone")
    for name in list(HOSTILE)[:hostile]:
        hand_in(lab, name, biases=HOSTILE[name])
    among, longer = grade(lab.root / "among")
    for student, row in alone.items():
        assert (among[student].status, among[student].score) == (row.status, row.score)
        assert among[student].questions == row.questions
    for name in list(HOSTILE)[:hostile]:
        row = among[name]
        assert row.questions["output-size"]["points"] == 3, name
        assert row.questions["softmax"]["points"] == 2, name
        assert row.questions["biases"]["points"] == 0, name
        assert row.seconds <= short_limits.notebook_seconds + GRACE + 2, name
    # Each is tried again at most once, alone: twice its own time and a little for starting rooms and recording.
    own = sum(among[name].seconds for name in list(HOSTILE)[:hostile])
    assert longer - seconds <= 2 * own + 5 * hostile, (longer, seconds, own)
    assert not [command for command in commands() if "4321" in command]
    assert not [
        path for folder in ("/tmp", "/dev/shm", "/var/tmp") for path in Path(folder).glob("hostile-*")
    ]
    recorded = {score.student: score.score for score in gradebook.read_scores(lab.root / "among", [lab])}
    assert recorded == {student: row.score for student, row in among.items()}


def change(lab: Lab, *pairs: tuple[str, str]) -> None:
    """Edit the lab's source and build it again."""
    source = lab.source.read_text()
    for old, new in pairs:
        assert old in source
        source = source.replace(old, new)
    lab.source.write_text(source)
    build([lab])


def graded(labbook: Command, lab: Lab) -> dict[str, Any]:
    """Grade; all is recorded."""
    code, _, err = labbook("grade", "--json", lab.root / "rows.json")
    assert code == 0, err
    return rows_of(lab.root / "rows.json")


def give_by_hand(lab: Lab, student: str, question: str, points: float, extra: float) -> None:
    with gradebook.Gradebook(gradebook.database(lab.root / "course")) as book:
        grade = book.find_grade(f"test-{question}", lab.title, lab.name, student)
        grade.manual_score, grade.extra_credit = points, extra
        book.db.commit()


def scores(lab: Lab) -> dict[str, float]:
    return {score.student: score.score for score in gradebook.read_scores(lab.root / "course", [lab])}


def test_tests_may_change_after_the_hand_in(lab: Lab, labbook: Command) -> None:
    hand_in(lab, "ana")
    hand_in(lab, "ben", biases="biases = 7")
    graded(labbook, lab)
    give_by_hand(lab, "ana", "softmax", 0.5, 0.25)
    assert scores(lab) == {"ana": 4.75, "ben": 5}
    change(lab, ("lambda: biases, 6, wrong", "lambda: biases, 7, wrong"), ("points=1", "points=4"))
    rows = graded(labbook, lab)
    assert {student: row["score"] for student, row in rows.items()} == {"ana": 5, "ben": 9}
    assert scores(lab) == {"ana": 3.75, "ben": 9}


NEW = """# %% answer="channels"
channels = None  # an int: how many channels a colour image has
### BEGIN SOLUTION
channels = 3
### END SOLUTION

# %% test="channels" points=2
q = check.question("channels", points=2)
q.equal("red, green, blue", lambda: channels, 3)
q.score()

# %% [markdown]
# ## Softmax
"""


def test_questions_may_come_and_go_after_the_hand_in(lab: Lab, labbook: Command) -> None:
    hand_in(lab, "ana")
    hand_in(lab, "ben", softmax="softmax = None")
    graded(labbook, lab)
    give_by_hand(lab, "ana", "output-size", 2.5, 0.5)
    give_by_hand(lab, "ben", "biases", 0.5, 0)
    source = lab.source.read_text()
    start, end = source.index('# %% answer="biases"'), source.index("# %% [markdown]\n# ## Softmax")
    change(lab, (source[start:end], ""), ("# %% [markdown]\n# ## Softmax\n", NEW))
    hand_in(lab, "cleo", channels="channels = 3")
    rows = graded(labbook, lab)
    assert {student: (row["score"], row["max_score"]) for student, row in rows.items()} == {
        "ana": (5, 7),
        "ben": (3, 7),
        "cleo": (7, 7),
    }
    assert rows["ana"]["questions"]["channels"]["status"] == "not_attempted"
    assert scores(lab) == {"ana": 5, "ben": 3, "cleo": 7}  # ana's 3 is 2.5 by hand and 0.5 extra
    tables = contents(lab.root / "course")
    assert not [line for line in tables["grades"] + tables["comments"] if "biases" in line]
    assert len([line for line in tables["grades"] if "test-channels" in line]) == 3
    assert graded(labbook, lab) == rows


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folders_that_cannot_be_read_are_told_and_stop_nobody(lab: Lab, labbook: Command) -> None:
    for student in ("a", "b", "c", "d"):
        hand_in(lab, student)
    submitted = lab.root / "course" / "submitted"
    stamp = submitted / "d" / lab.name / "timestamp.txt"
    stamp.write_text("2026-01-02 03:04:05 UTC")
    closed = [submitted / "b", submitted / "c" / lab.name, stamp]
    for path in closed:
        path.chmod(0)
    code, _, err = labbook("grade", "--json", lab.root / "rows.json")
    for path in closed:
        path.chmod(0o700)
    rows = json.loads((lab.root / "rows.json").read_text())["submissions"]
    told = {row["student"]: (row["status"], row["score"]) for row in rows}
    assert (code, told) == (1, {"a": ("graded", 6), "c": ("rejected", 0), "d": ("graded", 6)})
    assert "passed over" in err
    assert "Traceback" not in err


def test_a_locked_gradebook_is_one_line_and_loses_nothing(
    lab: Lab, labbook: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(lab, "ana")
    graded(labbook, lab)
    before = contents(lab.root / "course")
    hand_in(lab, "ben")
    with sqlite3.connect(lab.root / "course" / "gradebook.db", isolation_level=None) as other:
        other.execute("begin exclusive")
        code, _, err = labbook("grade")
        other.execute("rollback")
    assert code == 2
    assert "Traceback" not in err
    assert "gradebook.db cannot be used (database is locked)" in err
    assert contents(lab.root / "course") == before
    assert graded(labbook, lab)["ben"]["score"] == 6


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a small disk")
def test_a_full_disk_is_one_line_and_loses_nothing(lab: Lab, labbook: Command) -> None:
    submitted = lab.root / "submitted"
    simulate([lab], 3, 5, submitted)
    disk = lab.root / "course"
    disk.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=180k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a disk")
    try:
        code, out, err = labbook("grade", submitted, "--json", lab.root / "rows.json")
        assert code in (1, 2)
        assert "Traceback" not in err + out
        assert "No space left" in err + out or "disk is full" in err + out, err + out
        subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
        code, _, err = labbook("grade", submitted, "--json", lab.root / "rows.json")
        assert code == 0, err
        rows = rows_of(lab.root / "rows.json")
        got = contents(disk)
        assert {s.student: s.score for s in gradebook.read_scores(disk, find_labs(lab.root))} == {
            student: row["score"] for student, row in rows.items()
        }
        assert len(got["pages"]) == 3
        assert got["left"] == []
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_two_who_grade_one_course_at_once_are_told(lab: Lab, labbook: Command) -> None:
    hand_in(lab, "ana")
    with cache.alone(cache.open_course(lab.root / "course")):
        code, _, err = labbook("grade")
    assert code == 2
    assert "Another grading is at work" in err
    assert graded(labbook, lab)["ana"]["score"] == 6


SHOWN = {
    "html": "from IPython.display import HTML, Javascript, SVG, display\n"
    "display(HTML('<script>alert(1)</script><img src=x onerror=alert(2)>'))\ndisplay(Javascript('alert(3)'))\n"
    'display(SVG(data=\'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(4)"></svg>\'))\ncount = 0',
    "bundle": "from IPython.display import display\ndisplay({'text/html': '<iframe src=\"https://example.org\">',"
    " 'application/javascript': 'alert(5)', 'image/svg+xml': '<svg onload=alert(6)>',"
    " 'image/png': 'x\" onerror=\"alert(7)', 'text/plain': '<b onclick=alert(8)>'}, raw=True)\ncount = 0",
    "error": "class Oops(Exception): pass\nOops.__name__ = '<script>alert(9)</script>'\n"
    "raise Oops('<style>*{background:url(https://example.org)}</style>')",
    "paths": "import os, sys\nprint(os.getcwd(), sys.prefix, __file__ if '__file__' in globals() else '')\n"
    "import traceback\ntry: open('/root/secret')\nexcept OSError: traceback.print_exc()\nraise OSError(os.getcwd())",
    "frames": "import gc, inspect\nfor o in gc.get_objects():\n"
    "    if isinstance(o, str) and 'HIDDEN' in o: print(o[:2000])\n"
    "print([f.filename for f in inspect.stack()])\nprint(open('/proc/self/cmdline').read())\ncount = 0",
    "controls": "print('\\x1b]8;;javascript:alert(10)\\x1b\\\\link\\x1b]8;;\\x1b\\\\ \\u202e\\x00\\x08')\n"
    "print('<!-- --><plaintext>')\ncount = 0",
    "comment": "# </pre></details><script>alert(11)</script>\ncount = 0  # <img src=x onerror=alert(12)>",
}
MARKED = "[a](javascript:alert(13)) <a href='data:text/html,<script>alert(14)</script>'>b</a> ![c](https://example.org/c.png)"


@pytest.mark.skipif(not walls.landlock_abi(), reason="this kernel has no Landlock")
def test_feedback_of_a_hostile_class_is_harmless(lab: Lab, labbook: Command) -> None:
    for name, source in SHOWN.items():
        hand_in(lab, name, biases=source)
        path = lab.root / "course" / "submitted" / name / lab.name / lab.release.name
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.insert(2, nbformat.v4.new_markdown_cell(MARKED))
        path.write_text(dumps(notebook))
    rows = graded(labbook, lab)
    assert {row["score"] for row in rows.values()} == {5.0}
    code, _, err = labbook("feedback")
    assert code == 0, err
    pages = sorted((lab.root / "course" / "feedback").glob("*/*/*.html"))
    assert len(pages) == len(SHOWN)
    source = lab.source.read_text()
    hidden = re.findall(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", source, re.DOTALL)
    lines = {line.strip() for text in hidden for line in text.splitlines() if len(line.strip()) > 12}
    lines -= {line.strip() for text in reference_answers(lab).values() for line in text.splitlines()}
    assert lines
    for page in pages:
        html = page.read_text()
        assert dangers(html) == [], page
        text = text_of(html)
        assert not [line for line in lines if line in text], page
        assert not re.search(
            rf"{re.escape(str(lab.root))}|{re.escape(sys.prefix)}|/(tmp|dev/shm)/labbook", html
        ), page
    if Path(CHROMIUM).exists():
        assert open_in_chromium(pages, "light", 800) == []
