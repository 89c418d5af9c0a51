"""Files written whole or not at all, and notebooks in the form that we commit."""

import os
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode


def dumps(notebook: NotebookNode) -> str:
    """The notebook as the text that we commit."""
    return str(nbformat.writes(notebook, version=4)) + "\n"


def write(path: Path, text: str) -> None:
    """Write a file so that it is the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # a name may be as long as it can be
    try:
        with open(number, "w") as handle:
            handle.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
