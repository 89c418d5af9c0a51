"""nbgrader's steps on this repository's folders: run ``nbgrader …`` and formgrader from here."""

from functools import partial
from pathlib import Path

from nbgrader import preprocessors as nbgrader

from autograder import preprocessors as ours
from autograder.gradebook import register

root = Path(__file__).resolve().parent
course = root / "course"

c = get_config()  # noqa: F821, traitlets defines it
c.CourseDirectory.course_id = "cnn-labbook"
c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "labs"
c.CourseDirectory.submitted_directory = "course/submitted"
c.CourseDirectory.autograded_directory = "course/autograded"
c.CourseDirectory.feedback_directory = "course/feedback"
c.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"
c.CourseDirectory.ignore = ["*"]  # a notebook is all that is copied; nothing that lies beside it is

c.LabbookStep.root = str(root)
c.LabbookStep.course = str(course)

c.GenerateAssignment.preprocessors = [
    nbgrader.LockCells,
    ours.StripThinkAnswers,
    ours.ClearAnswers,
    nbgrader.ClearOutput,
    nbgrader.CheckCellMetadata,
    nbgrader.ComputeChecksums,
    nbgrader.SaveCells,
    nbgrader.ClearHiddenTests,
    nbgrader.ComputeChecksums,
    nbgrader.CheckCellMetadata,
]

c.Autograde.exporter_class = ours.SubmissionExporter
c.Autograde.pre_convert_hook = partial(register, root, course)
# No CheckCellMetadata here: from Transplant on all metadata are ours, checked when the lab was built.
c.Autograde.sanitize_preprocessors = [ours.Transplant]
c.Autograde.autograde_preprocessors = [ours.Examine, nbgrader.SaveAutoGrades, nbgrader.AssignLatePenalties]

c.GenerateFeedback.preprocessors = [nbgrader.GetGrades, ours.FeedbackPage]
c.HTMLExporter.extra_template_basedirs = [str(Path(ours.__file__).parent / "templates")]
c.HTMLExporter.template_name = "labbook_feedback"
