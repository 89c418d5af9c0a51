"""The feedback page: it says what became of a submission, and holds nothing that runs, leaks or calls out."""

import html
import itertools
import re
import shutil
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder import feedback, gradebook, harmless
from autograder.examination import lost_result
from autograder.feedback import make_page, write_feedback
from autograder.intake import read_submission
from autograder.labs import Lab, find_labs
from autograder.steps import StepFailed, nbgrader_config, run_nbgrader
from autograder.transplant import transplanted
from labkit.checks import Part, Result
from tests.classroom import (
    CHROMIUM,
    dangers,
    hand_in,
    not_attempted,
    open_in_chromium,
    passed,
    png,
    record,
    result,
    text_of,
)

ODD_NAME = 'a<b>&"x'
PATTERN_NAME = "*a*"  # to a shell, ana and max as well
REASON = "Expected toy.ipynb, found <img src=x onerror=alert(1)>.ipynb: rename it and hand in again."
SCRIPT = "<script>alert('script')</script>"
EVIL_TEXT = f"""
# A heading {SCRIPT}
<script>alert('block')</script>

<img src="https://evil.example/x.png" onerror="alert('handler')"> <a href="javascript:alert(1)">inline</a>
[click](javascript:alert(2)) [data](data:text/html,{SCRIPT}) [far](https://evil.example/page "onmouseover=alert(3)")
![picture](https://evil.example/pixel.png) <https://evil.example/auto> <iframe src="//evil.example"></iframe>
<svg onload=alert(4)></svg><object data="x.swf"></object> `<b onclick=alert(5)>code</b>`

[ref]: javascript:alert(6)
[ref] and &lt;script&gt;alert(7)&lt;/script&gt; and <style>@import url(//evil.example)</style>

```"><script>alert(8)</script>
<script>alert(9)</script>
```

| a | b |
|---|---|
| <script>alert(10)</script> | $x < y$ |
"""
EVIL_CODE = f"""biases = 6  # {SCRIPT} </pre></body><script>alert(11)</script>
text = "<img src=x onerror=alert(12)>"
path = "/home/somebody/secret.txt"
"""
NOISE = "\n".join(f"\x1b[31mline {i}\x1b[0m" for i in range(5000))
TRACE = [
    "\x1b[31m---------------------------------------------------------------------------\x1b[39m",
    "ValueError                                Traceback (most recent call last)",
    "Cell In[2], line 4\n      3 print(1)\n----> 4 f(np.zeros(5))\n",
    "File /opt/house/.venv/lib/python3.11/site-packages/numpy/_core/fromnumeric.py:299, in reshape(a)\n    297 secret",
    f"ValueError: {SCRIPT} in '/tmp/labbook-exam-1/x.npy'",
]


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def drawn(image: str, text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {"text/plain": text, "image/png": image}}


def without_tags(marked: str) -> str:
    return html.unescape(re.sub(r"</?span[^>]*>", "", marked))


def make_class(lab: Lab, course: Path) -> None:
    """Five students: one of every kind, one of them hostile."""
    partial = result(
        "softmax",
        "partial",
        Part("two logits", 1, False, "passed"),
        Part("SECRET-LOGITS", 1, True, "passed"),
        Part(
            "SECRET-FINITE",
            1,
            True,
            "failed",
            "",
            "overflow",
            "Subtract the largest logit of each row first.",
        ),
    )
    answers = {
        "output-size": "def output_size(n, k):\n    return n - k + 1",
        "biases": "biases = 6",
        "softmax": "def softmax(z):\n    return np.exp(z) / np.exp(z).sum()",
    }
    extras = {
        "softmax": [nbformat.v4.new_code_cell("plt.plot(z)"), nbformat.v4.new_markdown_cell("My *own* note.")]
    }
    ana = hand_in(course, lab, "ana", answers, extras)
    extra = [
        cell.id for cell in transplanted(lab, read_submission(ana)).cells if cell.id.startswith("extra-")
    ]
    outputs = {
        "softmax": [
            stream("printed <b>by</b> me\n"),
            stream("/tmp/ipykernel_7/8.py:2: RuntimeWarning: overflow\n"),
        ],
        extra[0]: [drawn(png(), "Figure: the loss falls from 1 to 0"), drawn(png(), "<Figure size 5x3>")],
    }
    record(course, ana, [passed("output-size"), passed("biases"), partial], outputs)

    evil = hand_in(
        course,
        lab,
        ODD_NAME,
        answers | {"biases": EVIL_CODE},
        {
            "": [nbformat.v4.new_markdown_cell(EVIL_TEXT)],
            "biases": [nbformat.v4.new_markdown_cell(EVIL_TEXT), nbformat.v4.new_code_cell(EVIL_CODE)],
        },
    )
    error = {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": f"{SCRIPT} /tmp/a/b.py",
        "traceback": TRACE,
    }
    outputs = {
        "output-size": [stream(NOISE)],
        "biases": [
            stream(SCRIPT),
            error,
            drawn(png(), '"><script>alert(13)</script>'),
            drawn('x" onerror="alert(14)', "no PNG"),
            drawn("data:text/html,x", "no PNG either"),
        ],
    }
    wrong = result(
        "biases",
        "failed",
        Part(
            f"six maps {SCRIPT}",
            1,
            False,
            "failed",
            f"Expected 6, received '{SCRIPT}' of /srv/course/x.py.",
            "one-a-weight",
            "A bias belongs to a map.",
        ),
    )
    record(course, evil, [passed("output-size"), wrong, not_attempted("softmax")], outputs)

    zoe = hand_in(course, lab, "zoe", answers)
    lost = lost_result("softmax", 2.0, "timeout", "It took more than 30 s.")
    lost_softmax = Result(**{**lost, "parts": [Part(**part) for part in lost["parts"]]})
    record(course, zoe, [not_attempted("output-size"), passed("biases"), lost_softmax], {})

    gradebook.record(lab.root, course, hand_in(course, lab, "max"), REASON)
    ben = hand_in(course, lab, PATTERN_NAME)
    record(course, ben, [not_attempted(name) for name in ("output-size", "biases", "softmax")], {})
    with Gradebook(gradebook.database(course)) as book:
        book.find_grade("test-softmax", "toy", lab.name, "ana").manual_score = 1.5
        comment = f"Right for *small* logits. {SCRIPT}"
        book.find_comment("softmax", "toy", lab.name, "ana").manual_comment = comment
        book.db.commit()


@pytest.fixture(scope="module")
def toy(built: Path) -> Lab:
    return find_labs(built)[0]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("course")


@pytest.fixture(scope="module")
def written(toy: Lab, course: Path) -> list[Path]:
    make_class(toy, course)
    return write_feedback(toy.root, course, [toy])


@pytest.fixture
def page(written: list[Path]) -> Any:
    pages = {path.parent.parent.name: path for path in written}
    return lambda student: pages[student].read_text()


def test_every_recorded_submission_has_its_page(written: list[Path], toy: Lab, course: Path) -> None:
    pages = course / "feedback"
    names = sorted(["ana", ODD_NAME, "zoe", "max", PATTERN_NAME])
    assert written == [pages / name / "01_toy" / "toy.html" for name in names]
    assert all(path.is_file() for path in written)


def test_page_tells_what_became_of_the_questions(page: Any) -> None:
    text = text_of(page("ana"))
    assert "Feedback for ana" in text
    assert "5.5 of 6 points" in text
    assert "Of 3 questions: 2 right, 1 partly right." in text
    assert "Every shape of the course follows from it." in text
    assert "1 of 2 hidden checks Subtract the largest logit of each row first." in text
    assert "return np.exp(z) / np.exp(z).sum()" in text
    assert "printed <b>by</b> me your cell, line 2: RuntimeWarning: overflow" in text


def test_page_tells_a_graders_score_beside_the_automatic_one_and_the_comment(page: Any) -> None:
    text = text_of(page("ana"))
    assert "The checks gave 1, your grader made it 1.5." in text
    assert "A comment from your grader Right for small logits." in text
    assert "your grader made it" not in text_of(page("zoe"))


def test_page_shows_what_the_student_added_and_drew(page: Any) -> None:
    content = page("ana")
    assert "My <em>own</em> note." in content
    assert 'alt="the loss falls from 1 to 0"' in content
    assert 'alt="A picture that your code drew."' in content
    assert f"data:image/png;base64,{png()}" in content


def test_page_of_a_lost_question_says_why_and_what_to_do(page: Any) -> None:
    text = text_of(page("zoe"))
    assert "1 right, 1 not attempted, 1 ran out of time" in text
    assert "Look for a loop that does not end" in text
    assert "the checks It took more than 30 s." in text
    assert "You left this one open." in text


def test_nbgraders_own_comment_on_an_untouched_answer_is_left_out(page: Any, course: Path) -> None:
    with Gradebook(gradebook.database(course)) as book:
        assert book.find_comment("biases", "toy", "01_toy", PATTERN_NAME).comment == "No response."
    assert "No response." not in page(PATTERN_NAME)


def test_page_of_a_rejected_submission_gives_the_reason_and_no_verdict(page: Any) -> None:
    text = text_of(page("max"))
    assert REASON in text
    assert "Hand in that one file again" in text
    assert "0 of 6 points" in text
    assert "stopped with an error" not in text
    assert not dangers(page("max"))


def test_page_holds_no_hidden_test(page: Any, written: list[Path]) -> None:
    assert "SECRET" in (written[0].parents[3] / "autograded/ana/01_toy/toy.ipynb").read_text()
    for path in written:
        text = path.read_text()
        for secret in ("SECRET", "check.rng", "HIDDEN TESTS", "q.hidden", "np.isfinite"):
            assert secret not in text
    assert "q.equal(&quot;six maps&quot;" in page("ana") or 'q.equal("six maps"' in text_of(page("ana"))


def test_page_holds_no_path_of_a_machine(written: list[Path], toy: Lab, course: Path) -> None:
    for path in written:
        text = html.unescape(re.sub(r"data:image/png;base64,[^\"]*", "", path.read_text()))
        for folder in (str(toy.root), str(course), "/tmp", "/home", "/opt", "/srv", "site-packages"):
            assert folder not in text


def test_hostile_page_holds_nothing_active(page: Any, written: list[Path]) -> None:
    for path in written:
        assert dangers(path.read_text()) == []
    text = text_of(page(ODD_NAME))
    assert ODD_NAME in text
    assert text.count(SCRIPT) >= 4  # in the code, the output, the check and the note: all as text
    assert "[picture: picture]" in text
    assert text.count("A picture is left out here") == 2
    assert "far (https://evil.example/page)" in text


def test_long_output_is_cut_and_its_colours_left_out(page: Any) -> None:
    text = text_of(page(ODD_NAME))
    assert "line 39 … 4,940 lines left out … line 4980" in text
    assert "\x1b" not in page(ODD_NAME)
    assert "[31m" not in page(ODD_NAME)


def test_traceback_leads_through_the_students_code_only(page: Any) -> None:
    content = page(ODD_NAME)
    text = text_of(content)
    assert "Your cell, line 4" in text
    assert "File numpy/_core/fromnumeric.py" in text
    assert "297 secret" not in text
    assert "…/x.npy" in text


def test_headings_form_an_outline(written: list[Path]) -> None:
    for path in written:
        levels = [int(level) for level in re.findall(r"<h([1-6])", path.read_text())]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium at /usr/bin/chromium")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
def test_browser_runs_and_fetches_nothing(written: list[Path], scheme: Any, width: int) -> None:
    assert open_in_chromium(written, scheme, width) == []


def test_nothing_but_the_page_goes_to_the_template(course: Path, written: list[Path]) -> None:
    notebook = nbformat.read(course / "autograded" / "ana" / "01_toy" / "toy.ipynb", as_version=4)
    resources = {"nbgrader": {"student": "ana", "notebook": "toy", "score": 1, "max_score": 6}}
    left, _ = feedback.FeedbackPage().preprocess(notebook, resources)
    assert left.cells == []


def test_chosen_students_only(written: list[Path], toy: Lab, course: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    pages = write_feedback(toy.root, course, [toy], ["zoe"], lambda *step: steps.append(step))
    assert [path.parent.parent.name for path in pages] == ["zoe"]
    assert steps == [("writing feedback", 0, 1), ("writing feedback", 1, 1)]


def test_a_students_name_is_no_pattern(written: list[Path], toy: Lab, course: Path) -> None:
    config = nbgrader_config(toy.root, course)
    log = run_nbgrader("generate_feedback", config, toy.name, PATTERN_NAME)
    assert re.findall(r"Removing existing assignment: (.*)", log) == [
        str(course / "feedback" / PATTERN_NAME / toy.name)
    ]


def test_nothing_graded_gives_no_page(toy: Lab, tmp_path: Path) -> None:
    assert write_feedback(toy.root, tmp_path, [toy]) == []


def test_one_page_that_cannot_be_written_stops_no_other(
    written: list[Path], toy: Lab, course: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "course"
    shutil.copytree(course, copy, ignore=shutil.ignore_patterns("feedback"))
    broken = copy / "autograded" / "ana" / "01_toy" / "toy.ipynb"
    broken.chmod(0o644)
    broken.write_text("{")
    with pytest.raises(StepFailed, match=r"^1 of 2 feedback pages .* that of ana for 01_toy: .*$"):
        write_feedback(toy.root, copy, [toy], ["ana", "zoe"])
    assert (copy / "feedback" / "zoe" / "01_toy" / "toy.html").is_file()


def test_page_has_room_for_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MAX_TEXT", 30_000)
    monkeypatch.setattr(feedback, "MAX_IMAGES", 10 * len(png()))
    source, outputs = "x = 1\n" * 2000, [nbformat.from_dict(drawn(png(), str(n))) for n in range(40)]
    cells = [
        nbformat.v4.new_code_cell(source, metadata={"tags": ["labbook-extra"]}, outputs=outputs)
        for _ in range(5)
    ]
    marks = {"student": "s", "notebook": "toy", "score": 0, "max_score": 1}
    own = make_page(nbformat.v4.new_notebook(cells=cells), marks).own
    assert sum(len(without_tags(shown.code)) for shown in own) < 31_000
    assert ["this page is full" in shown.code for shown in own] == [False, False, True, True, True]
    pictures = [output for shown in own for output in shown.outputs if output.image]
    assert len(pictures) == 10
    assert [len(shown.outputs) for shown in own] == [feedback.MAX_OUTPUTS + 1] * 5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("open('/home/ana/cnn/x.py')", "open('…/x.py')"),
        ("/tmp/ipykernel_24/33.py:2: UserWarning", "your cell, line 2: UserWarning"),
        (
            'File "/a/lib/python3.11/site-packages/keras/src/layer.py", line 3',
            'File "keras/src/layer.py", line 3',
        ),
        ("file:///home/ana/x.ipynb", "file:…/x.ipynb"),
        ("PATH=/usr/bin:/usr/local/bin", "PATH=…/bin:…/bin"),
        (r"C:\Users\ana\x.py", "…/x.py"),
        ("~/work/x.py and /srv/course/", "…/x.py and …/"),
        ("a/b/c, 3/4, https://cs231n.github.io/notes/, ./x/y, and/or", None),
        ("</b></i> // /tmp", None),
    ],
)
def test_paths_are_shortened(text: str, shown: str | None) -> None:
    assert harmless.hide_paths(text) == (text if shown is None else shown)


def test_plain_text_is_what_a_terminal_would_leave() -> None:
    assert harmless.plain("\x1b[1;31mred\x1b[0m \x1b]0;title\x07\x1b(Bset\x00\x08") == "red set"
    assert harmless.plain("1/3\r2/3\r3/3\ndone\r\n") == "3/3\ndone\n"
    assert harmless.plain("a\u202egnp.exe") == "agnp.exe"


def test_long_lines_and_long_texts_are_cut() -> None:
    assert harmless.cut("x" * 10_000) == "x" * harmless.MAX_LINE + " …"
    assert harmless.cut("a\nb\n") == "a\nb"
    shown = harmless.cut("\n".join(map(str, range(5000)))).split("\n")
    assert shown[39:42] == ["39", "… 4,940 lines left out …", "4980"]
    assert len(shown) == 61


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return x @ w < 3  # <b>\n",
        "'''unended",
        "f'{x!r:>{w}}'",
        "%matplotlib inline",
        "\tif x:\n",
        "",
        "x = '&lt;' and \"&\"",
        "é = '→'",
    ],
)
def test_highlighting_changes_no_character(source: str) -> None:
    marked = harmless.highlight(source)
    assert without_tags(marked) == source.strip("\n")
    assert set(re.findall(r"<[^>]*>", marked)) <= {f'<span class="{c}">' for c in "cskmfb"} | {"</span>"}


def test_of_many_empty_lines_few_are_shown() -> None:
    """Pygments looks at all that follow from each of them."""
    shown = without_tags(harmless.highlight("a = 1" + " \n" * 9_000 + "b = 2\n\nc = 3"))
    assert shown == "a = 1" + "\n" * harmless.MOST_BLANK + "b = 2\n\nc = 3"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("**bold** and `x < y`", "<p><strong>bold</strong> and <code>x &lt; y</code></p>"),
        (
            "&lt;b&gt;escaped by the transplant&lt;/b&gt;",
            "<p>&lt;b&gt;escaped by the transplant&lt;/b&gt;</p>",
        ),
        ("[notes](https://a.example/b)", "<p>notes (https://a.example/b)</p>"),
        ("[click](javascript:alert(1))", "<p>click</p>"),
        ("$a_{ij} < b$", "<p>$a_{ij} &lt; b$</p>"),
        ("# Title", "<p><strong>Title</strong></p>"),
        ("&gt; quoted", "<blockquote>\n<p>quoted</p>\n</blockquote>"),
    ],
)
def test_markdown(source: str, shown: str) -> None:
    assert harmless.markdown(source).strip() == shown


@pytest.mark.parametrize(
    "pattern",
    [
        "[",
        "![",
        "*a **b ",
        "`",
        "<",
        "<a ",
        ">",
        "- ",
        "[a](b",
        "<!--",
        "$",
        "&",
        "'",
        "f'{",
        "\\",
        "(",
        "'''",
        "/a",
        "/a ",
        "\x1b[",
        "\x1b]",
        "\r",
        "C:\\a\\ ",
        "~/",
        "/ipykernel_1",
        "Cell In[",
        "|a",
    ],
)
def test_no_text_makes_a_page_slow(pattern: str) -> None:
    began = time.monotonic()
    text = pattern * (harmless.MAX_CODE // len(pattern))
    harmless.markdown(text)
    harmless.highlight(text)
    harmless.plain(text * 10)
    assert time.monotonic() - began < 10


def test_only_a_png_is_a_picture() -> None:
    assert harmless.png_size(png(40, 30)) == (40, 30)
    assert harmless.png_size(png(40, 30)[:40] + "\n" + png(40, 30)[40:]) == (40, 30)
    assert harmless.png_size(png(100_000, 1)) == (100_000, 1)
    for bad in ("", "x", 'x" onerror="alert(1)', png()[:20], "R0lGODlhAQABAAAAACw=", "PHN2Zy8+" * 9):
        assert harmless.png_size(bad) is None
    huge = png().replace(png()[21:27], "f/8Af/")  # the header says millions of pixels
    assert harmless.png_size(huge) is None
