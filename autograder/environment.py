"""Write environment.yml, for conda users, from requirements.lock: ``python -m autograder.environment``."""

import re
from pathlib import Path

HEAD = """\
# conda env create -f environment.yml && conda activate cnn-labbook && pip install --no-deps --editable .
# The pins are those of requirements.lock; `make lock` writes both.
name: cnn-labbook
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""
PIN = re.compile(r"^([A-Za-z0-9_.-]+==[^\s;\\]+)\s*(;[^\\]+)?", re.MULTILINE)


def read_pins(lock: str) -> list[str]:
    """The requirements of a lock file, each with its marker, without hashes."""
    return [f"{pin} {marker.strip()}" if marker else pin for pin, marker in PIN.findall(lock)]


def environment(lock: str) -> str:
    """The text of environment.yml for a lock file's text."""
    return HEAD + "".join(f'      - "{pin}"\n' for pin in read_pins(lock))


if __name__ == "__main__":
    Path("environment.yml").write_text(environment(Path("requirements.lock").read_text()))
