"""Execute solutions with papermill: their metrics, their seconds, and how each ended."""

import ast
import contextlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config

from autograder.build import source_notebook
from autograder.cells import kind
from autograder.files import dumps, write
from autograder.labs import Lab
from labkit import metrics
from labkit.errors import LabbookError

Status = Literal["ok", "failed", "timeout", "crashed", "out_of_memory", "missing_data"]
Scale = Literal["smoke", "full"]
CELL_SECONDS = {"smoke": 300, "full": 3600}
MAX_SOLUTION = 1_500_000  # bytes of an executed notebook that we commit


@dataclass
class Run:
    """How one lab ended: an entry of ``runs`` in ``labbook run --json``."""

    lab: str
    status: Status = "ok"
    seconds: float = 0.0
    error: str = ""
    notebook: str = ""
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able built-in types."""
        return asdict(self)


def parameters_of(notebook: NotebookNode) -> dict[str, Any]:
    """The names and values that the notebook's parameters cell sets."""
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        if kind(cell) == "parameters":
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    with contextlib.suppress(ValueError):
                        found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def check_parameters(labs: Sequence[Lab], parameters: Mapping[str, Any]) -> None:
    """Raise `LabbookError` where a lab has no parameter of such a name: papermill would only warn."""
    for lab in labs:
        known = parameters_of(source_notebook(lab))
        for name in parameters:
            if name not in known:
                raise LabbookError(f"{lab.name} has no parameter {name!r}; it has {', '.join(known)}.")


def private_kernel(folder: str) -> Config:
    """Let a kernel talk over sockets in ``folder``, which is ours alone, not over ports open to every user."""
    return Config({"KernelManager": {"transport": "ipc", "ip": os.path.join(folder, ".kernel")}})


def run_lab(lab: Lab, parameters: Mapping[str, Any], out: Path, threads: int, events: Any = None) -> Run:
    """Execute one solution in a kernel of its own and write the executed notebook.

    It changes the process's environment and folder, so it runs in a worker process.

    Args:
        lab: what to run.
        parameters: override those of the notebook; ``SCALE`` among them.
        out: the executed notebook is ``out/<lab>/<name>.ipynb``.
        threads: how many threads TensorFlow may use.
        events: a queue that is told (lab, cells done, cells).
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    os.environ |= {
        "LABBOOK_BATCH": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONSAFEPATH": "1",
        "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }
    notebook = source_notebook(lab)
    target = out.resolve() / lab.name / lab.solution.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    run = Run(lab.name, notebook=str(target))
    count = len(notebook.cells)

    def started(cell: NotebookNode, cell_index: int) -> None:
        if events is not None:
            events.put((lab.name, min(cell_index, count), count))

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="labbook-run-") as folder:
        try:
            papermill.execute_notebook(
                notebook,
                target,
                dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                cwd=folder,
                request_save_on_cell_execute=True,
                execution_timeout=CELL_SECONDS[parameters["SCALE"]],
                iopub_timeout=30,
                on_cell_start=started,
                config=private_kernel(folder),
            )
        except papermill.PapermillExecutionError as error:
            run.status = {
                "DataError": "missing_data",
                "MemoryError": "out_of_memory",
                "ResourceExhaustedError": "out_of_memory",
            }.get(error.ename, "failed")  # type: ignore[assignment]
            run.error = f"{error.ename}: {error.evalue}"[:1000]
        except CellTimeoutError:
            run.status, run.error = "timeout", f"A cell took more than {CELL_SECONDS[parameters['SCALE']]} s."
        except DeadKernelError:
            run.status, run.error = "crashed", "The kernel died."
    run.seconds = round(time.monotonic() - began, 1)
    if target.is_file():
        run.metrics = metrics.collect(nbformat.read(target, as_version=4))
    return run


def run_labs(
    labs: Sequence[Lab],
    parameters: Mapping[str, Any],
    out: Path,
    executor: Executor,
    threads: int,
    events: Any = None,
    done: Callable[[Run], None] = lambda run: None,
) -> list[Run]:
    """Execute labs on ``executor``; see `run_lab`. ``done`` is told of every end as it comes."""
    waiting: dict[Future[Run], Lab] = {
        executor.submit(run_lab, lab, parameters, out, threads, events): lab for lab in labs
    }
    runs: dict[str, Run] = {}
    try:
        for future in as_completed(waiting):
            lab, error = waiting[future], future.exception()
            if isinstance(error, LabbookError):
                raise error
            run = (
                future.result()
                if error is None
                else Run(lab.name, "crashed", error=f"{type(error).__name__}: {error}")
            )
            runs[lab.name] = run
            done(run)
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    return [runs[lab.name] for lab in labs]


def update_solution(lab: Lab, executed: Path) -> None:
    """Take the outputs of a smoke run into ``solutions/``.

    Raises:
        LabbookError: the notebook would be larger than we commit.
    """
    outputs = {cell.get("id"): cell for cell in nbformat.read(executed, as_version=4).cells}
    notebook = source_notebook(lab)
    count = 0
    for cell in notebook.cells:
        ran = outputs.get(cell.id)
        if cell.cell_type != "code" or ran is None:
            continue
        count += 1
        # stderr is what libraries say of this machine, for instance that it has no GPU.
        told = [output for output in ran.outputs if output.get("name") != "stderr"]
        cell.outputs = [_scrubbed(output, count) for output in told]
        cell.execution_count = count
    text = dumps(notebook)
    if len(text.encode()) > MAX_SOLUTION:
        raise LabbookError(
            f"{lab.solution.name} would have {len(text.encode()):,} bytes, more than {MAX_SOLUTION:,}: "
            "make its figures smaller."
        )
    write(lab.solution, text)


def _scrubbed(output: NotebookNode, count: int) -> NotebookNode:
    if output.output_type == "execute_result":
        output.execution_count = count
    return output


def device() -> str:
    """What TensorFlow computes on here: a GPU's name, or "CPU"."""
    if shutil.which("nvidia-smi") is None and not Path("/dev/nvidia0").exists():
        return "CPU"
    code = (
        "import tensorflow as tf\n"
        "gpus = tf.config.list_physical_devices('GPU')\n"
        "print(tf.config.experimental.get_device_details(gpus[0]).get('device_name', 'GPU') if gpus else 'CPU')"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return found.stdout.strip().splitlines()[-1] if found.returncode == 0 and found.stdout.strip() else "CPU"


def to_json(runs: Sequence[Run], scale: Scale, on: str) -> dict[str, Any]:
    """The document that ``labbook run --json`` writes."""
    return {"schema": 1, "scale": scale, "device": on, "runs": [run.to_dict() for run in runs]}
