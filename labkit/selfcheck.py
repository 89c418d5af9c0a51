"""A student's visible checks, run outside JupyterLab."""

import os
from pathlib import Path
from typing import Any

from labkit import rendering
from labkit.errors import LabbookError

CELL_SECONDS = 300


def check_notebook(path: Path) -> list[dict[str, Any]]:
    """Run a student's notebook, explore cells left out, and return the results of its checks.

    Args:
        path: the notebook.

    Returns:
        For each question, in order, a `labkit.checks.Result` as a dict.

    Raises:
        LabbookError: there is no notebook at ``path``, or it does not run to its end.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    if not path.is_file():
        raise LabbookError(f"No notebook at {path}: give the path of your .ipynb file.")
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # whatever stands in the file
        raise LabbookError(
            f"{path} is not a notebook ({type(error).__name__}): save it from JupyterLab again."
        ) from None
    notebook.cells = [cell for cell in notebook.cells if "explore" not in cell.metadata.get("tags", [])]
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    try:
        client.execute(env={**os.environ, "LABBOOK_BATCH": "1", "TF_CPP_MIN_LOG_LEVEL": "3"})
    except CellTimeoutError:
        raise LabbookError(
            f"A cell of {path.name} took more than {CELL_SECONDS} s: look for a loop without end."
        ) from None
    except DeadKernelError:
        raise LabbookError(
            f"The kernel died while running {path.name}: look for a cell that needs too much memory."
        ) from None
    results = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if rendering.MIME in output.get("data", {}):
                results.append(dict(output.data[rendering.MIME]))
    return results
