"""The kinds of cells of a lab, and the metadata that marks them."""

from typing import Any, Literal

Kind = Literal["text", "parameters", "setup", "answer", "test", "explore", "think-answer", "extra"]

EXTRA = "labbook-extra"  # tag of a code cell that the student added


def grade_id(cell: Any) -> str:
    """The cell's nbgrader id, empty where it has none; safe on whatever a student's notebook holds."""
    marks = cell.get("metadata")
    marks = marks.get("nbgrader") if isinstance(marks, dict) else None
    found = marks.get("grade_id") if isinstance(marks, dict) else None
    return found if isinstance(found, str) else ""


def tags(cell: Any) -> list[str]:
    """The cell's tags; safe on whatever a student's notebook holds."""
    marks = cell.get("metadata")
    found = marks.get("tags") if isinstance(marks, dict) else None
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def kind(cell: Any) -> Kind:
    """What a cell of OUR notebooks is for; see the table in CONTRIBUTING.md."""
    marks = cell["metadata"].get("nbgrader", {})
    if marks.get("grade"):
        return "test"
    if marks.get("solution"):
        return "answer"
    if marks.get("locked"):
        return "setup"
    found = tags(cell)
    if "parameters" in found:
        return "parameters"
    if "explore" in found:
        return "explore"
    if "think-answer" in found:
        return "think-answer"
    return "extra" if cell["cell_type"] == "code" else "text"


def question(cell: Any) -> str:
    """The question that an answer or a test cell belongs to."""
    return grade_id(cell).removeprefix("test-")


def nbgrader_marks(grade_id: str, points: float | None = None, solution: bool = False) -> dict[str, Any]:
    """The nbgrader metadata of an answer (``solution``), a test (with ``points``) or a locked cell."""
    marks: dict[str, Any] = {
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if points is not None:
        marks["points"] = points
    return marks
