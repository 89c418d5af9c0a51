"""How the result of an experiment leaves a notebook: recorded in a cell, collected from the executed file."""

import math
import numbers
import re
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from labkit import _session

MIME = "application/vnd.labbook.metric+json"

_recorded: dict[str, dict[str, Any]] = {}


def record(name: str, value: float, unit: str = "", published: float | None = None, source: str = "") -> None:
    """Record one number that an experiment found, next to the published one where there is one.

    In a notebook the cell shows it as a line, and `labbook run` collects it; in a plain script it is kept in
    memory only. Recording a name again replaces what was recorded before.

    Args:
        name: lower-case letters, digits and underscores, such as "test_error".
        value: a finite number; a NumPy scalar or an array or tensor of one number will do.
        unit: the unit of `value` and `published`, such as "%" or "s".
        published: the value to compare with.
        source: where it was published, such as "LeCun et al. 1998".

    Raises:
        ValueError: the name is none, or a number is not finite.

    Example:
        >>> metrics.record("test_error", 0.93, "%", published=0.95, source="LeCun et al. 1998")
        test error 0.93 % — published 0.95 % (LeCun et al. 1998)
    """
    metric = _checked({"name": name, "value": value, "unit": unit, "published": published, "source": source})
    _recorded[name] = {key: metric[key] for key in ("value", "unit", "published", "source")}
    if _session.shell():
        from IPython.display import display

        line = _line(metric)
        display({"text/plain": line, "text/html": f"<div>{escape(line)}</div>", MIME: metric}, raw=True)


def recorded() -> dict[str, dict[str, Any]]:
    """What this Python process has recorded so far, in the form that `collect` returns."""
    return {name: dict(metric) for name, metric in _recorded.items()}


def collect(notebook: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Read the recorded metrics from an executed notebook; of one name the last record counts.

    Args:
        notebook: as `nbformat.read(path, as_version=4)` gives it.

    Returns:
        Name to `{"value": …, "unit": …, "published": …, "source": …}`, in the order of the notebook.

    Raises:
        ValueError: an output that claims to be a metric is none; the text names the cell.
    """
    metrics: dict[str, dict[str, Any]] = {}
    for number, cell in enumerate(notebook["cells"], start=1):
        for output in cell.get("outputs", []):
            if MIME not in output.get("data", {}):
                continue
            try:
                metric = _checked(output["data"][MIME])
            except ValueError as error:
                raise ValueError(f"Cell {number} holds no valid metric. {error}") from None
            metrics[metric.pop("name")] = metric
    return metrics


def error_rate(y: np.ndarray, predicted: np.ndarray) -> float:
    """The share of wrong predictions, in %.

    Args:
        y: the true labels, shape `(n,)`.
        predicted: the predicted labels, shape `(n,)`.

    Raises:
        ValueError: the shapes differ, or there are no labels.
    """
    y, predicted = _labels(y, predicted)
    return float(100 * np.mean(y != predicted))


def confusion_matrix(y: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count how often each class was taken for each other one.

    Args:
        y: the true labels, integers from 0 to `classes - 1`, shape `(n,)`.
        predicted: the predicted labels, likewise.
        classes: the number of classes.

    Returns:
        Counts, int64, shape `(classes, classes)`: row = true class, column = predicted class.

    Raises:
        ValueError: the shapes differ, there are no labels, or a label is no class.
    """
    y, predicted = _labels(y, predicted)
    for labels in (y, predicted):
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
            raise ValueError(
                f"Expected integer labels from 0 to {classes - 1}. Received {np.unique(labels)[:20]}."
            )
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (y, predicted), 1)
    return matrix


def _labels(y: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, predicted = np.asarray(y), np.asarray(predicted)
    if y.ndim != 1 or y.shape != predicted.shape or not y.size:
        raise ValueError(
            f"Expected two arrays of labels, shape (n,), n > 0. Received {y.shape} and {predicted.shape}."
        )
    return y, predicted


def _checked(metric: Any) -> dict[str, Any]:
    """The metric with plain numbers in it, or a ValueError that says what is wrong with it."""
    keys = {"name", "value", "unit", "published", "source"}
    if not isinstance(metric, Mapping) or set(metric) != keys:
        raise ValueError(f"Expected name, value, unit, published and source. Received {metric!r:.80}.")
    name, published = metric["name"], metric["published"]
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(
            f"Expected a name of lower-case letters, digits and _, such as 'test_error'. Received {name!r}."
        )
    for key in ("unit", "source"):
        if not isinstance(metric[key], str):
            raise ValueError(f"Expected {key} of {name!r} as text. Received {metric[key]!r}.")
    return {
        "name": name,
        "value": _number(metric["value"], name),
        "unit": metric["unit"],
        "published": None if published is None else _number(published, f"published value of {name}"),
        "source": metric["source"],
    }


def _number(value: Any, what: str) -> float | int:
    if hasattr(value, "numpy"):  # a tensor
        value = value.numpy()
    if isinstance(value, (np.ndarray, np.generic)) and value.size == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError(f"Expected a number for {what!r}. Received {value!r:.80}.")
    number = int(value) if isinstance(value, numbers.Integral) else float(value)
    if not math.isfinite(number):
        raise ValueError(
            f"Expected a finite number for {what!r}. Received {number}: did the training diverge?"
        )
    return number


def _line(metric: Mapping[str, Any]) -> str:
    """ "test error 0.93 % — published 0.95 % (LeCun et al. 1998)"."""

    def quantity(value: float | int) -> str:
        figures = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
        return f"{figures} {metric['unit']}".rstrip()

    line = f"{metric['name'].replace('_', ' ')} {quantity(metric['value'])}"
    if metric["published"] is not None:
        line += f" — published {quantity(metric['published'])}"
    return f"{line} ({metric['source']})" if metric["source"] else line
