"""How fast grading is, beside stock nbgrader and beside the work itself: ``make bench``.

Every figure is a ratio or a sum of times that were measured in one run of this script, on one machine:

memory   what a solved notebook of each lab adds to the fork server's memory (PSS, the proportional share) at its peak;
         first of all, since `limit` imports TensorFlow, and whoever maps the same files changes everybody's share
speed    `labbook grade` against `nbgrader autograde` with its own Execute and ordinary kernels, on the same
         submissions of one lab, as handed in and with the explore cells taken out
labs     the same over all labs
limit    100 submissions against 1.3 × (S / cores + 100 × (R + E / cores)): S the cells' own seconds (to compile and to
         run them) in a warm process, R recording one, E starting its empty rooms, all three; imports left out. S, R and
         E are processor seconds while all cores have as much to do as in grading, since cores that share caches and
         memory slow one another, taken between two gradings of the same class, of which the mean counts: machines drift
slope    seconds and memory at 25, 50, 100 and 200 submissions
regrade  200 graded submissions of which one changes
"""

import argparse
import contextlib
import io
import itertools
import json
import math
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat

from autograder import cache, gradebook
from autograder.build import source_notebook
from autograder.cells import kind
from autograder.examination import Limits, examine
from autograder.files import dumps
from autograder.intake import RawCell, find_submissions, read_submission
from autograder.labs import Lab, find_labs
from autograder.rooms import control
from autograder.simulation import reference_answers, simulate
from autograder.transplant import transplanted
from labkit.forkserver import Server

ROOT = Path(__file__).parent.parent
CORES = len(os.sched_getaffinity(0))
STOCK = """
c = get_config()
c.CourseDirectory.course_id = "stock"
c.ExecutePreprocessor.timeout = 600
"""


PARTS = ["memory", "speed", "labs", "limit", "slope", "regrade"]
IMPORTS = "import autograder.cli, autograder.grading, autograder.gradebook, autograder.worker"
# A test that waits for the reading room, and nothing else.
ALL_ROOMS = [
    {
        "id": "test-rooms",
        "kind": "test",
        "source": "from labkit import exchange; exchange.listing(exchange.folder())",
        "points": 0.0,
    }
]


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def warm_server() -> None:
    """Have the fork server at hand, with the rooms' modules; say what that took."""
    print(
        f"  the fork server's start-up: {seconds(lambda: control.examine(Server.connect(), [])):.1f} s",
        flush=True,
    )


def grade(labs: list[Lab], submitted: Path, course: Path) -> tuple[float, int, list[dict[str, Any]]]:
    """Run `labbook grade`: its seconds, the peak memory of its largest process in bytes, and its rows."""
    words = [word for lab in labs for word in ("--lab", lab.name)]
    report = course.parent / f"{course.name}.json"
    command = [sys.executable, "-m", "labkit.cli", "grade", submitted, "--course", course, "--json", report]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    _, _, usage = os.wait4(process.pid, 0)
    return (
        time.monotonic() - began,
        usage.ru_maxrss * 1024,
        json.loads(report.read_text())["submissions"],
    )


def stock(lab: Lab, submitted: Path, folder: Path) -> float:
    """Seconds of nbgrader's own `autograde` in a course of its own."""
    source = folder / "source" / lab.name
    source.mkdir(parents=True)
    (source / lab.solution.name).write_text(dumps(source_notebook(lab)))
    (folder / "nbgrader_config.py").write_text(STOCK)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "LABBOOK_BATCH": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }

    def nbgrader(step: str) -> None:
        ran = subprocess.run(
            ["nbgrader", step, lab.name],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            sys.exit(f"nbgrader {step} failed: {ran.stderr[-2000:]}")

    nbgrader("generate_assignment")
    for student in submitted.iterdir():
        shutil.copytree(student / lab.name, folder / "submitted" / student.name / lab.name)
    return seconds(lambda: nbgrader("autograde"))


def without_explore_cells(submitted: Path, target: Path) -> None:
    """The same submissions, their explore cells taken out."""
    for path in submitted.glob("*/*/*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if kind(cell) != "explore"]
        hand_in(dumps(notebook), target / path.parent.parent.name, path)


def speed(folder: Path, labs: list[Lab], students: int) -> None:
    """Print how many times as fast as stock nbgrader."""
    print(f"speed: {students} submissions of {', '.join(lab.name for lab in labs)}")
    simulate(labs, students, 0, folder / "whole")
    without_explore_cells(folder / "whole", folder / "bare")
    for name, words in (("whole", "as handed in"), ("bare", "explore cells taken out")):
        warm_server()  # it leaves after ten idle minutes, which stock nbgrader may take
        ours, _, rows = grade(labs, folder / name, folder / f"{name}-course")
        theirs = sum(stock(lab, folder / name, folder / f"{name}-{lab.name}") for lab in labs)
        print(
            f"  {words}: nbgrader {theirs:.1f} s, labbook {ours:.1f} s, {len(rows)} rows: "
            f"{theirs / ours:.1f} times as fast",
            flush=True,
        )


def warm_cells(lab: Lab, submitted: Path) -> Callable[[], None]:
    """A function that compiles and runs all submissions' setup, answer and test cells in this warm process."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)

    def run(notebook: Any) -> None:
        cells = [c for c in notebook.cells if kind(c) in ("setup", "parameters", "answer", "test", "extra")]
        names: dict[str, Any] = {"__name__": "__main__"}
        for cell in cells:
            with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                exec(compile(cell.source, cell.id, "exec"), names)

    os.environ["LABBOOK_BATCH"] = "1"
    submissions, _ = find_submissions(submitted, [lab])
    notebooks = [transplanted(lab, read_submission(submission)) for submission in submissions]

    def run_all(most: int | None = None) -> None:
        for notebook in notebooks[:most]:
            run(notebook)

    run_all(3)
    return run_all


def keep_busy(lab: Lab, submitted: Path, ready: Any) -> None:
    """Run the submissions' cells until killed."""
    cells = warm_cells(lab, submitted)
    ready.set()
    while True:
        cells()


@contextlib.contextmanager
def cores_busy(lab: Lab, submitted: Path) -> Iterator[None]:
    """Keep all cores at the same work."""
    processes = multiprocessing.get_context("spawn")
    others = []
    for _ in range(CORES):
        ready = processes.Event()
        others.append((processes.Process(target=keep_busy, args=(lab, submitted, ready)), ready))
        others[-1][0].start()
    for _, ready in others:
        ready.wait(300)
    try:
        yield
    finally:
        for process, _ in others:
            process.kill()
            process.join()


def limit(folder: Path, lab: Lab, students: int = 100) -> None:
    """Print the wall time beside the limit of the job."""
    print(f"limit: {students} submissions of {lab.name} on {CORES} cores")
    submitted = folder / "submitted"
    simulate([lab], students, 1, submitted)
    warm_server()
    before, _, _ = grade([lab], submitted, folder / "before")
    own, recording, empty = parts_of_the_work(lab, submitted, folder / "before", folder / "parts")
    after, _, _ = grade([lab], submitted, folder / "after")
    imports = seconds(lambda: subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, check=True))
    wall = (before + after) / 2 - imports
    most = 1.3 * (own / CORES + students * (recording + empty / CORES))
    print(
        f"  S {own:.1f} s, R {recording:.3f} s, E {empty:.3f} s: the limit is {most:.1f} s; labbook grade took "
        f"{before:.1f} and {after:.1f} s, without imports ({imports:.1f} s) {wall:.1f} s: {wall / most:.2f} of it",
        flush=True,
    )


def parts_of_the_work(lab: Lab, submitted: Path, graded: Path, course: Path) -> tuple[float, float, float]:
    """S, R and E of a class that has been graded, in processor seconds."""
    server = Server.connect()
    submissions, _ = find_submissions(submitted, [lab])
    cache.open_course(course)
    shutil.copytree(graded / ".examined", course / ".examined")
    shutil.copy(graded / ".secret", course / ".secret")
    cells = warm_cells(lab, submitted)
    with gradebook.held_open(course), cores_busy(lab, submitted):
        gradebook.record(ROOT, course, submissions[0])
        own = processor_seconds(cells)
        recording = processor_seconds(
            lambda: [gradebook.record(ROOT, course, submission) for submission in submissions[1:]]
        )
        empty = processor_seconds(lambda: [control.examine(server, ALL_ROOMS) for _ in range(20)], server.pid)
    return own, recording / (len(submissions) - 1), empty / 20


def processor_seconds(work: Callable[[], Any], server: int | None = None) -> float:
    """What this process, and the fork server of this number with its children that have ended, spent on it."""

    def spent() -> float:
        ticks = 0
        if server is not None:
            time.sleep(1)  # until the children are gone
            fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
            ticks = sum(int(field) for field in fields[11:15])
        return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")

    began = spent()
    work()
    return spent() - began


def slope(folder: Path, lab: Lab, sizes: tuple[int, ...] = (25, 50, 100, 200)) -> None:
    """Print seconds and memory at growing sizes, each the same class of 25 so many times over.

    Every copy of a student differs in a comment, so that each is examined. The largest course stays for `regrade`.
    """
    print(f"slope: {lab.name}, as many submissions as")
    warm_server()
    simulate([lab], sizes[0], 2, folder / "class")
    points = []
    for size in sizes:
        for path in sorted((folder / "class").glob("*/*/*.ipynb")):
            for copy in range(size // sizes[0]):
                student = f"{path.parent.parent.name}-{copy}"
                hand_in(changed(path, f"copy {copy}"), folder / f"submitted-{size}" / student, path)
        wall, memory, _ = grade([lab], folder / f"submitted-{size}", folder / f"course-{size}")
        points.append((size, wall))
        print(f"  {size}: {wall:.1f} s, peak memory of its largest process {memory / 1e6:.0f} MB", flush=True)
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(points)]
    middle = statistics.fmean(slopes)
    print(
        "  seconds for each further submission: "
        + ", ".join(f"{value:.3f}" for value in slopes)
        + f"; at most {max(abs(value / middle - 1) for value in slopes):.0%} from their mean"
    )


def changed(path: Path, comment: str) -> str:
    """The notebook with a comment in its first answer."""
    notebook = nbformat.read(path, as_version=4)
    next(cell for cell in notebook.cells if kind(cell) == "answer").source += f"\n# {comment}"
    return dumps(notebook)


def hand_in(notebook: str, student: Path, like: Path) -> None:
    """Put a notebook into the student's folder, under the lab and name of another."""
    copy = student / like.parent.name / like.name
    copy.parent.mkdir(parents=True)
    copy.write_text(notebook)


def regrade(folder: Path, lab: Lab, students: int = 200) -> None:
    """Print what grading again takes after one submission has changed, with the server warm and cold."""
    submitted, course = folder / f"submitted-{students}", folder / f"course-{students}"
    if not course.exists():
        simulate([lab], students, 2, submitted)
        warm_server()
        grade([lab], submitted, course)
    for number, words in enumerate(("warm", "cold")):
        path = sorted(submitted.glob("*/*/*.ipynb"))[number]
        path.write_text(changed(path, words))
        server = Server.connect()
        if words == "cold":
            os.kill(server.pid, 15)
            time.sleep(2)
        wall, _, rows = grade([lab], submitted, course)
        examined = sum(not row["cached"] for row in rows)
        print(
            f"regrade: one of {len(rows)} changed, server {words}: {examined} examined, {wall:.1f} s",
            flush=True,
        )


def memory(labs: list[Lab]) -> None:
    """Print the peak of what the rooms of one submission add to the fork server's proportional share of memory."""
    print("memory: megabytes (PSS) that a submission adds to the fork server's")
    warm_server()
    server = Server.connect()
    for lab in labs:
        cells = [RawCell("code", source, name, name, ()) for name, source in reference_answers(lab).items()]
        notebook = transplanted(lab, cells)
        examine(notebook, "00", Limits(), server)
        time.sleep(1)
        alone = share_of_memory(server.pid)
        peak = 0.0
        with ThreadPoolExecutor(1) as executor:
            examination = executor.submit(examine, notebook, "00", Limits(), server)
            while not examination.done():
                peak = max(peak, share_of_memory(server.pid) - alone)  # as it was, if that is NaN
                time.sleep(0.01)
        print(f"  {lab.name}: {peak / 1e6:.0f}", flush=True)


def share_of_memory(server: int) -> float:
    """Bytes of the proportional share of a process and of its children; NaN if one of them came or went meanwhile.

    Whoever comes or goes changes the share of all others, and a sum of shares from before and after is none.
    """
    processes = alive(server)
    total = 0
    for process in processes:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                total += int(line.split()[1]) * 1024 if line.startswith("Pss:") else 0
    return total if alive(server) == processes else math.nan


def alive(server: int) -> list[str]:
    """A process and its children, without those that have ended and given their memory back."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    processes = []
    for process in (str(server), *children):
        with contextlib.suppress(OSError):
            if not Path(f"/proc/{process}/statm").read_text().startswith("0 "):
                processes.append(process)
    return processes


def choose(words: list[str]) -> argparse.Namespace:
    """What the command's words ask for; all parts where they name none."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    # [] is what argparse makes of no words, and looks for among the choices
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--lab", default="02_alexnet")
    parser.add_argument("--students", type=int, default=20, help="for speed; the other parts say their own")
    chosen = parser.parse_args(words)
    chosen.parts = chosen.parts or PARTS
    return chosen


def main() -> None:
    """Run the parts that are named, or all."""
    chosen = choose(sys.argv[1:])
    lab = find_labs(ROOT, [chosen.lab])[0]
    with tempfile.TemporaryDirectory(prefix="labbook-bench-") as scratch:
        folder = Path(scratch)
        if "memory" in chosen.parts:
            memory(find_labs(ROOT))
        if "speed" in chosen.parts:
            speed(folder / "speed", [lab], chosen.students)
        if "labs" in chosen.parts:
            speed(folder / "labs", find_labs(ROOT), 4)
        if "limit" in chosen.parts:
            limit(folder / "limit", lab)
        if "slope" in chosen.parts:
            slope(folder / "slope", lab)
        if "regrade" in chosen.parts:
            regrade(folder / "slope", lab)


if __name__ == "__main__":
    main()
