"""Where the lab book lies, where a student works, and where a lab may write."""

import difflib
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from labkit.errors import LabbookError


def find_root(start: Path | None = None) -> Path:
    """The lab book's folder: the nearest one at or above ``start`` that holds ``nbgrader_config.py`` and ``labs/``.

    Where there is none, it is the folder that this package was installed from. The environment variable
    LABBOOK_ROOT, if set, decides.

    Raises:
        LabbookError: no lab book at any of these places.
    """
    if "LABBOOK_ROOT" in os.environ:
        candidates = [Path(os.environ["LABBOOK_ROOT"])]
    else:
        here = (start or Path.cwd()).resolve()
        candidates = [here, *here.parents, Path(__file__).resolve().parent.parent]
    for folder in candidates:
        if (folder / "nbgrader_config.py").is_file() and (folder / "labs").is_dir():
            return folder.resolve()
    raise LabbookError(
        f"No lab book at {candidates[0]} or above it. Go to its folder (the one with labs/), "
        "or name it in LABBOOK_ROOT."
    )


def workdir() -> Path:
    """A folder of its own for the files that a lab writes; made when first asked for, gone with the kernel."""
    global _workdir
    if _workdir is None:
        _workdir = tempfile.TemporaryDirectory(prefix="lab-")
    return Path(_workdir.name)


_workdir: tempfile.TemporaryDirectory[str] | None = None


def working_copy(root: Path, name: str | None = None) -> tuple[list[Path], list[str]]:
    """Copy the labs to ``work/`` for a student, who owns what lies there: nothing is ever overwritten.

    Args:
        root: the lab book's folder.
        name: one lab, for instance ``"01_lenet5"``; all if None.

    Returns:
        The working copies, and remarks where a lab has changed since it was copied.

    Raises:
        LabbookError: there is no such lab.
    """
    released = {path.parent.name: path for path in sorted((root / "labs").glob("*/*.ipynb"))}
    if name is not None and name not in released:
        near = difflib.get_close_matches(name, released, 1, 0.4)
        raise LabbookError(
            f"No lab {name!r}. "
            + (f"Did you mean {near[0]}?" if near else f"There are: {', '.join(released)}.")
        )
    copies, remarks = [], []
    for lab in [name] if name else released:
        source = released[lab]
        mine = root / "work" / lab / source.name
        base = root / "work" / ".released" / lab / source.name  # as it was when it was copied
        if not mine.exists():
            _copy(source, mine)
            _copy(source, base)
        elif base.is_file() and base.read_bytes() != source.read_bytes():
            newer = mine.with_name(f"{mine.stem}.new.ipynb")
            _copy(source, newer)
            _copy(source, base)
            remarks.append(
                f"{lab} has changed: your copy stays as it is, the new one is {newer.relative_to(root)}."
            )
        copies.append(mine)
    return copies, remarks


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def start_jupyterlab(root: Path, notebook: Path | None, port: int | None, browser: bool) -> None:
    """Become JupyterLab on the working copies, opened at ``notebook``.

    Raises:
        LabbookError: the port is taken.
    """
    if port is not None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise LabbookError(
                    f"Port {port} cannot be used ({error.strerror}): choose another with --port."
                ) from None
    settings = Path(__file__).parent / "jupyterlab"
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={root / 'work'}",
        f"--LabApp.app_settings_dir={settings}",
    ]
    if port is not None:
        command += [f"--port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        command.append("--no-browser")
    if notebook is not None:
        command.append(f"--LabApp.default_url=/lab/tree/{notebook.relative_to(root / 'work')}")
    sys.stdout.flush()
    os.execv(sys.executable, command)
