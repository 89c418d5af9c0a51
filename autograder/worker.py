"""What a worker does, on this machine or another: one submission in, its examination in the cache."""

from pathlib import Path

from autograder import cache
from autograder.examination import Limits, examine, is_lost
from autograder.intake import Submission, read_submission
from autograder.transplant import transplanted


def examine_submission(
    course: Path,
    submission: Submission,
    limits: Limits,
    name: str,
    unsafe: bool = False,
    last_try: bool = False,
) -> bool:
    """Examine one submission and keep the result in the course's cache under ``name``.

    A room that was lost may have had too little of a busy machine, so that is kept only from the last try.

    Returns:
        Whether the result was kept.
    """
    notebook = transplanted(submission.lab, read_submission(submission))
    found = examine(notebook, cache.hidden_seed(course, submission.lab, notebook), limits, unsafe=unsafe)
    if is_lost(found) and not last_try:
        return False
    cache.store(course, name, found)
    return True
