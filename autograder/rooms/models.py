"""Keras models of built-in layers as data: a configuration of JSON and arrays of weights.

Keras builds a model from its configuration by importing modules and calling functions that the configuration names, and
some layers read files. So a configuration is compared with lists first, and its parameters are counted before any is
allocated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MAX_PARAMETERS = 5_000_000
MAX_CONFIG = 1_000_000  # characters
MAX_DEPTH = 60

LAYERS = frozenset(
    [
        "InputLayer",
        "Dense",
        "Conv1D",
        "Conv2D",
        "Conv3D",
        "SeparableConv1D",
        "SeparableConv2D",
        "DepthwiseConv1D",
        "DepthwiseConv2D",
        "Conv2DTranspose",
        "MaxPooling1D",
        "MaxPooling2D",
        "MaxPooling3D",
        "AveragePooling1D",
        "AveragePooling2D",
        "AveragePooling3D",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "Flatten",
        "Reshape",
        "Permute",
        "RepeatVector",
        "Activation",
        "ReLU",
        "LeakyReLU",
        "PReLU",
        "ELU",
        "Softmax",
        "Dropout",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "GaussianNoise",
        "GaussianDropout",
        "AlphaDropout",
        "ActivityRegularization",
        "BatchNormalization",
        "LayerNormalization",
        "GroupNormalization",
        "UnitNormalization",
        "Add",
        "Subtract",
        "Multiply",
        "Average",
        "Maximum",
        "Minimum",
        "Concatenate",
        "Dot",
        "ZeroPadding1D",
        "ZeroPadding2D",
        "Cropping1D",
        "Cropping2D",
        "UpSampling1D",
        "UpSampling2D",
        "Embedding",
        "Rescaling",
        "Resizing",
        "CenterCrop",
        "RandomFlip",
        "RandomRotation",
        "RandomZoom",
        "RandomTranslation",
        "RandomCrop",
        "RandomContrast",
        "RandomBrightness",
        "Identity",
    ]
)
MODELS = frozenset({"Sequential", "Functional", "Model"})
PARTS = frozenset(
    [
        "GlorotUniform",
        "GlorotNormal",
        "HeNormal",
        "HeUniform",
        "LecunNormal",
        "LecunUniform",
        "Zeros",
        "Ones",
        "Constant",
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
        "VarianceScaling",
        "Orthogonal",
        "Identity",
        "L1",
        "L2",
        "L1L2",
        "OrthogonalRegularizer",
        "DTypePolicy",
        "MaxNorm",
        "NonNeg",
        "UnitNorm",
        "MinMaxNorm",
    ]
)
ACTIVATIONS = frozenset(
    [
        "relu",
        "relu6",
        "elu",
        "selu",
        "gelu",
        "tanh",
        "sigmoid",
        "softmax",
        "softplus",
        "softsign",
        "linear",
        "leaky_relu",
        "log_softmax",
        "silu",
        "swish",
        "hard_sigmoid",
        "hard_tanh",
        "exponential",
        "mish",
        "celu",
    ]
)
_TENSOR = "__keras_tensor__"


class NotBuiltIn(Exception):
    """A model that is not made of built-in layers alone, or is too large."""


# ------------------------------------------------------------------------------------------------ model to data


def pack_model(model: Any) -> tuple[str, list[list[int]]]:
    """Configuration (JSON) of a built model and the shapes of its weights.

    Raises:
        NotBuiltIn: if it has something of its author's own in it, or more than 5,000,000 parameters.
    """
    import keras

    if (
        type(model).__name__ not in MODELS
        or not type(model).__module__.startswith("keras.")
        or not model.built
    ):
        raise NotBuiltIn("a model of its own class, or not built")
    if model.count_params() > MAX_PARAMETERS:
        raise NotBuiltIn(f"more than {MAX_PARAMETERS} parameters")
    try:
        config = json.dumps(strip_config(keras.saving.serialize_keras_object(model)), allow_nan=False)
    except (ValueError, TypeError) as error:
        raise NotBuiltIn(str(error)) from None
    check_config(config)
    return config, [[int(side) for side in variable.shape] for variable in model.weights]


def strip_config(node: Any) -> Any:
    """Without what compile() set, and with activations by their names also where functions of those names stood."""
    if isinstance(node, dict):
        if node.get("class_name") == "function" and node.get("config") in ACTIVATIONS:
            return node["config"]
        return {
            key: strip_config(value)
            for key, value in node.items()
            if key not in ("compile_config", "build_config")
        }
    return [strip_config(item) for item in node] if isinstance(node, list | tuple) else node


# ------------------------------------------------------------------------------------------------ data to model


def check_config(config: str) -> dict[str, Any]:
    """The parsed configuration, if all it names is on our lists.

    Raises:
        NotBuiltIn: saying what is not.
    """
    if len(config) > MAX_CONFIG:
        raise NotBuiltIn("too long a configuration")
    try:
        node = json.loads(config)
    except (ValueError, RecursionError):
        raise NotBuiltIn("a configuration that is not JSON") from None
    if type(node) is not dict or node.get("class_name") not in MODELS:
        raise NotBuiltIn("a configuration of no model")
    _check_node(node, 0)
    return node


def _check_node(node: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotBuiltIn("a configuration nested too deeply")
    if isinstance(node, list):
        for item in node:
            _check_node(item, depth + 1)
    elif isinstance(node, dict):
        if "class_name" in node:
            _check_object(node)
        elif {"module", "registered_name"} & set(node):
            raise NotBuiltIn("an object without a class")
        for key, value in node.items():
            if key.endswith("activation") and not _is_activation(value):
                raise NotBuiltIn("an activation of its author's own")
            if key == "function" or key == "layer":
                raise NotBuiltIn("a function")
            _check_node(value, depth + 1)
    elif isinstance(node, int) and not isinstance(node, bool) and node.bit_length() > 64:
        raise NotBuiltIn("a number too large")


def _check_object(node: dict[str, Any]) -> None:
    name, module = node["class_name"], node.get("module")
    if name == _TENSOR:
        if module is not None:
            raise NotBuiltIn("a malformed tensor")
        return
    if type(name) is not str or name not in LAYERS | MODELS | PARTS:
        raise NotBuiltIn(f"{str(name)[:40]!r} is no built-in layer")
    if type(module) is not str or not (module == "keras" or module.startswith("keras.")):
        raise NotBuiltIn(f"a module {str(module)[:40]!r}")
    if node.get("registered_name") not in (None, name):
        raise NotBuiltIn("a registered class")


def _is_activation(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("class_name") in LAYERS
    return value is None or value in ACTIVATIONS


@dataclass
class Unpacked:
    """A checked model. It has no values before `fill`: to describe it takes none, and they are large."""

    model: Any
    waiting: list[Any]  # variables without a value

    def fill(self, weights: list[Any]) -> Any:
        """Give the model these values, and return it.

        Raises:
            NotBuiltIn: the weights are not its own.
        """
        import keras

        self.check_shapes([weight.shape for weight in weights])
        for variable, weight in zip(self.model.weights, weights, strict=True):
            variable._initializer = lambda shape, dtype, w=weight: keras.ops.convert_to_tensor(w, dtype)
        while self.waiting:
            self.waiting.pop()._deferred_initialize()
        return self.model

    def check_shapes(self, shapes: Sequence[Sequence[int]]) -> None:
        """Raise `NotBuiltIn` where weights of these shapes are not the model's."""
        if [tuple(shape) for shape in shapes] != [tuple(variable.shape) for variable in self.model.weights]:
            raise NotBuiltIn("weights of other shapes than the configuration's")


def unpack_model(config: str) -> Unpacked:
    """Build a checked model.

    Raises:
        NotBuiltIn: if it is not on our lists or has too many parameters.
    """
    import keras
    from keras.src.backend.common import global_state

    node = check_config(config)
    waiting = global_state.get_global_attribute("uninitialized_variables", [], set_to_default=True)
    waiting.clear()
    try:
        with keras.StatelessScope(initialize_variables=False):
            model = _deserialize(node)
    except Exception as error:
        raise NotBuiltIn(f"a configuration that Keras does not build: {type(error).__name__}") from None
    if sum(math.prod(variable.shape) for variable in model.weights) > MAX_PARAMETERS:
        raise NotBuiltIn(f"more than {MAX_PARAMETERS} parameters")
    unpacked = Unpacked(model, waiting.copy())
    waiting.clear()
    return unpacked


def _deserialize(node: dict[str, Any]) -> Any:
    """What Keras makes of a configuration; its own way with a Sequential makes the model anew for every layer."""
    import keras

    if node["class_name"] != "Sequential":
        return keras.saving.deserialize_keras_object(node, safe_mode=True)
    config = node["config"]
    layers = [keras.saving.deserialize_keras_object(layer, safe_mode=True) for layer in config["layers"]]
    model = keras.Sequential(layers, name=config["name"])
    if not model.built and config.get("build_input_shape"):
        model.build(tuple(config["build_input_shape"]))
    return model
