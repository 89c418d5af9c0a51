"""nbgrader's gradebook: labs registered, examinations recorded, scores read back."""

import functools
import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import nbgrader.api
import nbgrader.dbutil
from nbformat import NotebookNode
from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    InvalidEntry,
    MissingEntry,
    SolutionCell,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.utils import is_grade, is_solution, parse_utc
from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError

from autograder.cells import grade_id
from autograder.files import write
from autograder.intake import MAX_BYTES, Submission, as_text
from autograder.labs import Lab, find_labs
from autograder.steps import nbgrader_config, run_nbgrader
from labkit import rendering
from labkit.errors import LabbookError

# nbgrader logs the traceback of what it raises, too, and without a handler that would reach the user.
logging.getLogger("tornado.application").addHandler(logging.NullHandler())

_registered: set[tuple[Path, str, int]] = set()


def database(course: Path) -> str:
    """The gradebook's address."""
    return f"sqlite:///{course / 'gradebook.db'}"


# One engine for a gradebook, since an engine keeps the SQL that it has compiled, and nbgrader makes one at every turn.
nbgrader.api.create_engine = functools.lru_cache(maxsize=8)(nbgrader.api.create_engine)


def _schema_version() -> str:
    """The version of nbgrader's tables, for a new gradebook; nbgrader asks a process for it, found by the PATH."""
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(nbgrader.dbutil.ALEMBIC_DIR).get_current_head())


nbgrader.api.get_alembic_version = _schema_version


@event.listens_for(Engine, "connect")
def _do_not_wait_for_the_disk(connection: Any, _: object) -> None:
    """Keep a write-ahead log: nbgrader commits a dozen times a submission, and would wait for the disk each time.

    A killed process loses nothing, a power cut at most what was committed last, which `is_recorded` then misses.
    """
    if isinstance(connection, sqlite3.Connection):
        with suppress(sqlite3.OperationalError):  # it is locked, as the next statement will say
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")


@contextmanager
def held_open(course: Path) -> Iterator[None]:
    """Hold a connection to the gradebook: whenever the last one is closed, SQLite writes its log back and waits.

    Raises:
        LabbookError: it cannot be written.
    """
    with _opened(course) as gradebook:
        gradebook.db.execute(text("BEGIN IMMEDIATE"))
        gradebook.db.commit()
    with closing(
        sqlite3.connect(course / "gradebook.db")
    ) as connection:  # nbgrader closes those of its engine
        connection.execute("PRAGMA user_version").fetchone()
        yield


@contextmanager
def _opened(course: Path) -> Iterator[Gradebook]:
    """The gradebook, for a while.

    Raises:
        LabbookError: it is locked, damaged, or cannot be written.
    """
    try:
        with Gradebook(database(course)) as gradebook:
            yield gradebook
    except (DatabaseError, InvalidEntry) as error:
        cause = str(getattr(error, "orig", error)).removeprefix("(sqlite3.OperationalError) ")
        raise LabbookError(
            f"{course / 'gradebook.db'} cannot be used ({cause}): close what else has it open, make room, and "
            "grade again. What has been examined is kept."
        ) from None


def register(root: Path, course: Path, assignment: str, **_: Any) -> None:
    """Tell the gradebook of a lab's questions, once a process.

    It is nbgrader's pre_convert_hook, too, so that ``nbgrader autograde`` finds the lab in a new gradebook.
    """
    lab = find_labs(root, [assignment])[0]
    if (mark := (course, assignment, lab.solution.stat().st_mtime_ns)) in _registered:
        return
    course.mkdir(parents=True, exist_ok=True, mode=0o700)
    _match_questions(course, lab)
    with tempfile.TemporaryDirectory(prefix="labbook-register-") as scratch:
        config = nbgrader_config(root, course)
        config.CourseDirectory.release_directory = scratch
        run_nbgrader("generate_assignment", config, assignment)
    _registered.add(mark)


def _match_questions(course: Path, lab: Lab) -> None:
    """Add and take away questions where there are submissions already, which nbgrader refuses to do.

    A question that is gone takes its scores along; a new one gets an empty score in every submission. All others keep
    what they have.
    """
    if not (course / "gradebook.db").is_file():
        return
    cells = [cell for cell in nbformat.read(lab.solution, as_version=4).cells if grade_id(cell)]
    with _opened(course) as gradebook:
        try:
            notebook = gradebook.find_notebook(lab.title, lab.name)
        except MissingEntry:
            return
        if not notebook.submissions:
            return
        for known, model, one_for_each, belongs in (
            (notebook.grade_cells, GradeCell, Grade, is_grade),
            (notebook.solution_cells, SolutionCell, Comment, is_solution),
            (notebook.source_cells, SourceCell, None, bool),
        ):
            wanted = {grade_id(cell): cell for cell in cells if belongs(cell)}
            for cell in [cell for cell in known if cell.name not in wanted]:
                for entry in [*getattr(cell, "grades", ()), *getattr(cell, "comments", ())]:
                    gradebook.db.delete(entry)
                gradebook.db.delete(cell)
            for name in wanted.keys() - {cell.name for cell in known}:
                new = model(name=name, notebook=notebook)
                if model is not SolutionCell:
                    new.cell_type = wanted[name].cell_type
                if model is GradeCell:
                    new.max_score = float(wanted[name].metadata.nbgrader.points)
                gradebook.db.add(new)
                gradebook.db.flush()
                if one_for_each:
                    gradebook.db.add_all(
                        one_for_each(cell_id=new.id, notebook=sub) for sub in notebook.submissions
                    )
        gradebook.db.commit()


def record(root: Path, course: Path, submission: Submission, rejected: str = "", name: str = "") -> None:
    """Let nbgrader record one submission, examined already, and make its autograded notebook.

    Args:
        root: the lab book.
        course: the course's folder.
        submission: what was handed in.
        rejected: why there is nothing to examine, if so; every question then gets 0.
        name: of the examination in the cache; noted beside the autograded notebook when all is written, so that
            `is_recorded` knows.
    """
    lab, student = submission.lab, submission.student
    if student != as_text(student).strip() or set(student) & {"[", "\n"}:
        raise LabbookError(
            "nbgrader takes no student's folder with a bracket, a line end, a space at either end or what is no text "
            "in its name: rename it and grade again."
        )
    note = _note(course, submission)
    note.unlink(missing_ok=True)
    register(root, course, lab.name)
    reset_scores(course, lab, student)
    with tempfile.TemporaryDirectory(prefix=".staged-", dir=course) as staged:
        folder = Path(staged) / student / lab.name
        folder.mkdir(parents=True)
        _stage(submission, folder, rejected)
        config = nbgrader_config(root, course)
        config.CourseDirectory.submitted_directory = Path(staged).name
        config.Autograde.pre_convert_hook = None
        config.SubmissionExporter.rejected = {f"{student}/{lab.name}": rejected} if rejected else {}
        run_nbgrader("autograde", config, lab.name, student)
    if name:
        write(note, name)


def _note(course: Path, submission: Submission) -> Path:
    return course / ".recorded" / submission.lab.name / submission.student


def is_recorded(
    course: Path,
    submission: Submission,
    name: str,
    points: Mapping[str, float],
    scores: Mapping[str, float | None],
) -> bool:
    """Whether this very examination stands in the gradebook already.

    Args:
        course: the course's folder.
        submission: what was handed in.
        name: of its examination in the cache.
        points: by question, what the examination says.
        scores: by question, the automatic scores that the gradebook has, from `auto_scores`.
    """
    note = _note(course, submission)
    page = course / "autograded" / submission.student / submission.lab.name / submission.notebook.name
    return page.is_file() and note.is_file() and note.read_text() == name and dict(points) == dict(scores)


def auto_scores(course: Path, lab: Lab) -> dict[str, dict[str, float | None]]:
    """The automatic scores in the gradebook, by student and question."""
    found: dict[str, dict[str, float | None]] = {}
    if not (course / "gradebook.db").is_file():
        return found
    with _opened(course) as gradebook:
        rows = (
            gradebook.db.query(Student.id, GradeCell.name, Grade.auto_score)
            .select_from(Grade)
            .join(GradeCell, Grade.cell_id == GradeCell.id)
            .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
            .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
            .join(Student, SubmittedAssignment.student_id == Student.id)
            .filter(Assignment.name == lab.name)
        )
        for student, question, score in rows:
            found.setdefault(student, {})[question.removeprefix("test-")] = score
    return found


def _stage(submission: Submission, folder: Path, rejected: str) -> None:
    """Copy the notebook, and the time of handing in, where nbgrader reads them: nothing else, and no link."""
    notebook = folder / submission.notebook.name
    if rejected:
        notebook.write_text("{}")
    else:
        shutil.copyfile(submission.notebook, notebook, follow_symlinks=False)
    stamp = submission.folder / "timestamp.txt"
    try:
        if not stamp.is_file() or stamp.is_symlink() or stamp.stat().st_size >= 100:
            return
        told = stamp.read_text(errors="replace")
        parse_utc(told)
    except (ValueError, OverflowError, OSError):  # it is no time, or cannot be read
        return
    (folder / stamp.name).write_text(told)


def reset_scores(course: Path, lab: Lab, student: str) -> None:
    """Forget the automatic scores of an earlier hand-in; what a person gave stays."""
    with _opened(course) as gradebook:
        try:
            notebook = gradebook.find_submission_notebook(lab.title, lab.name, student)
        except MissingEntry:
            return
        for grade in notebook.grades:
            grade.auto_score = 0.0
        gradebook.db.commit()


@dataclass(frozen=True)
class Score:
    """What the gradebook says of one submission, manual scores included.

    Attributes:
        questions: by question, (score, max_score).
    """

    student: str
    lab: str
    score: float
    max_score: float
    questions: dict[str, tuple[float, float]]


def read_scores(course: Path, labs: Sequence[Lab]) -> list[Score]:
    """The recorded scores of these labs, by lab and student."""
    scores = []
    if not (course / "gradebook.db").is_file():
        return []
    with _opened(course) as gradebook:
        for lab in labs:
            for submission in gradebook.assignment_submissions(lab.name) if _known(gradebook, lab) else ():
                questions = {
                    grade.name.removeprefix("test-"): (float(grade.score), float(grade.max_score))
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                }
                scores.append(
                    Score(
                        submission.student.id,
                        lab.name,
                        float(submission.score),
                        float(submission.max_score),
                        questions,
                    )
                )
    return sorted(scores, key=lambda s: (s.lab, s.student))


def _known(gradebook: Gradebook, lab: Lab) -> bool:
    try:
        gradebook.find_assignment(lab.name)
    except MissingEntry:
        return False
    return True


def read_results(course: Path, lab: Lab, student: str) -> dict[str, dict[str, Any]]:
    """By question the recorded result, with its misconceptions, from the autograded notebook."""
    results = {}
    for cell in _autograded(course, lab, student).cells:
        for output in cell.get("outputs", ()):
            found = output.get("data", {}).get(rendering.MIME)
            if found is not None:
                results[str(found["question"])] = dict(found)
    return results


def read_rejection(course: Path, lab: Lab, student: str) -> str:
    """Why a recorded submission was not examined; empty where it was."""
    return str(_autograded(course, lab, student).metadata.get("labbook", {}).get("rejected", ""))


def _autograded(course: Path, lab: Lab, student: str) -> NotebookNode:
    """The autograded notebook, an empty one where it is missing."""
    path = course / "autograded" / student / lab.name / lab.release.name
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        return nbformat.v4.new_notebook()
    return nbformat.read(path, as_version=4)
