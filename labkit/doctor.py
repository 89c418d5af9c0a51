"""What works on this machine, and what to do about what does not."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from labkit.errors import LabbookError

FREE_BYTES = 2 << 30


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ``broken`` needs a remedy, a ``note`` is good to know."""

    what: str
    status: Literal["ok", "note", "broken"]
    found: str
    remedy: str = ""


# What other packages look at: each gives findings. The autograder adds its walls.
examinations: list[Callable[[], list[Finding]]] = []


def examine_machine() -> list[Finding]:
    """Look at Python, the packages, TensorFlow, the GPU, the fork server, the lab book, the disk and the data."""
    ours = [_python(), *_packages(), *_tensorflow(), _fork_server(), _lab_book(), _tools(), _disk()]
    return ours + [finding for look in examinations for finding in look()] + _data()


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("Python", "ok", found)
    return Finding("Python", "broken", found, "Use Python 3.11, 3.12 or 3.13.")


def _packages() -> list[Finding]:
    findings = []
    for name in ("jupyterlab", "nbgrader", "papermill", "matplotlib", "scikit-learn"):
        try:
            findings.append(Finding(name, "ok", version(name)))
        except PackageNotFoundError:
            findings.append(Finding(name, "broken", "missing", "Run `make setup`."))
    return findings


def _tensorflow() -> list[Finding]:
    """Asked in another process: an import that crashes must not take the doctor with it."""
    code = (
        "import tensorflow as tf, keras\n"
        "gpus = tf.config.list_physical_devices('GPU')\n"
        "name = tf.config.experimental.get_device_details(gpus[0]).get('device_name', 'GPU') if gpus else ''\n"
        "print(f'LABBOOK|{tf.__version__}|{keras.__version__}|{float(tf.reduce_sum(tf.ones((2, 2))))}|{name}')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    told = [line for line in ran.stdout.splitlines() if line.startswith("LABBOOK|")]
    if ran.returncode or not told:
        last = (ran.stderr.strip().splitlines() or [f"exit {ran.returncode}"])[-1]
        return [Finding("TensorFlow", "broken", last[:100], "Run `make setup`; see `pip check`.")]
    _, tensorflow, keras, total, gpu = told[0].split("|")
    works: Literal["ok", "broken"] = "ok" if total == "4.0" else "broken"
    findings = [Finding("TensorFlow", works, f"{tensorflow}, Keras {keras}")]
    if gpu:
        findings.append(Finding("GPU", "ok", gpu))
    elif shutil.which("nvidia-smi"):
        findings.append(
            Finding("GPU", "note", "there is one, TensorFlow does not see it", "Run `make setup-gpu`.")
        )
    else:
        findings.append(Finding("GPU", "note", "none: everything runs on the CPU"))
    return findings


def _fork_server() -> Finding:
    """Started for good: who asks the doctor is about to use it."""
    from labkit.forkserver import Server, ServerError

    began = time.monotonic()
    try:
        pid = Server.connect().pid
    except ServerError as error:
        return Finding("Fork server", "broken", "does not start", str(error))
    return Finding("Fork server", "ok", f"answers as process {pid}, after {time.monotonic() - began:.1f} s")


def _lab_book() -> Finding:
    from labkit.workspace import find_root

    try:
        root = find_root()
    except LabbookError as error:
        return Finding("Lab book", "broken", "not found", str(error))
    return Finding("Lab book", "ok", f"{len(list((root / 'labs').glob('*/*.ipynb')))} labs in {root}")


def _tools() -> Finding:
    """nbgrader calls alembic, which must be on the PATH when it makes a gradebook."""
    here = os.path.dirname(sys.executable)
    if shutil.which("alembic", path=os.pathsep.join([here, os.environ.get("PATH", "")])):
        return Finding("alembic", "ok", "found")
    return Finding("alembic", "broken", "missing", "Run `make setup`.")


def _disk() -> Finding:
    free = shutil.disk_usage(os.getcwd()).free
    found = f"{free / 2**30:.0f} GiB free here"
    if free >= FREE_BYTES:
        return Finding("Disk", "ok", found)
    return Finding("Disk", "note", found, "Full-scale data and many submissions want 2 GiB.")


def _data() -> list[Finding]:
    from labkit import data

    return [
        Finding(name, "ok", str(where))
        if where
        else Finding(name, "note", "not here", "Only full scale needs it; it is downloaded then.")
        for name, where in data.status()
    ]
