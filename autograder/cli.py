"""The instructor's subcommands of ``labbook``."""

import ast
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand

from labkit import doctor
from labkit.cli import JsonOption, err, out, write_json
from labkit.errors import LabbookError
from labkit.workspace import find_root

if TYPE_CHECKING:
    from autograder.execution import Run
    from autograder.grading import Row

LabsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[LAB]...", help="Labs; all if none is named.")
]
LabOption = Annotated[list[str] | None, typer.Option("--lab", help="Only this lab; may be repeated.")]
CourseOption = Annotated[
    Path | None, typer.Option("--course", metavar="DIR", help="Gradebook and results; course/ if not given.")
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="How many at a time; the cores if not given.")
]


def add_commands(app: typer.Typer) -> None:
    """Add the instructor's subcommands; called through the entry point."""
    for command in (build, grade, feedback, report, simulate, demo):
        app.command()(command)
    app.command(cls=_RunCommand)(run)
    if look_at_walls not in doctor.examinations:
        doctor.examinations.append(look_at_walls)


def look_at_walls() -> list[doctor.Finding]:
    """The walls that this machine gives, for `labbook doctor`."""
    from autograder import walls

    remedy = "Grading refuses without it; --unsafe grades with your own rights. SECURITY.md says what each wall needs."
    return [
        doctor.Finding(f"Wall: {wall.wall}", "ok", "holds")
        if wall.ok
        else doctor.Finding(f"Wall: {wall.wall}", "broken", wall.reason, remedy)
        for wall in walls.available()
    ]


class _RunCommand(TyperCommand):
    """Lets ``-p NAME VALUE`` take two words, which Typer has no type for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join the two words into one."""
        joined, words = [], iter(args)
        for word in words:
            if word == "-p":
                joined += ["-p", f"{next(words, '')}={next(words, '')}"]
            else:
                joined.append(word)
        return super().parse_args(ctx, joined)


def build(
    labs: LabsArgument = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail where a file differs.")] = False,
) -> None:
    """Build the solutions' and the students' notebooks from their sources."""
    from autograder.build import build as build_labs
    from autograder.labs import find_labs

    root = find_root()
    found = find_labs(root, labs or ())
    with err.status(f"Building {len(found)} labs …"):
        told = build_labs(found, check)
    for line in told:
        out.print(line, markup=False)
    if check and told:
        raise LabbookError(
            "These files are not what their source gives: run `labbook build` and look at the changes."
        )
    out.print(f"{len(found)} {_labs(found)} " + ("as their sources say." if check else "built."))


def run(
    labs: LabsArgument = None,
    scale: Annotated[
        str, typer.Option(help="smoke (embedded data, seconds) or full (real data, minutes).")
    ] = "smoke",
    parameter: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME VALUE", help="Set a parameter of the notebooks.")
    ] = None,
    jobs: JobsOption = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where executed notebooks go.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Take the outputs into solutions/ (smoke scale).")
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Execute the solutions with papermill and report their metrics."""
    from autograder import execution
    from autograder.labs import find_labs

    root = find_root()
    found = find_labs(root, labs or ())
    if scale not in ("smoke", "full"):
        raise LabbookError(f"No scale {scale!r}: there are smoke and full.")
    parameters = {"SCALE": scale, **dict(_parameter(text) for text in parameter or ())}
    if update and (scale != "smoke" or parameter):
        raise LabbookError("--update takes the outputs of a plain smoke run: leave out --scale and -p.")
    execution.check_parameters(found, parameters)
    target = out_dir or root / "course" / "runs" / scale
    runs = _execute(root, found, parameters, target, jobs)
    device = execution.device()
    _print_runs(runs, device)
    for lab, done in zip(found, runs, strict=True):
        if update and done.status == "ok":
            execution.update_solution(lab, Path(done.notebook))
    write_json(json_file, execution.to_json(runs, scale, device))  # type: ignore[arg-type]
    if any(done.status != "ok" for done in runs):
        raise typer.Exit(1)


def grade(
    submitted: Annotated[
        Path | None,
        typer.Argument(metavar="[SUBMITTED_DIR]", help="Hand-ins: <student>/<NN_name>/<name>.ipynb."),
    ] = None,
    lab: LabOption = None,
    course: CourseOption = None,
    jobs: JobsOption = None,
    force: Annotated[bool, typer.Option("--force", help="Examine again what has been examined.")] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Go on where this machine cannot wall off the students' code.")
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Grade what students handed in: every submission ends with a score or a reason."""
    root = find_root()
    folder = _course(root, course)
    rows = _grade(root, folder, submitted or folder / "submitted", lab or (), jobs, force, unsafe, json_file)
    if any(row.status == "rejected" for row in rows):
        raise typer.Exit(1)


def feedback(lab: LabOption = None, course: CourseOption = None) -> None:
    """Write a feedback page for every graded submission."""
    from autograder.feedback import write_feedback
    from autograder.labs import find_labs

    root = find_root()
    folder = _course(root, course)
    with _bar() as progress:
        pages = write_feedback(root, folder, find_labs(root, lab or ()), progress=progress)
    if not pages:
        raise LabbookError(f"Nothing graded in {folder}: run `labbook grade` first.")
    out.print(f"{len(pages)} pages in {folder / 'feedback'}", markup=False)


def report(lab: LabOption = None, course: CourseOption = None, json_file: JsonOption = None) -> None:
    """Write the class report: scores, questions, and what the class misunderstood."""
    from autograder.labs import find_labs
    from autograder.report import summary, write_report

    root = find_root()
    folder = _course(root, course)
    found = find_labs(root, lab or ())
    if not (folder / "gradebook.db").is_file():
        raise LabbookError(f"Nothing graded in {folder}: run `labbook grade` first.")
    path = write_report(folder, found, folder / "report.html")
    write_json(json_file, summary(folder, found))
    out.print(str(path), markup=False)


def simulate(
    students: Annotated[int, typer.Option(help="How many.", min=1)],
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the hand-ins go.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same class.", min=0)] = 0,
    lab: LabOption = None,
) -> None:
    """Make up a class from the labs' variants: for demonstrations and for load."""
    from autograder import simulation
    from autograder.labs import find_labs

    written = simulation.simulate(find_labs(find_root(), lab or ()), students, seed, to)
    out.print(f"{len(written)} notebooks in {to}", markup=False)


def demo(
    all_labs: Annotated[bool, typer.Option("--all", help="Every lab, not only the first.")] = False,
    students: Annotated[int, typer.Option(help="How many simulated students.", min=1)] = 12,
) -> None:
    """Build, run, simulate a class, grade it, report: the whole way in one command."""
    import shutil

    from autograder.build import build as build_labs
    from autograder.feedback import write_feedback
    from autograder.labs import find_labs
    from autograder.report import write_report
    from autograder.simulation import simulate as simulate_class

    root = find_root()
    found = find_labs(root) if all_labs else find_labs(root)[:1]
    folder = root / "course" / "demo"
    out.rule("Build")
    told = build_labs(found, check=True)
    if told:
        raise LabbookError(f"{told[0]}. Run `labbook build`.")
    out.print(f"{len(found)} {_labs(found)} as their sources say.")
    out.rule("Run the solutions")
    runs = _execute(root, found, {"SCALE": "smoke"}, folder / "runs", None)
    _print_runs(runs, "CPU")
    out.rule("Grade a simulated class")
    shutil.rmtree(folder / "submitted", ignore_errors=True)
    simulate_class(found, students, seed=0, out=folder / "submitted")
    rows = _grade(
        root,
        _course(root, folder),
        folder / "submitted",
        [lab.name for lab in found],
        None,
        False,
        True,
        None,
    )
    with _bar() as progress:
        pages = write_feedback(root, folder, found, progress=progress)
    page = write_report(folder, found, folder / "report.html")
    out.rule("What there is to see")
    for done in runs:
        out.print(f"executed solution  {done.notebook}", markup=False, soft_wrap=True)
    out.print(f"feedback           {folder / 'feedback'} ({len(pages)} pages)", markup=False, soft_wrap=True)
    out.print(f"report             {page}", markup=False, soft_wrap=True)
    if any(done.status != "ok" for done in runs) or any(row.status == "rejected" for row in rows):
        raise typer.Exit(1)


def _labs(found: list[Any]) -> str:
    return "lab is" if len(found) == 1 else "labs are"


def _parameter(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not name or not found or not value:
        raise LabbookError("-p takes a name and a value: -p SEED 1")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def _course(root: Path, course: Path | None) -> Path:
    from autograder.cache import open_course

    return open_course((course or root / "course").resolve())


def _cores() -> int:
    return len(os.sched_getaffinity(0))


@contextmanager
def _examiners(jobs: int) -> Iterator[Executor]:
    """Threads, each of which waits for the rooms of one submission: the work is done there."""
    executor = ThreadPoolExecutor(jobs)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown()


@contextmanager
def _workers(jobs: int) -> Iterator[Executor]:
    """Processes of their own: papermill changes its process's folder and environment."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_prepare_worker) as executor:
        yield executor


def _prepare_worker() -> None:
    """Ctrl-C is the parent's. Libraries and kernels log at length; rows and reports say in a word what matters."""
    logging.disable(logging.CRITICAL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """The rate, once there is one."""
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")


@contextmanager
def _handler(signum: int, handler: Any) -> Iterator[None]:
    """Handle a signal so for a while."""
    before = signal.signal(signum, handler)
    try:
        yield
    finally:
        signal.signal(signum, before)


@contextmanager
def _bar() -> Iterator[Any]:
    """A progress bar: what is yielded is told (what, done, total), and raises a Ctrl-C that a library swallowed."""
    pressed: list[int] = []

    def note(signum: int, frame: Any) -> None:
        pressed.append(signum)
        signal.default_int_handler(signum, frame)

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with _handler(signal.SIGINT, note), Progress(*columns, console=err, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if pressed and threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tell


def _execute(
    root: Path, labs: list[Any], parameters: dict[str, Any], target: Path, jobs: int | None
) -> "list[Run]":
    from autograder.execution import run_labs

    jobs = min(jobs or _cores(), len(labs)) or 1
    with get_context("spawn").Manager() as manager, _workers(jobs) as executor, _bar() as progress:
        events = manager.Queue()

        def drain() -> None:
            while not events.empty():
                progress(*events.get())

        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.2):
                drain()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            return run_labs(labs, parameters, target, executor, max(1, _cores() // jobs), events)
        finally:
            over.set()
            watcher.join()


def _print_runs(runs: "list[Run]", device: str) -> None:
    table = Table(title=f"Solutions on {device}", box=None, title_justify="left")
    for column in ("lab", "status", "seconds", "metrics"):
        table.add_column(column)
    for done in runs:
        told = [f"{name} {m['value']:.4g} {m['unit']}".strip() for name, m in done.metrics.items()]
        words = (done.lab, done.status, f"{done.seconds:.1f}", done.error or "; ".join(told))
        table.add_row(*map(Text, words))
    out.print(table)


def _grade(
    root: Path,
    course: Path,
    submitted: Path,
    labs: Any,
    jobs: int | None,
    force: bool,
    unsafe: bool,
    json_file: Path | None,
) -> "list[Row]":
    from autograder import grading
    from autograder.intake import find_submissions
    from autograder.labs import find_labs

    if not submitted.is_dir():
        raise LabbookError(
            f"No folder {submitted}: hand-ins lie in <student>/<NN_name>/<name>.ipynb below it."
        )
    submissions, remarks = find_submissions(submitted, find_labs(root, labs))
    for remark in remarks:
        err.print(remark, markup=False)
    if not submissions:
        raise LabbookError(f"No hand-ins in {submitted}: expected <student>/<NN_name>/<name>.ipynb.")
    _require_walls(unsafe)
    _start_server()
    began = time.monotonic()
    with _examiners(min(jobs or _cores(), len(submissions))) as executor, _bar() as progress:
        rows = grading.grade(
            root, course, submissions, executor, force=force, unsafe=unsafe, progress=progress
        )
    seconds = time.monotonic() - began
    _print_rows(rows, seconds)
    write_json(json_file, grading.to_json(rows, seconds))
    return rows


def _require_walls(unsafe: bool) -> None:
    """Refuse where students' code cannot be walled off, unless told to go on."""
    from autograder import walls

    missing = [wall for wall in walls.available() if not wall.ok]
    if not missing:
        return
    told = "; ".join(f"{wall.wall}: {wall.reason}" for wall in missing)
    if not unsafe:
        raise LabbookError(
            f"This machine cannot wall off what students wrote ({told}). See `labbook doctor`; "
            "--unsafe grades all the same, with your rights."
        )
    err.print(f"Without walls, as asked: {told}", markup=False)


def _start_server() -> None:
    """Have the fork server at hand before the clock of grading starts."""
    from labkit.forkserver import Server

    began = time.monotonic()
    with err.status("Starting the fork server: TensorFlow is imported once …"):
        Server.connect()
    if (seconds := time.monotonic() - began) > 1:
        err.print(f"The fork server started in {seconds:.1f} s; it stays for ten idle minutes.")


def _print_rows(rows: "list[Row]", seconds: float) -> None:
    from autograder.intake import printable

    table = Table(box=None)
    for column in ("student", "lab", "status", "score", "remark"):
        table.add_column(column, justify="right" if column == "score" else "left")
    for row in rows:
        words = (row.student, row.lab, row.status, f"{row.score:g} of {row.max_score:g}", row.message)
        table.add_row(*(Text(printable(word)) for word in words))
    out.print(table)
    out.print(f"{len(rows)} submissions in {seconds:.1f} s")
