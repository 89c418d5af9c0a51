"""Examine one submission: open its rooms, listen to the examiner, open them again where one is lost.

A room that is lost costs its question. All rooms then start afresh: the answer cells run again, without one that
killed the room, and examination goes on with the next question. Where memory, disk or threads had run out and other
questions had used the room before, that question is first tried again in fresh ones. A result comes whatever happens.
Nothing that the rooms say is believed beyond its form: the examiner decodes what an enemy wrote.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import marshal
import shutil
import socket
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograder import walls, wire
from autograder.rooms import outputs
from labkit.checks import Part
from labkit.forkserver import Child, Server, ServerError, Spec, remove_tree

MOST_READERS = 50  # of one pass; `forkserver.MOST_DESCRIPTORS` leaves room for a connection to each
GRACE = 3.0  # seconds that the examiner may be late with a report
STATUSES = frozenset(
    ["passed", "partial", "failed", "not_attempted", "error", "timeout", "crashed", "out_of_memory"]
)
# How the server says that a child ended, as a question's status
ENDINGS = {
    "out_of_memory": "out_of_memory",
    "disk_full": "crashed",
    "too_many_threads": "crashed",
    "timeout": "timeout",
}
USED_UP = frozenset(["out_of_memory", "disk_full", "too_many_threads"])
LOST = {
    "timeout": "The code ran longer than it may and did not stop when told to.",
    "crashed": "The process that ran the code ended here.",
    "out_of_memory": "The code took more memory than it may.",
    "disk_full": "The code wrote more or larger files than it may.",
    "too_many_threads": "The code started more threads than it may.",
}


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Args:
        cell_seconds: time of one setup or answer cell.
        question_seconds: time of one test cell, all its calls together.
        notebook_seconds: time of the whole notebook.
        memory: bytes that the student's code may allocate; the examiner may twice as many.
        resident: bytes of memory that a room may occupy, however it came to them.
        disk: bytes in the working folder.
        files: files in the working folder.
        threads: threads of a room.
    """

    cell_seconds: float = 30.0
    question_seconds: float = 20.0
    notebook_seconds: float = 120.0
    memory: int = 1 << 30
    resident: int = 2 << 30
    disk: int = 256 << 20
    files: int = 2000
    threads: int = 200


def examine(
    server: Server,
    cells: Sequence[dict[str, Any]],
    work_folder: Path | str | None = None,
    limits: Limits | None = None,
    seed: bytes = b"",
    *,
    unsafe: bool = False,
) -> dict[str, Any]:
    """Run a notebook's answers and tests, each in its room.

    Args:
        server: where the rooms are forked.
        cells: `{"id", "kind": "setup" | "answer" | "test", "source", "points"}` in the notebook's order; points of
            tests only. Setup and tests must be ours; answers are the student's.
        work_folder: a folder whose content the student's code finds in its own; every pass begins with a fresh copy.
        limits: what the submission may use.
        seed: of the hidden inputs, for `labkit.checks.seed`; each test cell gets its own, made from it and its id.
        unsafe: go on where a wall is missing.

    Returns:
        `{"questions": {id: a labkit.checks.Result as a dict},
        "cells": {id: {"outputs", "error", "seconds"}}, "seconds", "passes"}`. A question's id is its test cell's
        without "test-". Outputs are a notebook's, text and PNG only. An error is None or
        `{"type", "text", "lines"}`. "broken" is there where a setup cell of ours failed in the examination room.

    Raises:
        walls.WallsMissing: if this machine cannot confine a room.
        labkit.forkserver.ServerError: if the server is gone.
    """
    return _Examination(server, list(cells), work_folder, limits or Limits(), seed, unsafe).run()


class _Examination:
    def __init__(
        self,
        server: Server,
        cells: list[dict[str, Any]],
        work_folder: Path | str | None,
        limits: Limits,
        seed: bytes,
        unsafe: bool,
    ) -> None:
        self.server, self.cells, self.work_folder, self.limits = server, cells, work_folder, limits
        self.seed, self.unsafe = seed, unsafe
        self.began = time.monotonic()
        self.deadline = self.began + limits.notebook_seconds
        self.start = 0  # tests before this cell have been examined
        self.skip: set[int] = set()  # answer cells that lost a room
        self.reports: dict[int, dict[str, Any]] = {}
        self.again: set[int] = set()  # cells that have been given rooms of their own
        self.budget = outputs.Budget()

    def run(self) -> dict[str, Any]:
        passes = 0
        while True:
            passes += 1
            with _Pass(self) as one:
                lost = one.listen()
            if lost is None:
                break
            late = time.monotonic() >= self.deadline
            if late or not self.retry(*lost):
                self.charge(*lost)
            if late or self.start >= len(self.cells) or passes > 2 * len(self.cells):
                break
        return self.result(passes)

    def retry(self, at: int, reason: str) -> bool:
        """Whether this cell is to have fresh rooms: an earlier question may have used up what this one lacked."""
        tests = [n for n, cell in enumerate(self.cells) if cell["kind"] == "test" and self.start <= n < at]
        if reason not in USED_UP or not tests or at >= len(self.cells) or at in self.again:
            return False
        self.again.add(at)
        self.start = at
        return True

    def charge(self, at: int, reason: str) -> None:
        """A room was lost while this cell ran."""
        if at >= len(self.cells):
            return
        report = self.reports.setdefault(at, {})
        status = ENDINGS.get(reason, reason)
        if self.cells[at]["kind"] == "test":
            report["question"] = {
                "points": 0.0,
                "status": status,
                "misconceptions": [],
                "message": LOST[reason],
            }
            self.start = at + 1
        else:
            report["error"] = {"type": status, "text": LOST[reason], "reason": status, "lines": []}
            self.skip.add(at)

    def result(self, passes: int) -> dict[str, Any]:
        questions: dict[str, Any] = {}
        shown: dict[str, Any] = {}
        failed: list[dict[str, Any]] = []  # answer cells since the last test
        for number, cell in enumerate(self.cells):
            report = self.reports.get(number, {})
            error = _clean_error(report.get("error"))
            if cell["kind"] == "test":
                questions[cell["id"].removeprefix("test-")] = self.question(cell, report, failed)
                failed = []
            elif error is not None and cell["kind"] == "answer":
                failed.append(error | {"reason": report["error"].get("reason")})
            shown[cell["id"]] = {
                "outputs": report.get("outputs", []),
                "error": error,
                "seconds": report.get("seconds", 0.0),
            }
            if "broken" in report:
                shown[cell["id"]]["broken"] = outputs.clean_text(report["broken"], 500)
        return {
            "questions": questions,
            "cells": shown,
            "seconds": round(time.monotonic() - self.began, 4),
            "passes": passes,
        }

    def question(
        self, cell: dict[str, Any], report: dict[str, Any], failed: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """A question's result, whatever the examiner said."""
        most = float(cell.get("points") or 0.0)
        said = report.get("question")
        if type(said) is not dict:
            said = {
                "points": 0.0,
                "status": "timeout",
                "misconceptions": [],
                "message": "No time was left for this question.",
            }
        points: Any = said.get("points")
        status = said.get("status")
        named = said.get("misconceptions")
        question: dict[str, Any] = {
            "question": cell["id"].removeprefix("test-"),
            "points": min(max(float(points), 0.0), most) if type(points) in (int, float) else 0.0,
            "max_points": most,
            "status": status if status in STATUSES else "error",
            "misconceptions": [outputs.clean_text(name, 80) for name in named[:20]]
            if type(named) is list
            else [],
            "message": outputs.clean_text(said.get("message"), 4000),
            "why": outputs.clean_text(said.get("why"), 1000),
            "parts": _clean_parts(said.get("parts")),
        }
        for error in failed:  # what the test says then is only what follows from it
            if (
                question["status"] in ("not_attempted", "error", "failed")
                and error["type"] != "NotImplementedError"
            ):
                reason = error["reason"]
                question["status"] = reason if reason in STATUSES else "error"
                line = f" (line {error['lines'][-1][0]})" if error["lines"] else ""
                kind = "" if error["type"] in STATUSES else f" with {error['type']}"
                why = f"The answer cell stopped{kind}{line}: {error['text']}"
                question["message"] = f"{why}\n{question['message']}".strip()
        return question


def _clean_parts(parts: Any) -> list[dict[str, Any]]:
    """What the examiner says of the sub-checks, in the form of `labkit.checks.Part`."""
    found = []
    for part in parts[:100] if type(parts) is list else ():
        if type(part) is not dict or part.get("status") not in STATUSES:
            continue
        weight: Any = part.get("weight")
        texts = {
            name: outputs.clean_text(part.get(name), 1000)
            for name in ("label", "message", "misconception", "hint")
        }
        clean = Part(
            weight=float(weight) if type(weight) in (int, float) else 0.0,
            hidden=part.get("hidden") is True,
            status=part["status"],
            needs_value=part.get("needs_value") is True,
            **texts,
        )
        found.append(dataclasses.asdict(clean))
    return found


def _clean_error(error: Any) -> dict[str, Any] | None:
    """An answer cell's error, in its form."""
    if type(error) is not dict:
        return None
    lines = []
    for line in error.get("lines") or []:
        if type(line) is list and len(line) == 2 and type(line[0]) is int:
            lines.append([line[0], outputs.clean_text(line[1], 200)])
    return {
        "type": outputs.clean_text(error.get("type"), 80),
        "text": outputs.clean_text(error.get("text"), 2000),
        "lines": lines[:4],
    }


@functools.lru_cache(maxsize=1000)
def compiled(source: str, name: str) -> types.CodeType | str:
    """One of our cells, compiled once for all submissions, or what is wrong with it."""
    lines = ["pass" if line.startswith(("%", "!")) else line for line in source.splitlines()]
    try:
        return compile("\n".join(lines), name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return str(error)


class _Pass:
    """The rooms of one pass, all gone at its end."""

    def __init__(self, examination: _Examination) -> None:
        self.exam = examination
        self.stack = contextlib.ExitStack()
        self.reader: Child | None = None

    def __enter__(self) -> _Pass:
        try:
            self._open()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.kill()
        remove_tree(
            self.work
        )  # here, since it may take long; it would keep the server from its other children
        self.stack.close()

    def _pair(self) -> tuple[socket.socket, socket.socket]:
        one, other = socket.socketpair()
        return self.stack.enter_context(one), self.stack.enter_context(other)

    def _fork(
        self, target: str, arguments: dict[str, Any], ends: Sequence[socket.socket], **limits: Any
    ) -> Child:
        exam = self.exam
        arguments |= {"read": walls.readable(), "unsafe": exam.unsafe}
        spec = Spec(
            target,
            arguments,
            seconds=exam.limits.notebook_seconds + 30,
            threads=exam.limits.threads,
            **limits,
        )
        child = self.stack.enter_context(exam.server.fork(spec, [end.fileno() for end in ends]))
        for end in ends:
            end.close()
        return child

    def _open(self) -> None:
        exam, limits = self.exam, self.exam.limits
        self.work = exam.server.folder()
        if exam.work_folder is not None:
            shutil.copytree(exam.work_folder, self.work, dirs_exist_ok=True, symlinks=True)
        answer, asked = self._pair()
        ours, theirs = self._pair()
        # A reading room that was given files serves no other question; a setup cell may want one, too
        questions = sum(cell["kind"] == "test" for cell in exam.cells)
        pairs = [self._pair() for _ in range(min(questions + 1, MOST_READERS))]
        self.reader_ends = [end for end, _ in pairs]
        self.answer = self._fork(
            "autograder.rooms.answer:main",
            {
                "work": str(self.work),
                "memory": limits.memory,
                "cpu_seconds": int(2 * limits.notebook_seconds) + 1,
            },
            [answer],
            folder=str(self.work),
            memory=limits.resident,
            disk=limits.disk,
            files=limits.files,
        )
        scratch = exam.server.folder()
        self.examiner = self._fork(
            "autograder.rooms.examination:main",
            {"work": str(scratch), "memory": 2 * limits.memory},
            [asked, theirs, *(end for _, end in pairs)],
            folder=str(scratch),
            memory=2 * limits.resident,
        )
        self.boss = wire.Channel(ours)
        codes = [
            "" if cell["kind"] == "answer" else compiled(cell["source"], cell["id"]) for cell in exam.cells
        ]
        self.boss.send(
            {
                "cells": exam.cells, "start": exam.start, "skip": sorted(exam.skip), "seed": exam.seed.hex(),
                "cell_seconds": limits.cell_seconds, "question_seconds": limits.question_seconds,
            },
            [marshal.dumps(codes)],
            deadline=exam.deadline,
        )  # fmt: skip

    def _start_reading(self) -> None:
        """The examiner has a model or a file to look at, and no reading room is there."""
        limits = self.exam.limits
        if not self.reader_ends:
            raise wire.ProtocolError("asked for more reading rooms than there are")
        if self.reader is not None:
            self.reader.close()
        scratch = self.exam.server.folder()
        self.reader = self._fork(
            "autograder.rooms.reading:main",
            {"work": str(self.work), "scratch": str(scratch), "memory": limits.memory},
            [self.reader_ends.pop(0)],
            folder=str(scratch),
            memory=limits.resident,
            disk=limits.disk,
        )

    def listen(self) -> tuple[int, str] | None:
        """Take the examiner's reports: None when it is through, or the cell at which a room was lost, and why."""
        exam, at = self.exam, 0
        longest = max(exam.limits.cell_seconds * 2, exam.limits.question_seconds) + GRACE
        while True:
            try:
                report, _ = self.boss.receive(min(exam.deadline, time.monotonic() + longest))
                if report.get("want") == "reading":
                    self._start_reading()
                    continue
                if "walls" in report:
                    raise walls.WallsMissing(outputs.clean_text(report["walls"], 500))
                if report.get("done") is True and at == len(exam.cells):
                    return None
                if report.get("cell") != at or at >= len(exam.cells):
                    raise wire.ProtocolError("a report out of turn")
            except wire.RoomLost as lost:  # the examiner itself
                reason = lost.reason if lost.reason == "timeout" else self._why(self.examiner)
                return at, reason
            except wire.ProtocolError:
                return at, "crashed"
            lost_ = report.pop("lost", None)
            known = exam.reports.get(at)
            if known is None or "question" in report:
                exam.reports[at] = report | {"outputs": exam.budget.spend(report.get("outputs"))}
            if lost_ is not None:
                timeout = type(lost_) is list and lost_[:1] == ["timeout"]
                return at, "timeout" if timeout else self._why(self.answer)
            at += 1

    def _why(self, room: Child) -> str:
        """Why a room ended: the server knows better than those who missed its answer."""
        ending = room.wait(1.0)  # freeing gigabytes takes a while
        if ending is not None and ending.status == "server_lost":
            raise ServerError("The fork server ended during an examination.")
        return ending.status if ending is not None and ending.status in LOST else "crashed"
