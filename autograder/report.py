"""The class report: scores, questions, and what a class misunderstood, in one file for the instructor."""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autograder import feedback, gradebook, harmless
from autograder.files import write
from autograder.gradebook import Score
from autograder.labs import Lab
from labkit import rendering
from labkit.checks import LOST

ENDS = ("right", "partly", "wrong", "not_attempted", "lost")
BINS = 10


def summary(course: Path, labs: Sequence[Lab]) -> dict[str, Any]:
    """What the report says, as JSON-able built-in types.

    Shares and means are of the submissions that were examined; rejected ones are listed, and counted apart.

    Args:
        course: the course's folder, with nbgrader's gradebook and the autograded notebooks.
        labs: those without a submission are left out.
    """
    scores = gradebook.read_scores(course, labs)
    by_lab = [(lab, [score for score in scores if score.lab == lab.name]) for lab in labs]
    return {"schema": 1, "labs": [_lab_summary(course, lab, mine) for lab, mine in by_lab if mine]}


def _lab_summary(course: Path, lab: Lab, scores: Sequence[Score]) -> dict[str, Any]:
    students = [_student(course, lab, score) for score in scores]
    students.sort(key=lambda student: (student["student"].casefold(), student["student"]))
    examined = [student for student in students if student["status"] != "rejected"]
    points = [student["score"] for student in examined]
    return {
        "lab": lab.name,
        "submissions": len(students),
        "examined": len(examined),
        "rejected": len(students) - len(examined),
        "partly": sum(student["status"] == "partly" for student in students),
        "max_score": max(score.max_score for score in scores),
        "mean": round(statistics.fmean(points), 2) if points else None,
        "median": round(statistics.median(points), 2) if points else None,
        "questions": [_question(name, examined) for name in scores[0].questions],
        "misconceptions": _misconceptions(examined),
        "students": students,
    }


def _student(course: Path, lab: Lab, score: Score) -> dict[str, Any]:
    """A submission's row: its points are the gradebook's, what became of its questions the examination's."""
    results = gradebook.read_results(course, lab, score.student)
    reason = gradebook.read_rejection(course, lab, score.student)
    questions = {}
    for name, (points, max_points) in score.questions.items():
        result = results.get(name, {})
        status = result.get("status", "error")
        questions[name] = {
            "points": round(points, 2),
            "max_points": max_points,
            "status": status,
            "regraded": bool(result) and abs(points - result["points"]) > 0.005,
            "misconceptions": {
                part["misconception"]: part["hint"]
                for part in result.get("parts", ())
                if part["misconception"] and part["status"] != "passed"
            },
        }
    lost = [f"{name} {rendering.WORDS[q['status']]}" for name, q in questions.items() if q["status"] in LOST]
    page = feedback.page_path(course, lab, score.student)
    return {
        "student": score.student,
        "status": "rejected" if reason else "partly" if lost else "graded",
        "score": round(score.score, 2),
        "max_score": score.max_score,
        "message": harmless.plain(reason or "; ".join(lost)),
        "feedback": str(page.relative_to(course)) if page.is_file() else "",
        "questions": questions,
    }


def _end(status: str) -> str:
    """The column of the report that a question's status counts in."""
    if status in LOST:
        return "lost"
    return {"passed": "right", "partial": "partly", "not_attempted": "not_attempted"}.get(status, "wrong")


def _question(name: str, examined: Sequence[dict[str, Any]]) -> dict[str, Any]:
    mine = [student["questions"][name] for student in examined if name in student["questions"]]
    ends = [_end(question["status"]) for question in mine]
    return {
        "question": name,
        "max_points": mine[0]["max_points"] if mine else 0.0,
        "mean_points": round(statistics.fmean(question["points"] for question in mine), 2) if mine else None,
        **{end: ends.count(end) for end in ENDS},
    }


def _misconceptions(examined: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Named misconceptions, those of the most students first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for student in examined:
        for question, marks in student["questions"].items():
            for name, hint in marks["misconceptions"].items():
                entry = found.setdefault(
                    (question, name),
                    {"question": question, "misconception": name, "hint": hint, "students": []},
                )
                entry["students"].append(student["student"])
    return sorted(found.values(), key=lambda entry: -len(entry["students"]))


def write_report(course: Path, labs: Sequence[Lab], out: Path) -> Path:
    """Write the class report: one HTML file without script, which links to the feedback pages beside it.

    Args:
        course: the course's folder.
        labs: whose submissions.
        out: the file, usually ``course/report.html``.

    Returns:
        ``out``.
    """
    environment = Environment(
        loader=FileSystemLoader(feedback.TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(
        labs=[content | {"bins": _bins(content)} for content in summary(course, labs)["labs"]],
        ends=ENDS,
        end=_end,
        marks=rendering.MARKS,
        words=rendering.WORDS,
        link=lambda path: quote(Path(os.path.relpath(course / path, out.parent)).as_posix()),
        style=feedback.stylesheet(),
    )
    write(out, page)
    return out


def _bins(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The score distribution: how many examined submissions lie in each tenth of the points."""
    whole = content["max_score"] or 1.0
    counts = [0] * BINS
    for student in content["students"]:
        if student["status"] != "rejected":
            counts[min(BINS - 1, max(0, int(BINS * student["score"] / whole)))] += 1
    edges = [whole * i / BINS for i in range(BINS + 1)]
    return [{"low": edges[i], "high": edges[i + 1], "count": count} for i, count in enumerate(counts)]
