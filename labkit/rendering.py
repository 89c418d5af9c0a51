"""How the result of a question looks: in a notebook, in a terminal and on a feedback page."""

import sys
from html import escape
from typing import Any

MIME = "application/vnd.labbook.question+json"

# Okabe and Ito's colours, which colour-blind readers tell apart, dark enough for white and light enough for black.
COLOURS = {"passed": "#009e73", "partial": "#e69f00", "not_attempted": "#888888"}
WRONG = "#d55e00"
MARKS = {"passed": "✓", "partial": "◐", "not_attempted": "○"}
WORDS = {
    "passed": "right",
    "partial": "partly right",
    "failed": "not right yet",
    "not_attempted": "not attempted",
    "error": "stopped with an error",
    "timeout": "ran out of time",
    "crashed": "crashed",
    "out_of_memory": "ran out of memory",
}


def lines(result: dict[str, Any]) -> list[tuple[str, str]]:
    """The (status, text) of every sub-check worth a line.

    A hint is given once. Hidden checks are summed up in one line, with the hints of the misconceptions that they
    recognised.
    """
    if result["status"] == "not_attempted":
        return []
    told = []
    given: set[str] = set()
    for part in result["parts"]:
        if not part["hidden"]:
            words = [part["label"], part["message"], part["hint"] if part["hint"] not in given else ""]
            given.add(part["hint"])
            if part["status"] == "not_attempted" and not part["message"]:
                words[1] = "Not attempted."
            told.append((part["status"], " — ".join(word for word in words if word)))
    hidden = [part for part in result["parts"] if part["hidden"]]
    if hidden:
        passed = sum(part["status"] == "passed" for part in hidden)
        hints = dict.fromkeys(part["hint"] for part in hidden if part["hint"] not in given | {""})
        status = "passed" if passed == len(hidden) else "failed"
        told.append((status, " — ".join([f"{passed} of {len(hidden)} hidden checks", *hints])))
    return told


def headline(result: dict[str, Any]) -> str:
    """One line: the question, its points, and what that means."""
    points = f"{result['points']:g} of {result['max_points']:g} points"
    return f"{result['question']}: {points}, {WORDS[result['status']]}"


def text(result: dict[str, Any]) -> str:
    """The result as plain text."""
    told = [f"{MARKS.get(result['status'], '✗')} {headline(result)}"]
    told += [f"  {MARKS.get(status, '✗')} {line}" for status, line in lines(result)]
    if remark := _remark(result):
        told.append(f"  {remark}")
    return "\n".join(told)


def html(result: dict[str, Any]) -> str:
    """The result as HTML without script, style sheet or address; readable on light and dark."""
    colour = COLOURS.get(result["status"], WRONG)
    rows = [f"<strong>{escape(headline(result))}</strong>"]
    for status, line in lines(result):
        mark = f'<span style="color:{COLOURS.get(status, WRONG)}">{MARKS.get(status, "✗")}</span>'
        rows.append(f"<div>{mark} {escape(line)}</div>")
    if remark := _remark(result):
        rows.append(f"<div><em>{escape(remark)}</em></div>")
    style = f"border-left:4px solid {colour};padding:.2em .8em;line-height:1.5"
    return f'<div style="{style}">{"".join(rows)}</div>'


def bundle(result: dict[str, Any]) -> dict[str, Any]:
    """The result as the data of a notebook's output, for people and for machines."""
    return {"text/plain": text(result), "text/html": html(result), MIME: result}


def show(result: dict[str, Any]) -> None:
    """Display the result in a notebook, print it elsewhere."""
    ipython = sys.modules.get("IPython")
    if ipython and ipython.get_ipython():
        ipython.display.display(bundle(result), raw=True)
    else:
        print(text(result))


def _remark(result: dict[str, Any]) -> str:
    if result["status"] == "not_attempted":
        return "Write your answer in the cell above, run it, then run this cell again."
    if result["status"] == "passed":
        more = "" if any(part["hidden"] for part in result["parts"]) else "Grading adds hidden checks."
        return " ".join(word for word in (result["why"], more) if word)
    return ""
