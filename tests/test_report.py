"""The class report: the gradebook's scores, the examinations' misconceptions, and nobody's markup."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from nbgrader.api import Gradebook

from autograder import gradebook
from autograder.feedback import write_feedback
from autograder.labs import Lab, find_labs
from autograder.report import summary, write_report
from labkit.checks import Part
from tests.classroom import (
    CHROMIUM,
    dangers,
    hand_in,
    not_attempted,
    open_in_chromium,
    passed,
    record,
    result,
    text_of,
)

ODD_NAME = 'a<b>&"x'
REASON = "Expected toy.ipynb, found <script>alert(1)</script>.ipynb: rename it and hand in again."
HINT = "Count the first position too."


def no_plus_one() -> Any:
    return result(
        "output-size",
        "failed",
        Part("32 pixels", 1, False, "failed", "…", "no-plus-one", HINT),
        Part("SECRET", 1, True, "failed", "", "no-plus-one", HINT),
    )


def one_a_weight() -> Any:
    return result(
        "biases",
        "failed",
        Part("six maps", 1, False, "failed", "…", "one-a-weight", "A bias <b>belongs</b>."),
    )


@pytest.fixture(scope="module")
def toy(built: Path) -> Lab:
    return find_labs(built)[0]


@pytest.fixture(scope="module")
def course(toy: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    lab, course = toy, tmp_path_factory.mktemp("course")
    lost = result("softmax", "timeout", Part("the checks", 1, False, "timeout", "It took too long."))
    error = result("softmax", "error", Part("two logits", 1, False, "error", "NameError"))
    partial = result("softmax", "partial", Part("two logits", 1, False, "passed"))
    for student, results in {
        "zoe": [passed("output-size"), passed("biases"), passed("softmax")],
        "Ana": [no_plus_one(), one_a_weight(), partial],
        ODD_NAME: [no_plus_one(), passed("biases"), error],
        "ben": [no_plus_one(), not_attempted("biases"), lost],
    }.items():
        record(course, hand_in(course, lab, student), results, {})
    gradebook.record(lab.root, course, hand_in(course, lab, "max"), REASON)
    with Gradebook(gradebook.database(course)) as database:
        database.find_grade("test-softmax", "toy", lab.name, "Ana").manual_score = 2
        database.db.commit()
    write_feedback(lab.root, course, [lab], ["zoe", ODD_NAME])
    return course


@pytest.fixture(scope="module")
def content(toy: Lab, course: Path) -> dict[str, Any]:
    labs: list[dict[str, Any]] = summary(course, [toy])["labs"]
    return labs[0]


@pytest.fixture(scope="module")
def report(toy: Lab, course: Path) -> Path:
    return write_report(course, [toy], course / "report.html")


def test_summary_is_json(toy: Lab, course: Path) -> None:
    found = summary(course, [toy])
    assert found["schema"] == 1
    assert json.loads(json.dumps(found)) == found


def test_summary_counts_the_class(content: dict[str, Any]) -> None:
    counts = {
        key: content[key] for key in ("lab", "submissions", "examined", "rejected", "partly", "max_score")
    }
    assert counts == {
        "lab": "01_toy",
        "submissions": 5,
        "examined": 4,
        "rejected": 1,
        "partly": 1,
        "max_score": 6.0,
    }
    assert content["mean"] == pytest.approx((6 + 2 + 1 + 0) / 4)
    assert content["median"] == pytest.approx(1.5)


def test_summary_of_questions_leaves_rejected_submissions_out(content: dict[str, Any]) -> None:
    ends = {entry["question"]: entry for entry in content["questions"]}
    assert ends["output-size"] == {
        "question": "output-size",
        "max_points": 3.0,
        "mean_points": 0.75,
        "right": 1,
        "partly": 0,
        "wrong": 3,
        "not_attempted": 0,
        "lost": 0,
    }
    softmax = ends["softmax"]
    assert (softmax["right"], softmax["partly"], softmax["wrong"], softmax["lost"]) == (1, 1, 1, 1)
    assert softmax["mean_points"] == 1.0  # with the grader's 2 for Ana
    assert ends["biases"]["not_attempted"] == 1


def test_misconceptions_are_ranked_by_students_not_by_checks(content: dict[str, Any]) -> None:
    assert [
        (entry["misconception"], entry["question"], len(entry["students"]))
        for entry in content["misconceptions"]
    ] == [("no-plus-one", "output-size", 3), ("one-a-weight", "biases", 1)]
    assert content["misconceptions"][0]["hint"] == HINT
    assert content["misconceptions"][0]["students"] == [ODD_NAME, "Ana", "ben"]


def test_students_are_sorted_and_told_apart(content: dict[str, Any]) -> None:
    rows = {entry["student"]: entry for entry in content["students"]}
    assert list(rows) == [ODD_NAME, "Ana", "ben", "max", "zoe"]
    assert rows["max"]["status"] == "rejected"
    assert rows["max"]["message"] == REASON
    assert rows["ben"]["status"] == "partly"
    assert rows["ben"]["message"] == "softmax ran out of time"
    assert rows["Ana"]["score"] == 2.0
    assert rows["Ana"]["questions"]["softmax"]["regraded"]
    assert not rows["zoe"]["questions"]["softmax"]["regraded"]


def test_report_says_it(report: Path) -> None:
    text = text_of(report.read_text())
    assert "5 submissions 2.25 mean of 6 points 1.5 median" in text
    assert f"max rejected: {REASON}" in text
    assert "ben partly graded: softmax ran out of time" in text
    assert "3 students of 4 no-plus-one in output-size Count the first position too." in text
    assert "0.75 of 3 25 0 75 0 0" in text
    assert "2*" in text
    assert text.index("Look at these first") < text.index("Scores") < text.index("Students")


def test_distribution_says_in_words_what_it_shows(report: Path) -> None:
    titles = re.findall(r"<title id=[^>]*>(.*?)</title>", report.read_text(), re.DOTALL)
    assert titles == [
        "Distribution of the scores in 01_toy: 0 to 0.6 points: 1 submission; 0.6 to 1.2 points: "
        "1 submission; 1.8 to 2.4 points: 1 submission; 5.4 to 6 points: 1 submission."
    ]


def test_links_lead_to_the_pages_that_exist(report: Path) -> None:
    links = re.findall(r'href="([^"]*)"', report.read_text())
    assert links == [link for link in links if not link.startswith("/")]
    assert {unquote(unescape(link)) for link in links} == {
        f"feedback/{s}/01_toy/toy.html" for s in ("zoe", ODD_NAME)
    }
    assert all((report.parent / unquote(unescape(link))).is_file() for link in links)


def test_report_elsewhere_still_links(toy: Lab, course: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "report.html"
    page = write_report(course, [toy], out).read_text()
    links = re.findall(r'href="([^"]*)"', page)
    assert links
    assert all((out.parent / unquote(unescape(link))).is_file() for link in links)


def test_report_holds_nothing_active_and_no_path(report: Path, toy: Lab, course: Path) -> None:
    page = report.read_text()
    assert dangers(page) == []
    assert ODD_NAME in text_of(page)
    assert "A bias <b>belongs</b>." in text_of(page)
    assert str(toy.root) not in page
    assert str(course) not in page
    assert "SECRET" not in page


def test_labs_without_submissions_are_left_out(toy: Lab, course: Path) -> None:
    unseen = Lab("02_unseen", toy.root)
    assert [lab["lab"] for lab in summary(course, [toy, unseen])["labs"]] == ["01_toy"]


def test_empty_course_has_an_empty_report(toy: Lab, tmp_path: Path) -> None:
    assert (
        "Nothing has been graded yet." in write_report(tmp_path, [toy], tmp_path / "report.html").read_text()
    )


def test_only_rejected_submissions(
    toy: Lab, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejected = [score for score in gradebook.read_scores(course, [toy]) if score.student == "max"]
    monkeypatch.setattr(gradebook, "read_scores", lambda course, labs: rejected)
    assert summary(course, [toy])["labs"][0]["mean"] is None
    page = write_report(course, [toy], tmp_path / "report.html").read_text()
    assert "– mean of 6 points" in text_of(page)
    assert dangers(page) == []


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium at /usr/bin/chromium")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
def test_browser_runs_and_fetches_nothing(report: Path, scheme: Any, width: int) -> None:
    assert open_in_chromium([report], scheme, width) == []
