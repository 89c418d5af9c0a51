"""Examinations kept by what went into them: the interface between examining and recording.

``examine`` is a pure function of the transplanted notebook, the lab, the course's secret, the limits and the
versions of what runs it. Its result lies in ``<course>/.examined/<key>.json``.
"""

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.cells import kind
from autograder.examination import SKIPPED, Examination, Limits
from autograder.files import write
from autograder.labs import Lab
from labkit.errors import LabbookError

PACKAGES = ("cnn-labbook", "tensorflow", "keras", "numpy")


def open_course(course: Path) -> Path:
    """The course's folder, made if need be, readable by its owner alone."""
    course.mkdir(parents=True, exist_ok=True, mode=0o700)
    course.chmod(0o700)
    return course


@contextlib.contextmanager
def alone(course: Path) -> Iterator[None]:
    """Be the only one who grades this course, and remove what a killed run has left half-written.

    Raises:
        LabbookError: somebody else is at it.
    """
    with open(course / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go by the kernel, however we end
        except BlockingIOError:
            raise LabbookError(f"Another grading is at work in {course}: wait until it has ended.") from None
        patterns = (".staged-*", ".secret-*", ".examined/.*", ".recorded/*/.*")
        for left in [left for pattern in patterns for left in course.glob(pattern)]:
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()
        yield


def read_secret(course: Path) -> bytes:
    """The course's secret, drawn at its first use."""
    path = course / ".secret"
    if not path.exists():
        mine = course / f".secret-{secrets.token_hex(8)}"
        mine.touch(mode=0o600)
        mine.write_text(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):  # another process was first: its secret is the course's
            os.link(mine, path)
        mine.unlink()
    return bytes.fromhex(path.read_text())


def notebook_hash(notebook: NotebookNode) -> str:
    """A hash of the cells that count, their kinds and their points."""
    digest = hashlib.sha256()
    for cell in notebook.cells:
        if kind(cell) not in SKIPPED:
            digest.update(
                json.dumps([kind(cell), cell.id, cell.source, dict(cell.metadata)], default=str).encode()
            )
    return digest.hexdigest()


def hidden_seed(course: Path, lab: Lab, notebook: NotebookNode) -> str:
    """The seed of the hidden inputs: nobody without the course's secret can foresee it."""
    material = read_secret(course) + f"\0{lab.name}\0{notebook_hash(notebook)}".encode()
    return hashlib.sha256(material).hexdigest()


@functools.cache
def _code_version() -> str:
    """A hash of the code that examines, beside the versions of what it stands on."""
    digest = hashlib.sha256()
    for package in ("autograder", "labkit"):
        for path in sorted((Path(__file__).parent.parent / package).rglob("*.py")):
            digest.update(path.read_bytes())
    versions = [importlib.metadata.version(name) for name in PACKAGES]
    return digest.hexdigest() + "\0".join(versions)


def key(course: Path, lab: Lab, notebook: NotebookNode, limits: Limits) -> str:
    """The name under which the examination of this notebook is kept."""
    material: list[Any] = [
        notebook_hash(notebook),
        hidden_seed(course, lab, notebook),
        asdict(limits),
        _code_version(),
    ]
    return hashlib.sha256(json.dumps(material).encode()).hexdigest()


def load(course: Path, name: str) -> Examination | None:
    """The examination kept under ``name``, if there is one that can be read."""
    try:
        content = json.loads((course / ".examined" / f"{name}.json").read_text())
        return Examination(**content)
    except (OSError, ValueError, TypeError):
        return None


def store(course: Path, name: str, examination: Examination) -> None:
    """Keep an examination: whole or not at all."""
    write(course / ".examined" / f"{name}.json", json.dumps(examination.to_dict()))
