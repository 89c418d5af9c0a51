"""Values of a student's code, made safe to compare: plain data in, or a refusal."""

import reprlib
from typing import Any

import numpy as np

MAX_DEPTH = 40

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 120


class NotData(Exception):
    """The value is no plain data, so that comparing it would mean running the code that made it."""


def as_data(value: Any, depth: int = 0) -> Any:
    """Return ``value`` as built-in types and NumPy arrays.

    Tensors and Keras variables become arrays; subclasses of built-in types (namedtuples, ``defaultdict``,
    a ``float`` with an ``__eq__`` of its own) become their base type, without calling what they override.

    Raises:
        NotData: for a function, a model, or any other object, at any depth.
    """
    if depth > MAX_DEPTH:
        raise NotData(f"a value nested more than {MAX_DEPTH} deep")
    kind = type(value)
    if (
        value is None
        or kind in (bool, int, float, complex, str, bytes, range)
        or isinstance(value, np.generic)
    ):
        return value
    if isinstance(value, np.ndarray):
        array = np.asarray(value)
        if array.dtype.kind == "O":
            array = np.array([as_data(item, depth + 1) for item in array.ravel()], dtype=object).reshape(
                array.shape
            )
        return array
    if isinstance(value, int):
        return int.__add__(value, 0)
    if isinstance(value, float):
        return float.__add__(value, 0.0)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, list):
        return [as_data(item, depth + 1) for item in list.__iter__(value)]
    if isinstance(value, tuple):
        return tuple(as_data(item, depth + 1) for item in tuple.__iter__(value))
    if isinstance(value, dict):
        return {as_data(k, depth + 1): as_data(v, depth + 1) for k, v in dict.items(value)}
    if isinstance(value, set | frozenset):
        return {as_data(item, depth + 1) for item in kind.__iter__(value)}
    if kind.__module__.split(".")[0] in ("tensorflow", "keras"):
        if hasattr(value, "as_list"):  # a TensorShape
            return tuple(value.as_list())
        if hasattr(value, "numpy"):
            return np.asarray(value.numpy())
    raise NotData(f"a {kind.__name__}")


def same(value: Any, expected: Any) -> bool:
    """Whether two pieces of data are equal, whatever their container.

    A list equals a tuple or an array of the same items; 28 equals ``np.int64(28)``, a 0-d array and 28.0.
    ``True`` is no 1.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(expected, np.ndarray | list | tuple):
        if isinstance(value, np.ndarray) and isinstance(expected, np.ndarray):
            return value.shape == expected.shape and bool(np.array_equal(value, expected))
        if not isinstance(value, np.ndarray | list | tuple):
            return False
        return len(value) == len(expected) and all(map(same, list(value), list(expected)))
    if isinstance(value, np.ndarray | list | tuple):
        return False
    if isinstance(expected, dict):
        return (
            isinstance(value, dict)
            and value.keys() == expected.keys()
            and all(same(value[key], expected[key]) for key in expected)
        )
    if isinstance(value, bool | np.bool_) != isinstance(expected, bool | np.bool_):
        return False
    return bool(value == expected)


def short(value: Any) -> str:
    """A value in one short line, for a message."""
    if isinstance(value, np.ndarray):
        if value.size <= 10:
            return np.array2string(value, precision=5, separator=", ").replace("\n", "")
        return f"an array of shape {value.shape}, {value.dtype}"
    if isinstance(value, np.generic):
        value = value.item()
    return _short.repr(value)[:300]
