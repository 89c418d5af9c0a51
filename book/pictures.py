"""Make the README's pictures again: ``python book/pictures.py``, after ``labbook demo``.

A lab in JupyterLab with a wrong answer and what its check says, a page of feedback, and the class report, as
headless Chromium shows them.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from playwright.sync_api import sync_playwright

from autograder.cells import grade_id
from autograder.labs import find_labs
from autograder.simulation import read_variants

ROOT = Path(__file__).parent.parent
HERE = Path(__file__).parent / "pictures"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUESTION, MISCONCEPTION, HINT = "conv-output-size", "no-plus-one", "counts the steps"


def answered(folder: Path) -> Path:
    """The student's lab 01 up to its first check, with a common mistake in it, executed."""
    lab = find_labs(ROOT, ["01_lenet5"])[0]
    notebook = nbformat.read(lab.release, as_version=4)
    names = [grade_id(cell) for cell in notebook.cells]
    variant = next(v for v in read_variants(lab) if v.misconception == MISCONCEPTION)
    notebook.cells[names.index(QUESTION)].source = variant.source
    rest = notebook.cells[names.index(f"test-{QUESTION}") + 1 :]
    notebook.cells = notebook.cells[: len(notebook.cells) - len(rest)]
    NotebookClient(notebook, kernel_name="python3").execute(env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    notebook.cells += rest
    path = folder / "work" / lab.name / lab.release.name
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    return path


@contextmanager
def jupyterlab(root: Path, theme: str = "JupyterLab Light") -> Iterator[str]:
    """A JupyterLab on ``root/work``; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = root / "settings"
    shutil.copytree(ROOT / "labkit" / "jupyterlab", settings, dirs_exist_ok=True)
    for plugin, content in {
        "apputils-extension/themes": f'{{"theme": "{theme}"}}',
        "apputils-extension/notification": '{"fetchNews": "false"}',
        "notebook-extension/tracker": '{"windowingMode": "none"}',
    }.items():
        path = root / "user" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
        *(f"--ServerApp.root_dir={root / 'work'}", "--IdentityProvider.token=pictures"),
        *(f"--LabApp.app_settings_dir={settings}", f"--LabApp.user_settings_dir={root / 'user'}"),
        f"--LabApp.workspaces_dir={root / 'workspaces'}",
    ]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/lab/tree/{{}}?token=pictures"
    finally:
        server.terminate()
        server.wait()


def take_lab(tab: Any, address: str, target: Path) -> None:
    """The cells around the first question."""
    tab.goto(address)
    hint = tab.locator(f".jp-OutputArea-output:has-text('{HINT}')").first
    hint.wait_for(state="attached", timeout=60_000)
    tab.wait_for_timeout(3000)
    tab.keyboard.press("Control+b")  # the file browser goes
    hint.evaluate("at => at.scrollIntoView({block: 'end'})")
    tab.wait_for_timeout(1000)
    tab.screenshot(path=target)


def main() -> None:
    """Write lab.png, feedback.png and report.png."""
    demo = ROOT / "course" / "demo"
    pages = sorted(demo.glob("feedback/*/01_lenet5/lenet5.html"))
    if not pages or CHROMIUM is None:
        sys.exit("Expected a course/demo with feedback, and Chromium: run `labbook demo` first.")
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        notebook = answered(Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1100, "height": 820})
        with jupyterlab(Path(folder)) as address:
            take_lab(tab, address.format(notebook.relative_to(Path(folder) / "work")), HERE / "lab.png")
        for name, page in (("feedback", pages[2]), ("report", demo / "report.html")):
            tab.goto(page.as_uri())
            tab.wait_for_timeout(300)
            tab.screenshot(path=HERE / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
