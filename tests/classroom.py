"""A small class for the tests of pages: hand-ins of the toy lab, recorded with examinations made by hand."""

import base64
import os
import re
import shutil
import struct
import zlib
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal

import nbformat

from autograder import cache, gradebook
from autograder.build import build
from autograder.cells import grade_id, kind
from autograder.examination import Examination, Limits
from autograder.files import dumps
from autograder.intake import Submission, read_submission
from autograder.labs import Lab, find_labs
from autograder.transplant import transplanted
from labkit.checks import Part, Result

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
POINTS = {"output-size": 3.0, "biases": 1.0, "softmax": 2.0}


def examples(whole: int) -> int:
    """How many examples hypothesis tries: all in `make proof`, a tenth in `make test`."""
    return whole if os.environ.get("LABBOOK_PROOF") == "1" else whole // 10


def lab_book(root: Path) -> Lab:
    """A lab book with the toy lab, built."""
    shutil.copyfile(HERE.parent / "nbgrader_config.py", root / "nbgrader_config.py")
    shutil.copytree(HERE / "toy_lab", root / "solutions" / "01_toy")
    lab = find_labs(root)[0]
    build([lab])
    return lab


def hand_in(
    course: Path,
    lab: Lab,
    student: str,
    answers: dict[str, str] | None = None,
    extras: dict[str, list[Any]] | None = None,
) -> Submission:
    """A student's notebook: the answers filled in, cells of their own behind the answer (or "" for the top)."""
    notebook = nbformat.read(lab.release, as_version=4)
    cells = list((extras or {}).get("", []))
    for cell in notebook.cells:
        name = grade_id(cell)
        if kind(cell) == "answer":
            cell.source = (answers or {}).get(name, cell.source)
        cells.append(cell)
        cells += (extras or {}).get(name, []) if kind(cell) == "answer" else []
    notebook.cells = cells
    folder = course / "submitted" / student / lab.name
    folder.mkdir(parents=True)
    (folder / lab.release.name).write_text(dumps(notebook))
    return Submission(student, lab, folder)


def record(course: Path, submission: Submission, results: list[Result], outputs: dict[str, Any]) -> None:
    """Keep an examination where recording looks for it, and record."""
    lab = submission.lab
    found = Examination({result.question: result.to_dict() for result in results}, outputs, 0.5)
    notebook = transplanted(lab, read_submission(submission))
    cache.store(course, cache.key(course, lab, notebook, Limits()), found)
    gradebook.record(lab.root, course, submission)


def result(name: str, status: str, *parts: Part, **more: Any) -> Result:
    """A result with the points that its status stands for."""
    points = POINTS[name] * {"passed": 1.0, "partial": 0.5}.get(status, 0.0)
    names = [part.misconception for part in parts if part.misconception]
    return Result(name, points, POINTS[name], status, names, parts=list(parts), **more)


def passed(name: str) -> Result:
    """A right answer's result."""
    parts = (Part("a visible check", 1, False, "passed"), Part("SECRET-LABEL", 1, True, "passed"))
    return result(name, "passed", *parts, why="Every shape of the course follows from it.")


def not_attempted(name: str) -> Result:
    """An untouched answer's result."""
    return result(name, "not_attempted", Part("a visible check", 1, False, "not_attempted"))


def png(width: int = 4, height: int = 2) -> str:
    """A grey picture, base64-coded."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x88" * width) * height)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + content).decode()


class _Dangers(HTMLParser):
    """Collects everything in a page that a browser could run, fetch or send."""

    ATTRIBUTES = re.compile(
        "alt|aria-(hidden|label|labelledby)|charset|class|content|height|href|http-equiv|id|lang|name|role|scope|src|"
        "style|tabindex|title|viewbox|width|x[12]?|y[12]?|rx"
    )
    ELEMENTS = re.compile(
        "a|blockquote|body|br|code|del|details|div|em|figure|footer|h[123]|head|header|hr|html|img|li|line|main|meta|"
        "nav|ol|p|pre|rect|section|span|strong|style|summary|svg|table|tbody|td|text|th|thead|title|tr|ul"
    )

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_style = tag == "style"
        marks = dict(attrs)
        if not self.ELEMENTS.fullmatch(tag) or (tag == "img" and not (marks.get("alt") or "").strip()):
            self.found.append(self.get_starttag_text() or tag)
        for name, value in attrs:
            address = (value or "").strip()
            good = self.ATTRIBUTES.fullmatch(name) is not None
            good &= name != "src" or re.fullmatch(r"data:image/png;base64,[\w+/]+=*", address) is not None
            good &= name != "href" or re.match(r"#|(?:\.\./)*feedback/[\w%.~/-]+\.html$", address) is not None
            good &= name != "style" or re.fullmatch(r"width:[\d.]+%", address) is not None
            good &= name != "http-equiv" or address == "Content-Security-Policy"
            if not good:
                self.found.append(f"{tag} {name}={value!r}")

    def handle_data(self, data: str) -> None:
        if self.in_style and re.search(r"url\(|@import|expression", data):
            self.found.append("an address in a style sheet")
        self.in_style = False


def dangers(page: str) -> list[str]:
    """What is in a page beyond text, known elements, links within it and PNGs of its own."""
    parser = _Dangers()
    parser.feed(page)
    parser.close()
    return parser.found


def text_of(page: str) -> str:
    """What a reader sees of a page, folded parts included; its blanks made single."""
    body = page[page.index("<body") :]
    body = re.sub(r"</?(?:td|th|tr|li|p|div|h\d|pre|summary)\b[^>]*>", " ", body)
    return " ".join(unescape(re.sub(r"<[^>]*>", "", body)).split())


def open_in_chromium(pages: list[Path], scheme: Literal["light", "dark"], width: int) -> list[str]:
    """What a headless Chromium complains of, asks for, or cannot show without scrolling sideways."""
    from playwright.sync_api import sync_playwright

    events: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        tab = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        tab.on("dialog", lambda dialog: (events.append(f"dialog {dialog.message}"), dialog.dismiss()))
        tab.on("console", lambda message: events.append(f"console {message.type}: {message.text}"))
        tab.on("pageerror", lambda error: events.append(f"error {error}"))
        tab.on("request", lambda request: events.append(f"request {request.url}"))
        for page in pages:
            tab.goto(page.as_uri())
            for summary in tab.locator("summary").all():
                summary.click()
            tab.wait_for_timeout(100)
            if tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
                events.append(f"{page} is wider than {width} pixels")
        browser.close()
    own = [f"request {page.as_uri()}" for page in pages]
    return [
        event
        for event in events
        if event not in own and not event.startswith("request data:image/png;base64,")
    ]
