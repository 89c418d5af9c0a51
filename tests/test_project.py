"""The project's own files: what is promised of them, checked."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from autograder.environment import environment, read_pins
from benchmarks import grading

ROOT = Path(__file__).parent.parent


def tracked() -> list[Path]:
    ran = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in ran.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_conda_users_get_the_same_pins() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert (ROOT / "environment.yml").read_text() == environment(lock)
    assert len(read_pins(lock)) > 100


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-gpu.lock"])
def test_every_pin_has_a_hash_and_no_address(name: str) -> None:
    lock = (ROOT / name).read_text()
    assert lock.count("--hash=sha256:") >= len(read_pins(lock))
    for block in re.split(r"\n(?=\S)", lock):
        assert block.startswith("#") or "--hash=sha256:" in block, block
    assert "://" not in lock
    assert "index-url" not in lock


def test_what_the_project_declares_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for name, wanted in (("requirements.lock", extras["dev"]), ("requirements-gpu.lock", extras["gpu"])):
        pins = {re.split("==", pin)[0].lower() for pin in read_pins((ROOT / name).read_text())}
        for requirement in [*project["dependencies"], *wanted]:
            bare = re.split(r"[=<>\[]", requirement)[0].lower()
            assert bare in pins, bare


def test_nothing_committed_speaks_of_one_machine_or_is_large() -> None:
    homes = re.compile(rf"{re.escape(str(ROOT))}\b|/(?:home|Users|root)/\w")
    for path in tracked():
        assert path.stat().st_size <= 1_500_000, path
        if path.suffix in {".png", ".ico", ".woff2"}:
            continue
        if path.is_relative_to(ROOT / "tests"):
            continue  # where made-up paths are looked for
        found = homes.search(path.read_text())
        assert found is None, f"{path}: {found}"


def test_the_top_level_is_as_promised() -> None:
    for name in (
        "labs",
        "solutions",
        "autograder",
        "datasets",
        "environment.yml",
        "README.md",
        "LICENSE",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "CITATION.cff",
        ".pre-commit-config.yaml",
    ):
        assert (ROOT / name).exists(), name


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)", (ROOT / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_bench_measures_what_is_named_or_everything() -> None:
    assert grading.choose([]).parts == ["memory", "speed", "labs", "limit", "slope", "regrade"]
    assert grading.choose(["limit", "memory"]).parts == ["limit", "memory"]
