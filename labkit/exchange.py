"""Files between a test and the code it tests: folders that both may write, and reading what the code has written.

In a student's own kernel test and answer share their files. When grading they live in different processes and folders:
there the examination room puts an `Exchange` of its own in the place of this one, so that a test is written once::

    folder = check.folder()
    tf.train.Checkpoint(w=w).write(f"{folder}/good")
    check.hand_over(folder)                                        # now the student's code has them, too
    q.equal("the last good one", lambda: last_good(folder), f"{folder}/good")
    q.close("saved", lambda: check.read(save(model, folder))["w"], w)
"""

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

MAX_FILE = 64 << 20
MAX_ARRAYS = 2000


class Exchange:
    """Test and answer in one process."""

    def folder(self) -> str:
        """A fresh empty folder."""
        from labkit.workspace import workdir

        return tempfile.mkdtemp(dir=workdir())

    def hand_over(self, folder: str) -> None:
        """Show the student's code the files that the test has written: it sees them already."""

    def listing(self, folder: str) -> dict[str, int]:
        """The sizes of a folder's files."""
        return sizes(folder)

    def read(self, path: str) -> Any:
        """What is in a file."""
        if not path.lower().endswith(".keras"):
            return parse(path)
        import keras

        if not os.path.exists(path):
            raise FileNotFoundError(path)
        return keras.saving.load_model(path, compile=False)


_exchange = Exchange()


def use(exchange: Exchange) -> None:
    """Exchange files in another way from now on: done when grading."""
    global _exchange
    _exchange = exchange


def folder() -> str:
    """A fresh empty folder in which the test and the student's code may write; its path."""
    return _exchange.folder()


def hand_over(folder: str) -> None:
    """Show the student's code the files that the test has written to ``folder``, one of `folder`'s, as they are now."""
    _exchange.hand_over(folder)


def listing(folder: str) -> dict[str, int]:
    """The files that the student's code sees in ``folder`` and below: bytes by relative path, sorted."""
    return _exchange.listing(os.fspath(folder))


def read(path: str) -> Any:
    """What is in a file that the student's code has written.

    Args:
        path: by its ending .npy, .npz, .json, .keras, .h5 (so also .weights.h5); otherwise the prefix of a checkpoint,
            of `tf.train.Checkpoint` or of v1's Saver.

    Returns:
        An array (.npy), a dictionary of arrays by name (.npz, .h5, checkpoints), data (.json), or a model (.keras).

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is not what its name says, or larger than 64 MiB.
    """
    return _exchange.read(os.fspath(path))


class Unreadable(ValueError):
    """A file is not what it should be; the message may be shown."""


def parse(path: str) -> Any:
    """The plain data in a file, as `read` says; .keras files apart.

    Nothing is unpickled, and no more is read than `MAX_FILE` and `MAX_ARRAYS` allow. What a parser makes of a broken
    file is a ValueError.
    """
    place = Path(path)
    if not place.is_file() and not place.with_name(place.name + ".index").is_file():
        raise FileNotFoundError(path)
    if place.is_file() and place.stat().st_size > MAX_FILE:
        raise Unreadable(
            f"Expected a file of at most {MAX_FILE >> 20} MiB. Received {place.stat().st_size} bytes."
        )
    parser: Callable[[Path], Any] = _PARSERS.get(place.suffix.lower(), _checkpoint)
    try:
        return parser(place)
    except Unreadable:
        raise
    except Exception as error:  # of the many kinds that parsers raise
        raise Unreadable(f"{place.name} cannot be read: {type(error).__name__}: {error}"[:400]) from None


def sizes(folder: str) -> dict[str, int]:
    """As `listing`, of this process's own files; links are left out."""
    top = Path(folder)
    if not top.is_dir():
        raise FileNotFoundError(folder)
    files = (Path(parent) / name for parent, _, names in os.walk(top) for name in names)
    whole = [file for file in files if file.is_file() and not file.is_symlink()]
    return dict(sorted((str(file.relative_to(top)), file.stat().st_size) for file in whole))


def check_archive(archive: zipfile.ZipFile) -> None:
    """Refuse an archive that unpacks to more than is read."""
    sizes = [member.file_size for member in archive.infolist()]
    if len(sizes) > MAX_ARRAYS or sum(sizes) > MAX_FILE:
        raise Unreadable(f"Expected an archive of at most {MAX_FILE >> 20} MiB. Received a larger one.")


def _npy(place: Path) -> Any:
    return np.load(place, allow_pickle=False)


def _npz(place: Path) -> dict[str, Any]:
    with zipfile.ZipFile(place) as archive:
        check_archive(archive)
    with np.load(place, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _json(place: Path) -> Any:
    return json.loads(place.read_text())


def _h5(place: Path) -> dict[str, Any]:
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
                        raise Unreadable(f"Expected at most {MAX_FILE >> 20} MiB of arrays. Received more.")
                    found[path] = item[()]
                if len(todo) > MAX_ARRAYS:
                    raise Unreadable(f"Expected at most {MAX_ARRAYS} groups. Received more.")
    return found


def _checkpoint(place: Path) -> dict[str, Any]:
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(place))
    shapes = reader.get_variable_to_shape_map()
    sizes = [int(np.prod(shape, dtype=float)) * 8 for shape in shapes.values()]
    if len(sizes) > MAX_ARRAYS or sum(sizes) > 2 * MAX_FILE:
        raise Unreadable(f"Expected a checkpoint of at most {MAX_FILE >> 20} MiB. Received a larger one.")
    return {name: reader.get_tensor(name) for name in sorted(shapes)}


_PARSERS: dict[str, Callable[[Path], Any]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".json": _json,
    ".h5": _h5,
    ".hdf5": _h5,
}
