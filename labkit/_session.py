"""Where the code runs: a notebook with a person before it, a notebook run in batch, or a plain script."""

import os
import sys
from typing import Any


def shell() -> Any | None:
    """The running IPython shell, or None in a plain script."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def is_live() -> bool:
    """Whether somebody may be watching this notebook: it has a kernel, and LABBOOK_BATCH is not set to 1."""
    return hasattr(shell(), "kernel") and not is_batch()


def is_batch() -> bool:
    """Whether a runner or the grader executes this: they set LABBOOK_BATCH=1."""
    return os.environ.get("LABBOOK_BATCH") == "1"
