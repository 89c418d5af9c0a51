"""What a worker does, on this machine or another: one submission in, its examination in the cache."""

from pathlib import Path

from autograder import cache
from autograder.examination import Limits, examine
from autograder.intake import Submission, read_submission
from autograder.transplant import transplanted


def examine_submission(course: Path, submission: Submission, limits: Limits, name: str) -> None:
    """Examine one submission and keep the result in the course's cache under ``name``."""
    notebook = transplanted(submission.lab, read_submission(submission))
    cache.store(course, name, examine(notebook, cache.hidden_seed(course, submission.lab, notebook), limits))
