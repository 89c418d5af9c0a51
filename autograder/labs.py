"""The labs of the lab book, and where the files of each lie."""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.errors import LabbookError


@dataclass(frozen=True, order=True)
class Lab:
    """One lab: its folder's name, for instance ``01_lenet5``, in the lab book at ``root``."""

    name: str
    root: Path

    @property
    def title(self) -> str:
        """The notebook's name: the folder's without its number, ``lenet5``."""
        return self.name.partition("_")[2]

    @property
    def source(self) -> Path:
        """The py:percent file, the only one edited by hand."""
        return self.root / "solutions" / self.name / f"{self.title}.py"

    @property
    def solution(self) -> Path:
        """The executed solution."""
        return self.source.with_suffix(".ipynb")

    @property
    def variants(self) -> Path:
        """Wrong and other right answers to every question."""
        return self.source.with_name("variants.py")

    @property
    def thresholds(self) -> Path:
        """The measured seed spread behind the numbers that tests ask for."""
        return self.source.with_name("thresholds.json")

    @property
    def release(self) -> Path:
        """The student's notebook."""
        return self.root / "labs" / self.name / f"{self.title}.ipynb"

    def read_thresholds(self) -> dict[str, Any]:
        """The content of `thresholds`, empty where the lab has none."""
        if not self.thresholds.is_file():
            return {}
        content: dict[str, Any] = json.loads(self.thresholds.read_text())
        return content


def find_labs(root: Path, names: Sequence[str] = ()) -> list[Lab]:
    """The labs called ``names``, or all, in order.

    Raises:
        LabbookError: a name is not that of a lab; the nearest one is proposed.
    """
    labs = {
        folder.name: Lab(folder.name, root)
        for folder in sorted((root / "solutions").glob("[0-9][0-9]_*"))
        if Lab(folder.name, root).source.is_file()
    }
    if not names:
        return list(labs.values())
    for name in names:
        if name not in labs:
            near = difflib.get_close_matches(name, [*labs, *(lab.title for lab in labs.values())], 1, 0.4)
            hint = next(
                (lab.name for lab in labs.values() if near and near[0] in (lab.name, lab.title)), None
            )
            raise LabbookError(
                f"No lab {name!r}. " + (f"Did you mean {hint}?" if hint else f"There are: {', '.join(labs)}.")
            )
    return [labs[name] for name in dict.fromkeys(names)]
