"""The numbers that the labs teach, each in ways that share no code: formulas here, Keras, the labs' answers."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.labs import find_labs
from autograder.simulation import reference_answers

ROOT = Path(__file__).parent.parent


def names_of(lab: str) -> dict[str, Any]:
    """What a lab's setup cells and reference answers define."""
    import nbformat

    from autograder.cells import kind

    found = find_labs(ROOT, [lab])[0]
    cells = nbformat.read(found.solution, as_version=4).cells
    names: dict[str, Any] = {}
    for source in [c.source for c in cells if kind(c) == "setup"] + list(reference_answers(found).values()):
        exec(source, names)
    return names


# AlexNet's layers: kernel, stride, padding, filters, groups in the two-tower network, "conv" or "pool"
ALEXNET = {
    "CONV1": ("conv", 11, 4, 0, 96, 1), "POOL1": ("pool", 3, 2, 0, 0, 1), "CONV2": ("conv", 5, 1, 2, 256, 2),
    "POOL2": ("pool", 3, 2, 0, 0, 1), "CONV3": ("conv", 3, 1, 1, 384, 1), "CONV4": ("conv", 3, 1, 1, 384, 2),
    "CONV5": ("conv", 3, 1, 1, 256, 2), "POOL5": ("pool", 3, 2, 0, 0, 1),
}  # fmt: skip


def by_formula(groups: int) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
    """Name, output shape, parameters and multiply-adds of every layer."""
    side, depth = 227, 3
    for name, (what, kernel, stride, padding, filters, apart) in ALEXNET.items():
        side = (side + 2 * padding - kernel) // stride + 1
        apart = apart if groups == 2 else 1
        weights = kernel * kernel * depth // apart * filters
        depth = filters or depth
        shape = (side, side, depth)
        yield name, shape, weights + filters, weights * side * side if what == "conv" else 0
    inputs = side * side * depth
    for name, units in (("FC6", 4096), ("FC7", 4096), ("FC8", 1000)):
        yield name, (units,), (inputs + 1) * units, inputs * units
        inputs = units


def by_keras(groups: int) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
    """The same from Keras's layers, each built for its shapes alone: none of its weights gets a value."""
    import keras

    shape: tuple[Any, ...] = (None, 227, 227, 3)
    steps: list[tuple[str, Any]] = []
    for name, (what, kernel, stride, padding, filters, apart) in ALEXNET.items():
        border = "same" if padding else "valid"
        steps.append(
            (name, keras.layers.Conv2D(filters, kernel, stride, border, groups=apart if groups == 2 else 1))
            if what == "conv"
            else (name, keras.layers.MaxPooling2D(kernel, stride))
        )
    steps += [("", keras.layers.Flatten()), ("FC6", keras.layers.Dense(4096))]
    steps += [("FC7", keras.layers.Dense(4096)), ("FC8", keras.layers.Dense(1000))]
    for name, layer in steps:
        with keras.StatelessScope(initialize_variables=False):
            layer.build(shape)
        shape = tuple(layer.compute_output_shape(shape))
        if name:
            places = math.prod(shape[1:-1])
            work = places * math.prod(layer.kernel.shape) if hasattr(layer, "kernel") else 0
            yield name, shape[1:], layer.count_params(), work


@pytest.mark.parametrize(
    ("groups", "words", "parameters", "macs"),
    [(1, "one tower", 62_378_344, 1_135_256_096), (2, "two towers", 60_965_224, 724_406_816)],
)
def test_alexnet_in_three_ways(groups: int, words: str, parameters: int, macs: int) -> None:
    pytest.importorskip("keras")
    formula, keras = list(by_formula(groups)), list(by_keras(groups))
    assert formula == keras
    assert (sum(row[2] for row in formula), sum(row[3] for row in formula)) == (parameters, macs)
    answers = names_of("02_alexnet")
    assert (answers["all_parameters"][words], answers["all_macs"][words]) == (parameters, macs)
    shapes = {name: shape for name, shape, *_ in formula}
    assert {name: answers["shapes"][name] for name in shapes} == shapes
    neurons = {name: math.prod(shape) for name, shape in shapes.items() if "POOL" not in name}
    assert answers["neurons"] == neurons
    assert sum(neurons.values()) == 659_272
    if groups == 1:
        assert {n: c for n, c in answers["parameters"].items() if c} == {n: c for n, _, c, _ in formula if c}
