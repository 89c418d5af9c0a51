"""The feedback page: what a student gets back for a submission, and may see of it.

`FeedbackPage` stands in nbgrader's GenerateFeedback, so that ``nbgrader generate_feedback``, formgrader and
``labbook feedback`` write the same page. The page is one file without script, address or hidden test; it holds
nothing that is not put into `Page` here, because the notebook goes no further.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder import gradebook, harmless
from autograder.cells import kind, question
from autograder.labs import Lab
from autograder.steps import StepFailed, nbgrader_config, run_nbgrader
from labkit import rendering

if TYPE_CHECKING:
    from autograder.grading import Progress

TEMPLATES = Path(__file__).parent / "templates"
MAX_OUTPUTS = 12  # of a cell
MAX_TEXT = 300_000  # characters that a student wrote or printed, in a page
MAX_IMAGES = 8 << 20  # characters of base64 in a page
NO_RESPONSE = "No response."  # nbgrader's own comment on an untouched answer
ADVICE = {
    "not_attempted": "You left this one open. If the lab still is, write your answer and hand it in again.",
    "timeout": "It was stopped because its time was up. Look for a loop that does not end, or for work that is "
    "done again at every step.",
    "crashed": "The process that ran your code ended. Restart the kernel, run the notebook from the top, and "
    "see where it stops.",
    "out_of_memory": "It needed more memory than a submission may use. Look for an array that is larger than "
    "you mean it to be.",
}


@dataclass
class Output:
    """A piece of what a cell printed or drew: text, an error with its message, or a PNG."""

    text: str = ""
    error: str = ""
    image: str = ""
    width: int = 0
    height: int = 0


@dataclass
class OwnCell:
    """A cell that the student wrote: code or text as HTML, and its outputs."""

    code: Markup = field(default_factory=Markup)
    text: Markup = field(default_factory=Markup)
    outputs: list[Output] = field(default_factory=list)


@dataclass
class Section:
    """A question on the page.

    Attributes:
        place: the heading in the lab that it stands under.
        points: the recorded score, a grader's if one was given.
        automatic: what the checks gave.
        checks: by sub-check its status, its mark, its label and what there is to say of it.
    """

    name: str
    place: str = ""
    status: str = "error"
    points: float = 0.0
    max_points: float = 0.0
    automatic: float = 0.0
    checks: list[tuple[str, str, str, str]] = field(default_factory=list)
    why: str = ""
    comment: Markup = field(default_factory=Markup)
    answer: OwnCell = field(default_factory=OwnCell)
    own: list[OwnCell] = field(default_factory=list)
    tests: Markup = field(default_factory=Markup)

    @property
    def mark(self) -> str:
        """A sign for the status."""
        return rendering.MARKS.get(self.status, "✗")

    @property
    def words(self) -> str:
        """The status in words."""
        return rendering.WORDS[self.status]

    @property
    def advice(self) -> str:
        """What to do about the status, where that can be said in general."""
        return ADVICE.get(self.status, "")

    @property
    def is_regraded(self) -> bool:
        """Whether a person changed the score that the checks gave."""
        return abs(self.points - self.automatic) > 0.005


@dataclass
class Page:
    """All that a feedback page shows."""

    title: str
    student: str
    notebook: str
    score: float
    max_score: float
    late_penalty: float = 0.0
    rejected: str = ""
    sections: list[Section] = field(default_factory=list)
    own: list[OwnCell] = field(default_factory=list)  # what stands before the first question
    style: Markup = field(default_factory=Markup)

    @property
    def verdict(self) -> str:
        """How many questions ended how, in a line."""
        ends = [section.words for section in self.sections]
        counts = [f"{ends.count(word)} {word}" for word in rendering.WORDS.values() if word in ends]
        return f"Of {len(ends)} questions: {', '.join(counts)}." if ends else ""


class FeedbackPage(NbGraderPreprocessor):  # type: ignore[misc]
    """Turn the autograded notebook, with GetGrades' scores and comments, into a `Page` for the template."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Put the page into the resources and empty the notebook."""
        resources["labbook"] = make_page(nb, resources["nbgrader"])
        nb.cells = []
        return nb, resources


def make_page(nb: NotebookNode, marks: dict[str, Any]) -> Page:
    """What a student may see of an autograded notebook.

    Args:
        nb: from Autograde, then nbgrader's GetGrades.
        marks: GetGrades' student, notebook, score, max_score and late_penalty.
    """
    page = Page(
        title=_title(nb, marks["notebook"]),
        student=marks["student"],
        notebook=f"{marks['notebook']}.ipynb",
        score=max(0.0, float(marks["score"])),
        max_score=float(marks["max_score"]),
        late_penalty=float(marks.get("late_penalty") or 0),
        style=stylesheet(),
    )
    page.rejected = harmless.plain(str(nb.metadata.get("labbook", {}).get("rejected", "")))
    reader = _Reader()
    sections: dict[str, Section] = {}
    place, own = "", page.own
    for cell in nb.cells:
        role = kind(cell)
        if role == "text" and not cell.id.startswith("extra-"):
            place = _heading(cell.source) or place
        elif role == "text":
            own.append(reader.text_cell(cell))
        elif role == "extra":
            own.append(reader.code_cell(cell))
        elif role in ("answer", "test"):
            section = sections.setdefault(question(cell), Section(question(cell), place))
            own = section.own
            if role == "test":
                _add_result(section, cell)
                continue
            section.answer = reader.code_cell(cell)
            comment = str(cell.metadata.nbgrader.get("comment") or "")
            if comment.strip() not in ("", NO_RESPONSE):
                section.comment = harmless.markdown(comment)
    page.sections = list(sections.values())
    return page


def stylesheet() -> Markup:
    """The style sheet that all our pages carry in themselves."""
    return Markup((TEMPLATES / "style.css").read_text())


def _title(nb: NotebookNode, name: str) -> str:
    ours = (cell for cell in nb.cells if kind(cell) == "text" and not cell.id.startswith("extra-"))
    return next((title for cell in ours if (title := _heading(cell.source, "# "))), name)


def _heading(source: str, prefix: str = "#") -> str:
    """The last heading in a text of ours."""
    lines = [line for line in source.splitlines() if line.startswith(prefix)]
    return lines[-1].lstrip("#").strip() if lines else ""


def _add_result(section: Section, cell: NotebookNode) -> None:
    """What the checks found and what the gradebook says of it."""
    marks = cell.metadata.nbgrader
    found = (output.get("data", {}).get(rendering.MIME) for output in cell.outputs)
    result = next((result for result in found if result is not None), None)
    section.max_points = float(marks.points)
    section.points = float(marks.get("score") or 0)
    section.tests = harmless.highlight(without_hidden_tests(cell.source))
    if result is None:
        section.automatic = section.points
        return
    section.status, section.automatic = result["status"], float(result["points"])
    for status, line in rendering.lines(result):
        label, _, more = harmless.plain(line).partition(" — ")
        section.checks.append((status, rendering.MARKS.get(status, "✗"), label, more))
    section.why = result["why"] if result["status"] == "passed" else ""


def without_hidden_tests(source: str) -> str:
    """A test cell's source as students have it."""
    kept, hidden = [], False
    for line in source.split("\n"):
        if "BEGIN HIDDEN TESTS" in line:
            hidden = True
        if not hidden:
            kept.append(line)
        if "END HIDDEN TESTS" in line:
            hidden = False
    return "\n".join(kept)


class _Reader:
    """Reads what a student wrote, printed and drew, as long as the page has room for it."""

    def __init__(self) -> None:
        self.text = MAX_TEXT
        self.images = MAX_IMAGES

    def code_cell(self, cell: NotebookNode) -> OwnCell:
        """The source and what it printed and drew."""
        return OwnCell(code=harmless.highlight(self._fitting(cell.source)), outputs=self._outputs(cell))

    def text_cell(self, cell: NotebookNode) -> OwnCell:
        """The markdown as HTML."""
        return OwnCell(text=harmless.markdown(self._fitting(cell.source)))

    def _fitting(self, text: str) -> str:
        fitting = text[: self.text]
        self.text -= len(fitting)
        return fitting if len(fitting) == len(text) else f"{fitting}\n# … left out: this page is full …"

    def _outputs(self, cell: NotebookNode) -> list[Output]:
        """The outputs; text that was printed in several pieces is one text."""
        found: list[Output] = []
        for is_text, pieces in itertools.groupby(cell.outputs, lambda output: output.output_type == "stream"):
            if is_text:
                found.append(self._text("".join(piece.text for piece in pieces)))
            else:
                found += [self._output(piece) for piece in itertools.islice(pieces, MAX_OUTPUTS + 1)]
        more = len(found) - MAX_OUTPUTS
        found[MAX_OUTPUTS:] = [Output(text="… more outputs left out …")] if more > 0 else []
        return [output for output in found if output.text.strip() or output.error or output.image]

    def _text(self, text: str) -> Output:
        return Output(text=self._fitting(harmless.cut(harmless.plain(text))))

    def _output(self, output: NotebookNode) -> Output:
        if output.output_type == "error":
            trace = harmless.shown_traceback([str(line) for line in output.traceback])
            error = harmless.cut(harmless.plain(f"{output.ename}: {output.evalue}").partition("\n")[0])
            return Output(error=error, text=self._fitting(trace))
        text, image = harmless.plain(output.data.get("text/plain", "")), output.data.get("image/png", "")
        if not image:
            return self._text(text)
        size = harmless.png_size(image)
        self.images -= len(image)
        if size is None or self.images < 0:
            return Output(text="A picture is left out here: it is none, or too large for this page.")
        # labkit.plots writes what is to be seen behind this word; Matplotlib writes the figure's size.
        figure, _, alt = text.partition(": ")
        alt = alt if figure == "Figure" else "A picture that your code drew."
        return Output(text=harmless.cut(alt), image="".join(image.split()), width=size[0], height=size[1])


def write_feedback(
    root: Path,
    course: Path,
    labs: Sequence[Lab],
    students: Sequence[str] | None = None,
    progress: "Progress" = lambda what, done, total: None,
) -> list[Path]:
    """Write the feedback pages of these labs: ``<course>/feedback/<student>/<NN_name>/<name>.html``.

    Args:
        root: the lab book.
        course: the course's folder.
        labs: whose submissions; every recorded one gets its page.
        students: those alone.
        progress: told what has been done.

    Returns:
        The pages written.

    Raises:
        StepFailed: a page could not be written; the others were.
    """
    by_name = {lab.name: lab for lab in labs}
    scores = gradebook.read_scores(course, labs)
    wanted = [score for score in scores if students is None or score.student in students]
    written, failed = [], []
    for done, score in enumerate(wanted):
        progress("writing feedback", done, len(wanted))
        try:
            config = nbgrader_config(root, course)
            run_nbgrader("generate_feedback", config, score.lab, score.student)
            written.append(page_path(course, by_name[score.lab], score.student))
        except StepFailed as error:
            failed.append(f"that of {score.student} for {score.lab}: {error}")
    progress("writing feedback", len(wanted), len(wanted))
    if failed:
        raise StepFailed(
            f"{len(failed)} of {len(wanted)} feedback pages were not written; the first is {failed[0]} "
            "Grade it again, then ask for its feedback."
        )
    return written


def page_path(course: Path, lab: Lab, student: str) -> Path:
    """Where a submission's feedback page is."""
    return course / "feedback" / student / lab.name / lab.release.with_suffix(".html").name
