"""The reading room: builds and reads what a student's code has made, with our code, knowing nothing that is expected.

Keras builds models from configurations, and HDF5, NumPy and TensorFlow parse files: large code in C that was not made
for enemies. If it is overcome here, the intruder finds inputs of a test at most, reaches nobody, and can answer nothing
that a student's own function could not. A student's graph or SavedModel is a program, and is not run even here.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograder import walls, wire
from autograder.rooms import models
from autograder.rooms.answer import settle
from labkit import exchange
from labkit.models import describe

BATCH = 64
PR_SET_THP_DISABLE = 41


class Room:
    """Serves one examination room."""

    def __init__(self, channel: wire.Channel) -> None:
        self.channel = channel
        self.built: list[models.Unpacked] = []

    def serve(self) -> None:
        """Until the examiner hangs up."""
        while True:
            header, buffers = self.channel.receive()
            data: wire.Buffers = []
            try:
                fields = wire.Decoder(buffers)(header["fields"])
                value = getattr(self, "do_" + header["op"])(**fields)
                reply = {"n": header["n"], "value": wire.encode(value, data, _refuse)}
                self.channel.send(reply, data)
            except (models.NotBuiltIn, exchange.Unreadable, wire.CannotCross) as error:
                self.channel.send({"n": header["n"], "error": str(error)})
            except wire.RoomLost:
                raise
            except Exception as error:  # of the many kinds that parsers raise
                self.channel.send({"n": header["n"], "error": f"{type(error).__name__}: {error}"[:400]})

    def do_build(self, config: str, shapes: list[tuple[int, ...]]) -> int:
        """Build a model whose weights have these shapes; its number."""
        unpacked = models.unpack_model(config)
        unpacked.check_shapes(shapes)
        self.built.append(unpacked)
        return len(self.built) - 1

    def do_fill(self, model: int, weights: list[Any]) -> None:
        """Give a model its weights."""
        self.built[model].fill(weights)

    def do_describe(self, model: int) -> dict[str, Any]:
        """Plain data about a model."""
        built = self.built[model].model
        return {
            "name": built.name,
            "input_shape": _shape(lambda: built.input_shape),
            "output_shape": _shape(lambda: built.output_shape),
            "layers": describe(built),
        }

    def do_call(self, model: int, x: Any, training: bool) -> Any:
        """A model's output for `x`, which takes less memory in pieces where examples do not depend on one another."""
        import keras

        built = self.built[model].model
        if training or not isinstance(x, np.ndarray) or x.ndim == 0 or len(x) <= BATCH:
            return built(x, training=training)
        parts = [built(x[at : at + BATCH], training=False) for at in range(0, len(x), BATCH)]
        return keras.tree.map_structure(lambda *outputs: keras.ops.concatenate(outputs), *parts)

    def do_read(self, path: str) -> dict[str, Any]:
        """What is in a file, by the ending of its name; of a .keras file its model, built, and the model's number."""
        try:
            if not path.lower().endswith(".keras"):
                return {"value": exchange.parse(path)}
            config, unpacked = _keras(Path(path))
        except FileNotFoundError:
            return {"missing": True}
        self.built.append(unpacked)
        return {"config": config, "weights": unpacked.model.get_weights(), "model": len(self.built) - 1}

    def do_listing(self, path: str) -> dict[str, Any]:
        """The sizes of a folder's files."""
        try:
            return {"value": exchange.sizes(path)}
        except FileNotFoundError:
            return {"missing": True}


def _refuse(value: Any, _: Callable[[Any], Any]) -> Any:
    raise wire.CannotCross(f"a {type(value).__name__} cannot cross")


def _shape(get: Callable[[], Any]) -> Any:
    try:
        return get()
    except (AttributeError, ValueError):
        return None


def _keras(place: Path) -> tuple[str, models.Unpacked]:
    """Configuration and model of a .keras file. Keras opens only its weights, into a model that we have checked."""
    if place.stat().st_size > exchange.MAX_FILE:
        raise exchange.Unreadable("Expected a file of at most 64 MiB. Received a larger one.")
    with zipfile.ZipFile(place) as archive:
        exchange.check_archive(archive)
        node = models.strip_config(json.loads(archive.read("config.json")))
        stored = archive.read("model.weights.h5")
    config = json.dumps(node)
    unpacked = models.unpack_model(config)
    file = Path(os.environ["TMPDIR"]) / "stored.weights.h5"
    if not file.parent.exists():
        raise exchange.Unreadable("no room to unpack")
    file.write_bytes(stored)
    # It reads its values into variables that have some; to draw those would take longer
    zeros = [np.zeros(weight.shape, np.float32) for weight in unpacked.model.weights]
    unpacked.fill(zeros).load_weights(file)
    return config, unpacked


def main(arguments: dict[str, Any], descriptors: list[int]) -> None:
    """Entered in a fresh fork: confine it and serve until the other side hangs up."""
    channel = wire.Channel(socket.socket(fileno=descriptors[0]))
    work, scratch = arguments["work"], arguments["scratch"]
    settle(scratch)
    os.chdir(work)
    # Small things are made here: pages of 2 MiB are too large for them.
    ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
    sys.modules["keras"].utils.set_random_seed(0)
    walls.confine(
        [*arguments["read"], work], [scratch], memory=arguments["memory"], unsafe=arguments["unsafe"]
    )
    with contextlib.suppress(wire.RoomLost, wire.ProtocolError):
        Room(channel).serve()


def prepare() -> None:
    """In the fork server: what the parsers import."""
    import h5py  # noqa: F401
