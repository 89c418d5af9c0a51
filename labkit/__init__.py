"""What a lab imports: data, checks, plots, training and metrics.

The parts are imported when first used, so that ``import labkit`` stays quick: TensorFlow, Keras,
scikit-learn and Matplotlib are paid for by the cell that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit import checks as check
    from labkit import data, metrics, models, plots, training
    from labkit.workspace import workdir

__version__ = "0.1.0"
__all__ = ["check", "data", "metrics", "models", "plots", "training", "workdir"]

_MODULES = {"check": "labkit.checks"}


def __getattr__(name: str) -> Any:
    if name == "workdir":
        return import_module("labkit.workspace").workdir
    if name in __all__:
        return import_module(_MODULES.get(name, f"labkit.{name}"))
    raise AttributeError(f"module 'labkit' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
