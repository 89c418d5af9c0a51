"""The reading room: builds and reads what a student's code has made, with our code, knowing nothing that is expected.

Keras builds models from configurations, and HDF5, NumPy and TensorFlow parse files: large code in C that was not made
for enemies. If it is overcome here, the intruder finds inputs of a test at most, reaches nobody, and can answer nothing
that a student's own function could not. A student's graph or SavedModel is a program, and is not run even here.
"""

from __future__ import annotations

import contextlib
import io
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
from labkit.models import describe

MAX_FILE = 64 << 20
MAX_ARRAYS = 2000


class Unreadable(Exception):
    """What was handed over is not what it should be; the message may be shown."""


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
            except (models.NotBuiltIn, Unreadable, wire.CannotCross) as error:
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
        """A model's output for `x`."""
        return self.built[model].model(x, training=training)

    def do_read(self, path: str) -> dict[str, Any]:
        """What is in a file, by the ending of its name."""
        place = Path(path)
        name = place.name.lower()
        if not place.exists() and not place.with_name(place.name + ".index").exists():
            return {"missing": True}
        if place.is_file() and place.stat().st_size > MAX_FILE:
            raise Unreadable(
                f"Expected a file of at most {MAX_FILE >> 20} MiB. Received {place.stat().st_size} bytes."
            )
        if name.endswith(".npy"):
            return {"value": np.load(place, allow_pickle=False)}
        if name.endswith(".npz"):
            return {"value": _read_npz(place)}
        if name.endswith(".json"):
            return {"value": json.loads(place.read_text())}
        if name.endswith(".keras"):
            return _read_keras(place)
        if name.endswith((".h5", ".hdf5")):
            return {"value": _read_h5(place)}
        return {"value": _read_checkpoint(path)}


def _refuse(value: Any, _: Callable[[Any], Any]) -> Any:
    raise wire.CannotCross(f"a {type(value).__name__} cannot cross")


def _shape(get: Callable[[], Any]) -> Any:
    try:
        return get()
    except (AttributeError, ValueError):
        return None


def _members(archive: zipfile.ZipFile) -> None:
    """Refuse an archive that unpacks to more than we read."""
    sizes = [member.file_size for member in archive.infolist()]
    if len(sizes) > MAX_ARRAYS or sum(sizes) > MAX_FILE:
        raise Unreadable("Expected an archive of at most 64 MiB. Received a larger one.")


def _read_npz(place: Path) -> dict[str, Any]:
    with zipfile.ZipFile(place) as archive:
        _members(archive)
    with np.load(place, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _read_keras(place: Path) -> dict[str, Any]:
    """Configuration and weights of a .keras file. Keras opens only its weights, into a model that we have checked."""
    with zipfile.ZipFile(place) as archive:
        _members(archive)
        node = models.strip_config(json.loads(archive.read("config.json")))
        stored = archive.read("model.weights.h5")
    config = json.dumps(node)
    model = models.unpack_model(config).fill(None)
    file = Path(os.environ["TMPDIR"]) / "stored.weights.h5"
    if not file.parent.exists():
        raise Unreadable("no room to unpack")
    file.write_bytes(stored)
    model.load_weights(file)
    return {"config": config, "weights": model.get_weights()}


def _read_h5(place: Path) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}
    total = 0
    with h5py.File(io.BytesIO(place.read_bytes()), "r") as file:
        todo = [("", file)]
        while todo:
            prefix, group = todo.pop()
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    continue  # a link may lead in a circle or to another file
                item, path = group[name], f"{prefix}{name}"
                if isinstance(item, h5py.Group):
                    todo.append((path + "/", item))
                elif not item.is_virtual and item.external is None:
                    total += item.nbytes
                    if total > MAX_FILE or len(found) >= MAX_ARRAYS:
                        raise Unreadable("Expected at most 64 MiB of arrays. Received more.")
                    found[path] = item[()]
                if len(todo) > MAX_ARRAYS:
                    raise Unreadable("Expected at most 2000 groups. Received more.")
    return found


def _read_checkpoint(prefix: str) -> dict[str, Any]:
    import tensorflow as tf

    reader = tf.train.load_checkpoint(prefix)
    shapes = reader.get_variable_to_shape_map()
    sizes = [int(np.prod(shape, dtype=float)) * 8 for shape in shapes.values()]
    if len(sizes) > MAX_ARRAYS or sum(sizes) > 2 * MAX_FILE:
        raise Unreadable("Expected a checkpoint of at most 64 MiB. Received a larger one.")
    return {name: reader.get_tensor(name) for name in sorted(shapes)}


def main(arguments: dict[str, Any], descriptors: list[int]) -> None:
    """Entered in a fresh fork: confine it and serve until the other side hangs up."""
    channel = wire.Channel(socket.socket(fileno=descriptors[0]))
    work, scratch = arguments["work"], arguments["scratch"]
    settle(scratch)
    os.chdir(work)
    sys.modules["keras"].utils.set_random_seed(0)
    walls.confine(
        [*arguments["read"], work], [scratch], memory=arguments["memory"], unsafe=arguments["unsafe"]
    )
    with contextlib.suppress(wire.RoomLost, wire.ProtocolError):
        Room(channel).serve()


def prepare() -> None:
    """In the fork server: what the parsers import."""
    import h5py  # noqa: F401
