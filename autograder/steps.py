"""nbgrader's own steps, run in this process on a course's folders."""

import glob
import io
import logging
import re
import warnings
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from labkit.errors import LabbookError

CAUSE = re.compile(r"(?!.*NbGraderException)[\w.]*(Error|Exception|Interrupt)\b")  # a traceback's last line


class StepFailed(LabbookError):
    """nbgrader could not do its step; the text ends with the error that it met."""


def nbgrader_config(root: Path, course: Path) -> Config:
    """The lab book's nbgrader_config.py, turned to the course in the folder ``course``."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.source_directory = str(root / "solutions")
    config.CourseDirectory.release_directory = str(root / "labs")
    config.CourseDirectory.submitted_directory = "submitted"
    config.CourseDirectory.autograded_directory = "autograded"
    config.CourseDirectory.feedback_directory = "feedback"
    config.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"
    config.LabbookStep.root = str(root)
    config.LabbookStep.course = str(course)
    return config


def run_nbgrader(step: str, config: Config, assignment: str, student: str | None = None) -> str:
    """Run one of nbgrader's steps and return its log.

    Args:
        step: ``"generate_assignment"``, ``"autograde"`` or ``"generate_feedback"``.
        config: from `nbgrader_config`.
        assignment: the lab's name.
        student: whose submission; None for all.

    Raises:
        StepFailed: nbgrader gave up; what it said last.
    """
    from nbgrader import converters
    from nbgrader.coursedir import CourseDirectory

    classes: dict[str, Any] = {
        "generate_assignment": converters.GenerateAssignment,
        "autograde": converters.Autograde,
        "generate_feedback": converters.GenerateFeedback,
    }
    stream = io.StringIO()
    log = logging.getLogger("labbook.nbgrader")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.handlers = [logging.StreamHandler(stream)]
    directory = CourseDirectory(config=config)
    directory.assignment_id = assignment
    directory.student_id = "*" if student is None else glob.escape(student)  # nbgrader takes it for a pattern
    converter = classes[step](coursedir=directory, config=config, log=log)
    converter.force = True
    try:
        with warnings.catch_warnings():
            # nbgrader's models lean on a cascade that SQLAlchemy 2 no longer has, harmlessly.
            warnings.filterwarnings("ignore", "Object of type .* not in session", SAWarning)
            converter.start()
    except Exception as error:
        causes = [line for line in stream.getvalue().splitlines() if CAUSE.match(line)]
        raise StepFailed(
            f"nbgrader's {step} of {assignment} failed: {(causes or [str(error)])[-1]}"
        ) from error
    return stream.getvalue()
