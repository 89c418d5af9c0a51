"""Grade a class: examine in parallel what is new, and let nbgrader record one by one what has been examined."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from autograder import cache
from autograder.cells import kind, question
from autograder.examination import Examination, Limits, is_lost
from autograder.intake import Rejected, Submission, as_text, read_submission
from autograder.transplant import transplanted
from autograder.walls import WallsMissing
from autograder.worker import examine_submission
from labkit.errors import LabbookError
from labkit.forkserver import ServerError

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


@dataclass
class Row:
    """The end of one submission: an entry of ``submissions`` in ``labbook grade --json``."""

    student: str
    lab: str
    status: Literal["graded", "partly", "rejected"] = "graded"
    score: float = 0.0
    max_score: float = 0.0
    seconds: float = 0.0
    cached: bool = False
    message: str = ""
    questions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able built-in types."""
        return asdict(self)


@dataclass
class _Job:
    """A submission on its way: where its examination is kept, or why there is none."""

    submission: Submission
    row: Row
    key: str = ""
    rejected: str = ""
    not_recorded: str = ""


def grade(
    root: Path,
    course: Path,
    submissions: Sequence[Submission],
    executor: Executor,
    *,
    force: bool = False,
    unsafe: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> list[Row]:
    """Grade submissions and record them.

    Args:
        root: the lab book.
        course: the folder of gradebook, secret and examinations.
        submissions: from `autograder.intake.find_submissions`.
        executor: where the examinations run.
        force: examine again what has been examined.
        unsafe: go on where this machine cannot wall off what students wrote.
        progress: told what has been done.

    Returns:
        A row for every submission, in their order: a score or a reason.
    """
    with cache.alone(course), ExitStack() as held:
        limits = Limits()
        jobs, waiting = _submit(course, submissions, executor, limits, force, unsafe)
        ready = _examined(course, jobs, waiting, executor, limits, unsafe, progress)
        known: dict[str, dict[str, dict[str, float | None]]] = {}
        progress("recording", 0, len(jobs))
        for done, job in enumerate(ready, 1):
            from autograder import (
                gradebook,  # nbgrader takes seconds to import: the workers are busy meanwhile
            )

            lab = job.submission.lab
            if not known:
                held.enter_context(gradebook.held_open(course))
            if lab.name not in known:
                known[lab.name] = gradebook.auto_scores(course, lab)
            _record(root, course, job, known[lab.name].get(job.submission.student, {}))
            progress("recording", done, len(jobs))
    return [job.row for job in jobs]


def _prepare(course: Path, submission: Submission, limits: Limits) -> _Job:
    job = _Job(submission, Row(as_text(submission.student), submission.lab.name))
    try:
        notebook = transplanted(submission.lab, read_submission(submission))
        job.key = cache.key(course, submission.lab, notebook, limits)
    except Rejected as error:
        job.rejected = str(error)
        notebook = transplanted(submission.lab, [], job.rejected)
    job.row.max_score = sum(float(c.metadata.nbgrader.points) for c in notebook.cells if kind(c) == "test")
    job.row.questions = {
        question(c): {
            "points": 0.0,
            "max_points": float(c.metadata.nbgrader.points),
            "status": "error",
            "misconceptions": [],
            "message": job.rejected,
        }
        for c in notebook.cells
        if kind(c) == "test"
    }
    return job


def _submit(
    course: Path,
    submissions: Sequence[Submission],
    executor: Executor,
    limits: Limits,
    force: bool,
    unsafe: bool,
) -> tuple[list[_Job], dict[Future[bool], list[_Job]]]:
    """All jobs, and those of them that each examination under way is for: equal notebooks are examined once."""
    jobs = []
    wanted: dict[str, list[_Job]] = {}
    waiting: dict[Future[bool], list[_Job]] = {}
    for submission in submissions:
        job = _prepare(course, submission, limits)
        jobs.append(job)
        job.row.cached = bool(job.key) and not force and cache.load(course, job.key) is not None
        if not job.key or job.row.cached:
            continue
        if job.key not in wanted:
            future = executor.submit(examine_submission, course, submission, limits, job.key, unsafe)
            waiting[future] = wanted[job.key] = []
        wanted[job.key].append(job)
    return jobs, waiting


def _examined(
    course: Path,
    jobs: Sequence[_Job],
    waiting: Mapping[Future[bool], list[_Job]],
    executor: Executor,
    limits: Limits,
    unsafe: bool,
    progress: Progress,
) -> Iterator[_Job]:
    """The jobs, each as soon as its examination is in the cache: those that lost a room come last, one by one."""
    progress("examining", 0, len(waiting))
    yield from (job for job in jobs if job.row.cached or not job.key)
    again = []
    for done, future in enumerate(as_completed(waiting), 1):
        progress("examining", done, len(waiting))
        if _finished(future, waiting[future]):
            yield from waiting[future]
        else:
            again.append(waiting[future])
    for done, same in enumerate(again, 1):
        first = same[0]
        future = executor.submit(
            examine_submission, course, first.submission, limits, first.key, unsafe, True
        )
        _finished(future, same)
        progress("once more, alone", done, len(again))
        yield from same


def _finished(future: Future[bool], jobs: Sequence[_Job]) -> bool:
    """Whether the examination was kept, or will never be; an error of ours becomes the row's reason."""
    try:
        return future.result()
    except (WallsMissing, ServerError) as error:
        raise LabbookError(f"{error} Grading is stopped; what is done is kept.") from None
    except Exception as error:
        for job in jobs:
            job.not_recorded = f"It could not be examined: {type(error).__name__}: {error}"
        return True


def _record(root: Path, course: Path, job: _Job, scores: Mapping[str, float | None]) -> None:
    """Record one submission, unless its very examination is recorded already, and fill its row."""
    from autograder import gradebook

    row = job.row
    found = cache.load(course, job.key) if job.key else None
    if found is None and not job.rejected:
        row.status, row.message = "rejected", job.not_recorded or "Its examination is missing: grade again."
        job.rejected = row.message
    points = {name: float(result["points"]) for name, result in found.questions.items()} if found else {}
    try:
        if not found or not gradebook.is_recorded(course, job.submission, job.key, points, scores):
            gradebook.record(root, course, job.submission, job.rejected, job.key if found else "")
    except LabbookError as error:
        row.status, row.message = "rejected", f"Not recorded. {error}"
        return
    if found is None:
        row.status, row.message = "rejected", job.rejected
        return
    _fill(row, found)


def _fill(row: Row, found: Examination) -> None:
    row.seconds = found.seconds
    row.status = "partly" if is_lost(found) else "graded"
    for name, result in found.questions.items():
        row.questions[name] = {key: result[key] for key in row.questions[name]}
    row.score = round(sum(entry["points"] for entry in row.questions.values()), 6)


def to_json(rows: Sequence[Row], seconds: float) -> dict[str, Any]:
    """The document that ``labbook grade --json`` writes."""
    return {
        "schema": 1,
        "submissions": [row.to_dict() for row in rows],
        "totals": {"submissions": len(rows), "seconds": round(seconds, 3)},
    }
