"""The images that the labs learn from: small sets that are always here, the well-known ones found or fetched.

``digits`` and ``photos`` come with scikit-learn and need no network. ``load`` brings the sets that
``datasets/registry.toml`` describes: from the folder that LABBOOK_DATA names, from the cache, or downloaded
once. Whatever way a set comes, the same hash over its decoded content must come out. ``datasets/README.md``
tells it all.
"""

import difflib
import errno
import gzip
import hashlib
import io
import math
import os
import pickle
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal, overload
from urllib.parse import urlsplit

import numpy as np

from labkit import _session
from labkit.errors import LabbookError

Arrays = dict[str, np.ndarray]

MARGIN = 4  # empty pixels on every side of a digit; MNIST's digits have at least as many
FLOWER_SIZE = 192  # pixels on each side of a flower photograph, as in flowers_small
_LARGEST_MEMBER = 256 * 2**20  # bytes; the largest honest one, a batch of CIFAR-10, has 31 MB

_HOUSE = Path(__file__).resolve().parent.parent
# A checkout keeps the registry in datasets/; in an installed package it lies beside this file.
_REGISTRY = _HOUSE / "datasets/registry.toml"
if not _REGISTRY.is_file():
    _REGISTRY = Path(__file__).with_name("registry.toml")


class DataError(LabbookError):
    """A data set that cannot be had; the one line of its text says why and what to do."""


class _Damaged(Exception):
    """Files that are not what the registry says; the message says in what way."""


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """A labelled set of images, parted into training, validation and test images.

    Attributes:
        X_train, X_val, X_test: images, float32 in [0, 1], shape `(n, height, width, channels)`.
        y_train, y_val, y_test: their labels, int64, shape `(n,)`, counted from 0.
        names: what the labels mean, `names[label]`.

    A set whose publishers name no validation images has none here either: `X_val` has length 0, and what you
    need is yours to take from the training images.
    """

    X_train: np.ndarray
    y_train: np.ndarray
    X_val: np.ndarray
    y_val: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    names: tuple[str, ...]

    def __repr__(self) -> str:
        train, val, test = (f"{len(y):,}" for y in (self.y_train, self.y_val, self.y_test))
        counts = f"{train} training, {val} validation and {test} test images"
        return f"Split({counts} of {'×'.join(map(str, self.X_train.shape[1:]))}, {len(self.names)} classes)"


def digits(size: int = 28) -> Split:
    """The 1,797 handwritten digits that come with scikit-learn, enlarged to a lab's input.

    Each 8×8 image is enlarged by bicubic interpolation to `size - 8` pixels and centred in an empty frame, so
    that a digit has room to move, as MNIST's digits have. Of each digit, 40 images are for testing, 20 for
    validation and the others for training: 1,197, 200 and 400 in all, the same ones every time.

    Args:
        size: height and width of the images in pixels: 28 as in MNIST, 32 as LeNet-5 reads them.

    Returns:
        A `Split`; its images have the shape `(n, size, size, 1)`.

    Raises:
        ValueError: `size` is below 16.

    Example:
        >>> digits(32).X_train.shape
        (1197, 32, 32, 1)

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits (its test images), UCI Machine
    Learning Repository, 1998. The frame follows LeCun et al. 1998, section III-A.
    """
    if size < 16:
        raise ValueError(f"Expected a size of at least 16 pixels, such as 28 or 32. Received size={size}.")
    if size in _prepared:
        return _prepared.pop(size)
    images, labels = _small_digits()
    W = _bicubic(8, size - 2 * MARGIN)

    rng = np.random.default_rng(0)
    of_digit = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]

    def part(start: int, end: int | None) -> tuple[np.ndarray, np.ndarray]:
        chosen = np.sort(np.concatenate([i[start:end] for i in of_digit]))
        X = np.zeros((len(chosen), size, size, 1), np.float32)
        X[:, MARGIN:-MARGIN, MARGIN:-MARGIN, 0] = np.clip(W @ images[chosen] @ W.T, 0, 1)
        return X, labels[chosen]

    return Split(*part(60, None), *part(40, 60), *part(0, 40), tuple("0123456789"))


# Whoever is about to fork many processes puts in what they will ask for. It goes out once, since it may be written to.
_prepared: dict[int, Split] = {}


@cache
def _small_digits() -> tuple[np.ndarray, np.ndarray]:
    """The 8×8 digits, float64 in [0, 1], and their labels, int64: in a file of text that takes a while to read."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images / 16, bunch.target.astype(np.int64)


def photos() -> dict[str, np.ndarray]:
    """The two photographs that come with scikit-learn: "china", a pavilion, and "flower", a dahlia.

    Returns:
        Name to image, float32 in [0, 1], shape `(427, 640, 3)`.
    """
    from sklearn.datasets import load_sample_image

    return {name: load_sample_image(f"{name}.jpg").astype(np.float32) / 255 for name in ("china", "flower")}


@overload
def load(name: Literal["mobilenet_0.25", "mobilenet_0.25_no_top"]) -> Path: ...  # type: ignore[overload-overlap]
@overload
def load(name: str) -> Split: ...
def load(name: str) -> Split | Path:
    """A set of the registry: found under LABBOOK_DATA or in the cache, else downloaded once and verified.

    Args:
        name: "mnist", "fashion_mnist", "cifar10", "cifar10_subset" (10,000 training, 2,000 validation and
            1,000 test images of CIFAR-10), "flowers" (every fifth photograph of a kind is for testing),
            "flowers_small" (400 training and 200 test photographs), "mobilenet_0.25" or
            "mobilenet_0.25_no_top" (ImageNet weights).

    Returns:
        A `Split`; for weights the path of a file that `keras.applications.MobileNet(alpha=0.25,
        weights=path)` reads.

    Raises:
        DataError: there is no such set, it is absent and cannot be downloaded, or a file of it is damaged.
    """
    variant = _find(name)
    arrays, paths = _obtain(variant)
    if variant.kind == "weights":
        return paths[0]
    if variant.kind == "photographs":
        return _develop(arrays, variant.names)

    def part(which: str) -> tuple[np.ndarray, np.ndarray]:
        X = arrays.get(f"x_{which}", arrays["x_train"][:0])
        y = arrays.get(f"y_{which}", arrays["y_train"][:0])
        X = X[..., None] if X.ndim == 3 else X
        return X.astype(np.float32) / np.float32(255), y.astype(np.int64)

    return Split(*part("train"), *part("val"), *part("test"), variant.names)


def status() -> list[tuple[str, str | None]]:
    """Every set's name and where its files lie on this machine, or None where it would have to be downloaded.

    Files are looked for, not opened: a damaged one is found out when it is loaded.
    """
    places: dict[str, str | None] = {"digits": "scikit-learn", "photos": "scikit-learn"}
    for variant in _variants().values():
        found = [str(paths[0]) for folder in _folders() for _, paths in variant.present(folder)]
        places[variant.name] = found[0] if found else places.get(variant.drawn_from or "")
    return list(places.items())


def content_hash(arrays: Arrays) -> str:
    """The sha256 over decoded arrays by which the registry knows a set, however it was packed.

    Key by key in sorted order, it takes in the UTF-8 line `key TAB dtype TAB shape NEWLINE` (dtype as NumPy
    writes it in little-endian order, such as `<f4` or `|u1`; shape as lengths joined by commas) and then the
    array's little-endian bytes in C order. Photographs enter as the bytes of their files, one-dimensional
    uint8 arrays.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key], arrays[key].dtype.newbyteorder("<"))
        shape = ",".join(map(str, arrays[key].shape))
        digest.update(f"{key}\t{array.dtype.str}\t{shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def read(format: str, paths: list[Path]) -> Arrays:
    """Decode the files of a source, as whoever adds a set to the registry needs it.

    Args:
        format: one of "npz", "idx-gz", "cifar-binary-tgz", "cifar-pickle-tgz", "jpeg-zip", "jpeg-tgz" and
            "keras-h5".
        paths: the source's files, in the registry's order.

    Returns:
        Key to array, as `datasets/README.md` lists them for each kind of set.
    """
    return _READERS[format](paths)


def _bicubic(n: int, m: int) -> np.ndarray:
    """The matrix, shape `(m, n)`, that enlarges n samples to m by cubic convolution (Keys 1981, a = −1/2)."""
    centre = (np.arange(m) + 0.5) * n / m - 0.5
    d = np.abs(centre[:, None] - np.arange(n))
    near, far = 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    W = np.where(d < 1, near, np.where(d < 2, far, 0))
    result: np.ndarray = W / W.sum(axis=1, keepdims=True)  # at the border part of the kernel hangs over
    return result


# The registry -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    """One file of a source: its name under LABBOOK_DATA, and what is published about it."""

    name: str
    bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class _Source:
    """One way to get a variant: files of one format, and the address to download them from, if any."""

    format: str
    files: tuple[_File, ...]
    address: str | None

    def url(self, file: _File) -> str:
        return f"{self.address}/{PurePosixPath(file.name).name}"


@dataclass(frozen=True)
class _Variant:
    """A data set, or a stated part of one, as `load` names it."""

    name: str
    title: str
    kind: str  # "arrays", "photographs" or "weights"
    names: tuple[str, ...]
    content: str | None
    drawn_from: str | None
    sources: tuple[_Source, ...]

    def present(self, folder: Path) -> Iterator[tuple[_Source, list[Path]]]:
        """The sources whose files all lie in a folder."""
        for source in self.sources:
            paths = [folder / file.name for file in source.files]
            if all(path.is_file() for path in paths):
                yield source, paths


def _source(entry: dict[str, Any]) -> _Source:
    return _Source(entry["format"], tuple(_File(**file) for file in entry["files"]), entry.get("address"))


def _variants() -> dict[str, _Variant]:
    """What the registry lists."""
    table = tomllib.loads(_REGISTRY.read_text(encoding="utf-8"))
    return {
        name: _Variant(
            name,
            entry["title"],
            entry["kind"],
            tuple(entry.get("names", ())),
            variant.get("content"),
            variant.get("drawn_from"),
            tuple(map(_source, variant["sources"])),
        )
        for entry in table["sets"].values()
        for name, variant in entry["variants"].items()
    }


def _find(name: str) -> _Variant:
    variants = _variants()
    if name not in variants:
        near = difflib.get_close_matches(name, variants, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DataError(f"There is no data set {name!r}.{hint} Expected one of: {', '.join(variants)}.")
    return variants[name]


def _given() -> Path | None:
    """The folder that LABBOOK_DATA names."""
    if not (value := os.environ.get("LABBOOK_DATA")):
        return None
    if not (folder := Path(value).expanduser()).is_dir():
        raise DataError(f"LABBOOK_DATA names {value}, which is no folder. Correct it or unset it.")
    return folder


def _cache() -> Path:
    if value := os.environ.get("LABBOOK_CACHE"):
        return Path(value).expanduser()
    if _REGISTRY.parent == _HOUSE / "datasets":
        return _HOUSE / "datasets/cache"
    import pooch

    return Path(pooch.os_cache("cnn-labbook"))


def _folders() -> list[Path]:
    given = _given()
    return [given, _cache()] if given else [_cache()]


# Getting hold of a set ----------------------------------------------------------------------------------


def _obtain(variant: _Variant) -> tuple[Arrays, list[Path]]:
    """A variant's verified content and the files it came from."""
    if given := _given():
        for source, paths in variant.present(given):
            try:
                return _open(variant, source, paths), paths
            except _Damaged as damage:
                raise DataError(
                    f"{_join(paths)} under LABBOOK_DATA is damaged or not {variant.name}: {damage}. "
                    "Nothing was changed; replace it or take it away."
                ) from None
    for source, paths in variant.present(_cache()):
        try:
            return _open(variant, source, paths), paths
        except _Damaged:  # it was verified when it came, so the disk spoilt it: fetch it anew
            for path in paths:
                path.unlink(missing_ok=True)
    if variant.drawn_from:
        try:
            arrays = _draw(_obtain(_find(variant.drawn_from))[0])
        except DataError as error:
            file = variant.sources[0].files[0].name
            raise DataError(f"{variant.name} needs {file} or all of {variant.drawn_from}. {error}") from None
        if content_hash(arrays) != variant.content:
            raise DataError(
                f"What was drawn from {variant.drawn_from} is not {variant.name}. Please report this."
            )
        return arrays, []
    return _download(variant)


def _open(variant: _Variant, source: _Source, paths: list[Path]) -> Arrays:
    """Decode files and compare them with the registry.

    The content decides. Where the registry knows no content hash, the published sha256 of the files must
    agree.
    """
    if not variant.content:
        for file, path in zip(source.files, paths, strict=True):
            if file.bytes is not None and path.stat().st_size != file.bytes:
                raise _Damaged(f"{path.stat().st_size:,} bytes instead of {file.bytes:,}")
            if file.sha256 and _sha256(path) != file.sha256:
                raise _Damaged("its sha256 is not the one in the registry")
    try:
        arrays = read(source.format, paths)
    except Exception as error:  # damaged bytes can make a decoder raise anything
        raise _Damaged(f"it cannot be read as {source.format} ({type(error).__name__})") from error
    if variant.content and content_hash(arrays) != variant.content:
        raise _Damaged("its content hash is not the one in the registry")
    return arrays


def _download(variant: _Variant) -> tuple[Arrays, list[Path]]:
    """Fetch a variant from the first address that serves it whole.

    Everything is downloaded and verified in a scratch folder, which goes away whatever happens; only verified
    files are moved into the cache, each in one step.
    """
    import requests

    wanted = next(source.files[0].name for source in variant.sources)
    failures: dict[str, str] = {}
    for source in variant.sources:
        if not source.address:
            continue
        host = urlsplit(source.address).netloc
        try:
            _cache().mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".partial-", dir=_cache()) as scratch:
                paths = [_fetch(source.url(file), file, Path(scratch)) for file in source.files]
                arrays = _open(variant, source, paths)
                kept = [_cache() / file.name for file in source.files]
                for path, place in zip(paths, kept, strict=True):
                    place.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(place)
                return arrays, kept
        except _Damaged as damage:
            failures[host] = f"the download was damaged and removed, {damage}"
        except requests.HTTPError as error:
            failures[host] = str(error).partition(" for url")[0]
        except requests.RequestException:
            failures[host] = "it cannot be reached"
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            remedy = "Make room there" if full else "Make it writable"
            raise DataError(
                f"{variant.title} cannot be kept in {_cache()}: {error.strerror or error}. {remedy}, "
                "or name another folder in LABBOOK_CACHE."
            ) from error
    reasons = "; ".join(f"{host}: {reason}" for host, reason in failures.items())
    tried = f"could not be downloaded ({reasons})" if failures else "has no public address"
    folder = _given() or "a folder and name that folder in LABBOOK_DATA"
    again = ", or connect to the network and try again" if failures else ""
    absent = f"{variant.title} ({variant.name}) is not on this machine and {tried}."
    raise DataError(f"{absent} Put {wanted} into {folder}{again}.")


def _fetch(url: str, file: _File, folder: Path) -> Path:
    """Download one file with pooch, trying twice, and check it against the published hash."""
    import pooch

    def stream(url: str, output: str | IO[bytes], source: Any) -> None:
        with _progress(PurePosixPath(file.name).name) as bar:
            pooch.HTTPDownloader(progressbar=bar, chunk_size=2**16, timeout=30)(url, output, source)

    pooch.get_logger().setLevel("ERROR")  # it would write to stderr, where nbgrader sees a failure
    name = PurePosixPath(file.name).name
    fetcher = pooch.create(folder, "", registry={name: file.sha256}, urls={name: url}, retry_if_failed=1)
    try:
        return Path(fetcher.fetch(name, downloader=stream))
    except ValueError:
        raise _Damaged("its sha256 is not the published one") from None


def _progress(label: str) -> Any:
    """A progress bar on stdout for a person who waits; a silent one in pipes, papermill and grading."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    watched = _session.is_live() or (sys.stdout.isatty() and not _session.is_batch())
    # The total is set by pooch, which takes a bar without one for no bar.
    return tqdm(
        total=1, desc=label, unit="B", unit_scale=True, file=sys.stdout, ncols=79, disable=not watched
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _join(paths: list[Path]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} (or one of its {len(paths) - 1} companions)"


# Reading the formats ------------------------------------------------------------------------------------
# Archives are read member by member in memory: nothing is ever unpacked onto the disk.


def _read_npz(paths: list[Path]) -> Arrays:
    with paths[0].open("rb") as packed, np.load(packed, allow_pickle=False) as file:
        keys = [key for key in file.files if key.startswith(("x_", "y_"))]
        return {key: file[key].reshape(-1) if key.startswith("y_") else file[key] for key in keys}


def _read_idx(paths: list[Path]) -> Arrays:
    """The four gzipped IDX files of MNIST: training images and labels, test images and labels."""
    return dict(zip(("x_train", "y_train", "x_test", "y_test"), map(_read_one_idx, paths), strict=True))


def _read_one_idx(path: Path) -> np.ndarray:
    with gzip.open(path) as file:
        zeros, dtype, ndim = file.read(2), *file.read(2)
        if zeros != b"\0\0" or dtype != 8 or not 1 <= ndim <= 4:
            raise ValueError("not an IDX file of unsigned bytes")
        shape = [int(n) for n in np.frombuffer(file.read(4 * ndim), ">u4")]
        data = file.read(min(math.prod(shape), _LARGEST_MEMBER) + 1)
    return np.frombuffer(data, np.uint8).reshape(shape)


def _read_cifar_binary(paths: list[Path]) -> Arrays:
    """Six batches of records: a label, then 1,024 red, 1,024 green and 1,024 blue bytes."""
    members = dict(_tar_members(paths[0], ".bin"))
    batches = []
    for name in _cifar_batches(".bin"):
        records = np.frombuffer(members[name], np.uint8).reshape(-1, 3073)
        batches.append((records[:, 1:], records[:, 0]))
    return _join_cifar(batches)


def _read_cifar_pickles(paths: list[Path]) -> Arrays:
    """The same batches as Python pickles, opened by an unpickler that can build arrays and nothing else."""
    members = dict(_tar_members(paths[0], ""))
    batches = []
    for name in _cifar_batches(""):
        batch = _ArrayUnpickler(io.BytesIO(members[name]), encoding="bytes").load()
        batches.append((np.asarray(batch[b"data"], np.uint8), np.asarray(batch[b"labels"], np.uint8)))
    return _join_cifar(batches)


def _cifar_batches(suffix: str) -> list[str]:
    return [f"data_batch_{i}{suffix}" for i in range(1, 6)] + [f"test_batch{suffix}"]


def _join_cifar(batches: list[tuple[np.ndarray, np.ndarray]]) -> Arrays:
    X = [pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) for pixels, _ in batches]
    y = [labels for _, labels in batches]
    return {
        "x_train": np.concatenate(X[:5]),
        "y_train": np.concatenate(y[:5]),
        "x_test": np.ascontiguousarray(X[5]),
        "y_test": y[5],
    }


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles dicts, lists, numbers, strings and NumPy arrays; any other class or function is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return lambda kind, shape, dtype: np.ndarray(shape, np.uint8)
        if (module, name) == ("_codecs", "encode"):  # how newer pickles of protocol 2 spell bytes
            return lambda text, encoding: text.encode("latin1")
        raise pickle.UnpicklingError(f"a data set has no use for {module}.{name}")


def _draw(arrays: Arrays) -> Arrays:
    """The stated subset of CIFAR-10: 1,000 training and 200 validation images a class, 1,000 test images."""
    rng = np.random.default_rng(20240601)
    X, y = arrays["x_train"], arrays["y_train"]
    of_class = [rng.permutation(np.flatnonzero(y == label)) for label in range(10)]
    train = np.sort(np.concatenate([i[:1000] for i in of_class]))
    val = np.sort(np.concatenate([i[1000:1200] for i in of_class]))
    drawn = {"x_train": X[train], "y_train": y[train], "x_val": X[val], "y_val": y[val]}
    return drawn | {key: arrays[key][:1000] for key in ("x_test", "y_test")}


def _read_jpeg_zip(paths: list[Path]) -> Arrays:
    with zipfile.ZipFile(paths[0]) as archive:
        members = [info for info in archive.infolist() if info.filename.lower().endswith(".jpg")]
        if any(info.file_size > _LARGEST_MEMBER for info in members):
            raise ValueError("a member is too large for a photograph")
        return {_below_top(info.filename): np.frombuffer(archive.read(info), np.uint8) for info in members}


def _read_jpeg_tgz(paths: list[Path]) -> Arrays:
    with tarfile.open(paths[0], "r:gz") as archive:
        return {
            _below_top(info.name): np.frombuffer(data, np.uint8) for info, data in _regular(archive, ".jpg")
        }


def _tar_members(path: Path, suffix: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path, "r:gz") as archive:
        for info, data in _regular(archive, suffix):
            yield PurePosixPath(info.name).name, data


def _regular(archive: tarfile.TarFile, suffix: str) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for info in archive:
        if info.isfile() and info.name.lower().endswith(suffix):
            if info.size > _LARGEST_MEMBER:
                raise ValueError("a member is too large for a batch or a photograph")
            member = archive.extractfile(info)
            assert member is not None  # true of regular files
            yield info, member.read()


def _below_top(name: str) -> str:
    """The path inside the archive's one top folder: "flowers/train/daisy/1.jpg" is "train/daisy/1.jpg"."""
    return "/".join(PurePosixPath(name).parts[1:])


def _read_h5(paths: list[Path]) -> Arrays:
    """Every weight of a Keras HDF5 file, by its path in the file."""
    import h5py

    arrays: Arrays = {}

    def collect(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            arrays[name] = node[()]

    with h5py.File(paths[0], "r") as file:
        file.visititems(collect)
    return arrays


_READERS: dict[str, Callable[[list[Path]], Arrays]] = {
    "npz": _read_npz,
    "idx-gz": _read_idx,
    "cifar-binary-tgz": _read_cifar_binary,
    "cifar-pickle-tgz": _read_cifar_pickles,
    "jpeg-zip": _read_jpeg_zip,
    "jpeg-tgz": _read_jpeg_tgz,
    "keras-h5": _read_h5,
}


def _develop(files: Arrays, names: tuple[str, ...]) -> Split:
    """Decode photographs: the centre square, FLOWER_SIZE pixels on each side.

    A photograph's folder is its class. The folder above says `train` or `val`, and `val` is held out for
    testing; without such a folder every fifth photograph of a class, in the order of the file names, is held
    out.
    """
    from PIL import Image

    parts: dict[bool, tuple[list[str], list[int]]] = {False: ([], []), True: ([], [])}
    seen = [0] * len(names)
    for key in sorted(files):
        *above, folder, _ = PurePosixPath(key).parts
        label = names.index(folder)
        held_out = above[-1] == "val" if above else seen[label] % 5 == 4
        seen[label] += 1
        keys, labels = parts[held_out]
        keys.append(key)
        labels.append(label)

    def develop(keys: list[str]) -> np.ndarray:
        X = np.empty((len(keys), FLOWER_SIZE, FLOWER_SIZE, 3), np.float32)
        for x, key in zip(X, keys, strict=True):
            image = Image.open(io.BytesIO(files[key].tobytes())).convert("RGB")
            side, (width, height) = min(image.size), image.size
            left, top = (width - side) // 2, (height - side) // 2
            square = image.crop((left, top, left + side, top + side))
            if side != FLOWER_SIZE:
                square = square.resize((FLOWER_SIZE, FLOWER_SIZE), Image.Resampling.LANCZOS)
            x[:] = np.asarray(square, np.float32) / 255
        return X

    (train, y_train), (test, y_test) = parts[False], parts[True]
    X_train, X_test = develop(train), develop(test)
    y = np.array(y_train, np.int64)
    return Split(X_train, y, X_train[:0], y[:0], X_test, np.array(y_test, np.int64), names)
