"""The command ``labbook``: the student's half, and the frame for the instructor's.

Other packages add subcommands through the entry point group ``labbook.commands``: each names a function that
is given the Typer app.
"""

import atexit
import errno
import gc
import json
import os
import signal
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from labkit.errors import LabbookError

app = typer.Typer(
    help="Auto-graded labs on how convolutional networks came to be.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
INTERRUPTED = 128 + signal.SIGINT

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

JsonOption = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the result for machines.")
]


def main() -> None:
    """Run the command; a user's mistake ends in one line and a non-zero exit."""
    gc.set_threshold(50_000, 20, 20)  # few of the many objects that libraries make are garbage,
    atexit.register(gc.freeze)  # and none is worth a look at the end
    for point in entry_points(group="labbook.commands"):
        point.load()(app)
    try:
        app()
    except LabbookError as error:
        _stop(str(error), 2)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # Typer's end of Ctrl-C, which says nothing
            print(
                "labbook: Stopped. What was finished is kept; run the command again to go on.",
                file=sys.stderr,
            )
            sys.stdout.flush()
            os._exit(INTERRUPTED)  # without waiting for threads that wait for a student's code
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EPERM):
            raise
        where = f" ({error.filename})" if error.filename else ""
        _stop(f"{error.strerror}{where}: make room or choose another folder, then run the command again.", 2)


def _stop(message: str, code: int) -> None:
    print(f"labbook: {message}", file=sys.stderr)
    sys.exit(code)


def write_json(path: Path | None, content: Any) -> None:
    """Write ``content`` where ``--json`` asked for it."""
    if path is None:
        return
    if not path.absolute().parent.is_dir():
        raise LabbookError(f"No folder {path.absolute().parent} for --json: make it first.")
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


@app.command()
def lab(
    name: Annotated[
        str | None, typer.Argument(metavar="[LAB]", help="The lab to open, e.g. 01_lenet5.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port of the server; a free one if not given.")] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Open JupyterLab on a working copy of the labs; it never overwrites your work."""
    from labkit.workspace import find_root, start_jupyterlab, working_copy

    root = find_root()
    notebooks, remarks = working_copy(root, name)
    for remark in remarks:
        err.print(remark, markup=False)
    start_jupyterlab(root, notebooks[0] if name else None, port, browser)


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook, e.g. work/01_lenet5/lenet5.ipynb.")],
    json_file: JsonOption = None,
) -> None:
    """Run the visible checks of your notebook and say what they found."""
    from labkit.rendering import text
    from labkit.selfcheck import check_notebook

    with err.status(f"Running {notebook.name} …"):
        results = check_notebook(notebook)
    for result in results:
        out.print(text(result), markup=False)
    points = sum(result["points"] for result in results)
    total = sum(result["max_points"] for result in results)
    out.print(f"{points:g} of {total:g} points on the visible checks. Grading adds hidden ones.")
    write_json(json_file, {"schema": 1, "questions": results})
    if points < total or not results:
        raise typer.Exit(1)


@app.command()
def doctor(json_file: JsonOption = None) -> None:
    """Say what works on this machine, and what to do about what does not."""
    from labkit.doctor import examine_machine

    with err.status("Looking around (importing TensorFlow takes some seconds) …"):
        findings = examine_machine()
    table = Table(box=None, show_header=False, pad_edge=False)
    marks = {"ok": "[green]✓[/]", "note": "[yellow]•[/]", "broken": "[red]✗[/]"}
    for finding in findings:
        table.add_row(marks[finding.status], f"[bold]{finding.what}[/]", finding.found, finding.remedy)
    out.print(table)
    write_json(json_file, {"schema": 1, "findings": [finding.__dict__ for finding in findings]})
    if any(finding.status == "broken" for finding in findings):
        raise typer.Exit(1)


if __name__ == "__main__":
    main()
