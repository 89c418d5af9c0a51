"""What a student wrote, printed or drew, made harmless and readable for a page.

Text comes back as plain text, which the templates escape; `highlight` and `markdown` alone return HTML, made of
a few elements. Terminal codes, endless output and the paths of a machine are left out.
"""

import base64
import binascii
import re
import struct
from collections.abc import Iterator
from html import unescape

import bleach
import mistune
from markupsafe import Markup, escape
from pygments import token
from pygments.lexers import PythonLexer

HEAD, TAIL = 40, 20  # lines of an output that are shown
MAX_LINE = 600  # characters
MAX_CODE = 20_000  # characters of a cell's source, code or markdown
MAX_PIXELS = 40_000_000
MOST_BLANK = 30  # lines in a row that are shown of a cell's source

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
# Control characters, and those that turn the reading direction of what stands beside them.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
# Here as elsewhere: nothing that takes more than a few steps a character, whatever the text.
_WORD = re.compile(r"[^\s\"'`()\[\]{}<>,;=|:]+")
_WINDOWS_FOLDER = re.compile(r"(?<!\w)[A-Za-z]:\\[^\s\"'<>|:]*\\")
_BLANK = re.compile(rf"(?<![^\S\n])(?:[^\S\n]*+\n){{{MOST_BLANK},}}")
_CELL_LINE = re.compile(r"your cell:(\d+)")
_CELL_NUMBER = re.compile(r"Cell In\s?\[\d+\]")

_CLASSES = (
    (token.Comment, "c"),
    (token.Literal.String, "s"),
    (token.Literal.Number, "m"),
    (token.Keyword, "k"),
    (token.Operator.Word, "k"),
    (token.Name.Function, "f"),
    (token.Name.Class, "f"),
    (token.Name.Builtin, "b"),
)
_TAGS = (
    "p",
    "br",
    "hr",
    "em",
    "strong",
    "del",
    "code",
    "pre",
    "blockquote",
    "ul",
    "ol",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
)


def plain(text: str) -> str:
    """Text as a terminal would leave it on the screen, without colours and without paths of a machine."""
    text = _ANSI.sub("", text).replace("\r\n", "\n")
    lines = (next((part for part in reversed(line.split("\r")) if part), "") for line in text.split("\n"))
    return hide_paths(_CONTROL.sub("", "\n".join(lines)))


def hide_paths(text: str) -> str:
    """Shorten absolute paths: ``/tmp/somebody/x.py`` → ``…/x.py``, one of a package to its name in there."""
    text = _WORD.sub(_shortened, _WINDOWS_FOLDER.sub("…/", text))
    return _CELL_LINE.sub(r"your cell, line \1", text)


def _shortened(word: re.Match[str]) -> str:
    path = word[0].removeprefix("//") if word[0].startswith("///") else word[0]  # file:///home/…
    folder, _, name = path.rpartition("/")
    if not path.startswith(("/", "~/")) or path.startswith("//") or folder in ("", "~"):
        return word[0]
    if "/ipykernel_" in folder:
        return "your cell"
    for packages in ("/site-packages/", "/dist-packages/"):
        if packages in path:
            return path.rpartition(packages)[2]
    return f"…/{name}"


def cut(text: str) -> str:
    """The first and the last lines of a long text, and how many are missing between them."""
    lines = text.strip("\n").split("\n")
    if len(lines) > HEAD + TAIL + 1:
        lines[HEAD:-TAIL] = [f"… {len(lines) - HEAD - TAIL:,} lines left out …"]
    return "\n".join(line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]} …" for line in lines)


def shown_traceback(entries: list[str]) -> str:
    """A traceback as far as it leads through the student's own code; of a library only where."""
    told = []
    for entry in entries:
        text = _CELL_NUMBER.sub("Your cell", plain(entry)).strip("\n")
        if text.startswith("-----") or text.endswith("Traceback (most recent call last)"):
            continue
        told.append(text.partition("\n")[0] if text.startswith("File ") else text)
    return cut("\n".join(told))


def highlight(source: str) -> Markup:
    """Python source with its syntax marked by ``<span class="…">``."""
    pieces = [Markup()]
    for kind, text in _tokens(_BLANK.sub("\n" * MOST_BLANK, _limited(_CONTROL.sub("", source)))):
        name = next((name for family, name in _CLASSES if kind in family), "")
        if name in ("c", "s"):
            text = hide_paths(text)
        pieces.append(Markup('<span class="{}">{}</span>').format(name, text) if name else escape(text))
    return Markup().join(pieces)


def _tokens(source: str) -> Iterator[tuple[token._TokenType, str]]:
    yield from PythonLexer(stripnl=False, ensurenl=False).get_tokens(source.strip("\n"))


def markdown(source: str) -> Markup:
    """Markdown as HTML without attributes: links and pictures become text, HTML in it stays text.

    Args:
        source: markdown, its HTML escaped or not (a transplanted cell's is).
    """
    text = hide_paths(_CONTROL.sub("", _limited(unescape(source))))
    try:
        html = str(_to_html(text))
    except (RecursionError, ValueError):
        return Markup("<pre>{}</pre>").format(text)
    # Whatever the renderer did, nothing but these elements leaves this function.
    return Markup(bleach.clean(html, tags=set(_TAGS), attributes={}, protocols=set(), strip=False))


class _Renderer(mistune.HTMLRenderer):
    """Of markdown what a page without addresses can show."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        shown = str(escape(url))
        return text if text == shown or not url.startswith(("http://", "https://")) else f"{text} ({shown})"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f"<em>[picture: {text or 'without a description'}]</em>"

    def heading(self, text: str, level: int, **attrs: object) -> str:
        return f"<p><strong>{text}</strong></p>\n"

    def block_code(self, code: str, info: str | None = None) -> str:
        return f"<pre>{escape(code)}</pre>\n"


_to_html = mistune.create_markdown(renderer=_Renderer(escape=True), plugins=["table", "strikethrough"])


def _limited(source: str) -> str:
    if len(source) <= MAX_CODE:
        return source
    return f"{source[:MAX_CODE]}\n# … {len(source) - MAX_CODE:,} characters left out …"


def png_size(data: str) -> tuple[int, int] | None:
    """Width and height in pixels of a base64-coded PNG; None where it is none, or too large to be shown."""
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(content) < 24 or content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return (width, height) if 0 < width * height <= MAX_PIXELS else None
