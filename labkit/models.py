"""A Keras model described as plain data, so that a check can compare it wherever the model lives."""

from typing import Any

CONFIG = (
    "filters",
    "units",
    "kernel_size",
    "strides",
    "padding",
    "pool_size",
    "activation",
    "groups",
    "rate",
    "axis",
    "momentum",
    "epsilon",
)


def describe(model: Any) -> list[dict[str, Any]]:
    """Describe every layer of a built Keras model, in order.

    Returns:
        One dict a layer: ``name``; ``kind`` (the layer's class, for instance ``"Conv2D"``); ``output_shape``
        (a tuple, None for the batch); ``parameters`` (how many numbers it holds); ``trainable``;
        ``weights`` (their shapes); and those of its settings that it has, for instance ``kernel_size``.

    Raises:
        ValueError: the model is not built, because it does not know its input's shape.
    """
    if hasattr(type(model), "_describe"):
        return model._describe()  # type: ignore[no-any-return]
    if not getattr(model, "built", False):
        raise ValueError(
            "Expected a model that knows its input, received one that is not built: begin it with "
            "keras.Input(shape)."
        )
    return [_describe_layer(layer) for layer in model.layers]


def _describe_layer(layer: Any) -> dict[str, Any]:
    config = layer.get_config()
    settings = {
        key: config[key] for key in CONFIG if isinstance(config.get(key), str | int | float | tuple | list)
    }
    output = layer.output
    return {
        "name": layer.name,
        "kind": type(layer).__name__,
        "output_shape": tuple(output.shape) if hasattr(output, "shape") else None,
        "parameters": int(layer.count_params()),
        "trainable": bool(layer.trainable),
        "weights": [tuple(w.shape) for w in layer.weights],
        **{key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()},
    }
