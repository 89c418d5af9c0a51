"""What the tests share: a lab book with the toy lab, and the command called in this process."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.labs import Lab, find_labs
from tests import classroom


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab book with the toy lab, built once."""
    root = tmp_path_factory.mktemp("book")
    classroom.lab_book(root)
    return root


@pytest.fixture
def book(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to do with as a test likes; the command finds it."""
    root = tmp_path / "book"
    shutil.copytree(built, root)
    monkeypatch.setenv("LABBOOK_ROOT", str(root))
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def lab(book: Path) -> Lab:
    """The toy lab in it."""
    return find_labs(book)[0]


@pytest.fixture
def labbook(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Call the command; returns (exit code, stdout, stderr)."""
    from labkit import cli

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["labbook", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "200")
        cli.app.registered_commands = [
            c for c in cli.app.registered_commands if c.callback.__module__ == cli.__name__
        ]
        code = 0
        capfd.readouterr()
        try:
            cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        out, err = capfd.readouterr()
        return code, out, err

    return call
