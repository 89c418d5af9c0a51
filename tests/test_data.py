import errno
import gzip
import hashlib
import io
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import tarfile
import threading
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from labkit import data

HOUSE = Path(__file__).parent.parent
TABLE = tomllib.loads((HOUSE / "datasets/registry.toml").read_text(encoding="utf-8"))
VARIANTS = {name: (entry, v) for entry in TABLE["sets"].values() for name, v in entry["variants"].items()}
GIVEN = os.environ.get("LABBOOK_DATA")


# What is always here -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [28, 32])
def test_digits_are_a_fixed_stratified_split(size: int) -> None:
    split, again = data.digits(size), data.digits(size)
    for X, y, n in (
        (split.X_train, split.y_train, 1197),
        (split.X_val, split.y_val, 200),
        (split.X_test, split.y_test, 400),
    ):
        assert X.shape == (n, size, size, 1)
        assert X.dtype == np.float32
        assert y.shape == (n,)
        assert y.dtype == np.int64
        assert X.min() == 0
        assert 0.99 < X.max() <= 1
        frame = X.copy()
        frame[:, 4:-4, 4:-4] = 0
        assert not frame.any()
    assert np.bincount(split.y_test).tolist() == [40] * 10
    assert np.bincount(split.y_val).tolist() == [20] * 10
    np.testing.assert_array_equal(split.X_train, again.X_train)
    np.testing.assert_array_equal(split.y_test, again.y_test)
    assert split.names == tuple("0123456789")


def test_digits_that_were_prepared_go_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, prepared = data.digits(16), data.digits(16)
    monkeypatch.setitem(data._prepared, 16, prepared)
    assert data.digits(16) is prepared
    prepared.X_train[:] = 7
    np.testing.assert_array_equal(data.digits(16).X_train, fresh.X_train)


def test_digits_are_scikit_learns_each_used_once_and_enlarged_as_pillow_does() -> None:
    from sklearn.datasets import load_digits

    split, bunch = data.digits(28), load_digits()
    expected = []
    for image in bunch.images.astype(np.float32) / 16:
        large = np.asarray(Image.fromarray(image).resize((20, 20), Image.Resampling.BICUBIC))
        expected.append(np.pad(np.clip(large, 0, 1), 4))
    ours = np.concatenate([split.X_train, split.X_val, split.X_test])[..., 0]
    labels = np.concatenate([split.y_train, split.y_val, split.y_test])

    def in_order(X: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.lexsort([*np.round(X.reshape(len(X), -1)[:, ::7], 3).T, y])

    theirs = np.stack(expected)
    i, j = in_order(ours, labels), in_order(theirs, bunch.target)
    np.testing.assert_array_equal(labels[i], bunch.target[j])
    np.testing.assert_allclose(ours[i], theirs[j], atol=2e-6)  # Pillow computes in float32


def test_digits_refuses_a_size_without_room() -> None:
    with pytest.raises(ValueError, match=r"Expected a size of at least 16 .* Received size=8"):
        data.digits(8)


def test_photos() -> None:
    found = data.photos()
    assert list(found) == ["china", "flower"]
    for X in found.values():
        assert X.shape == (427, 640, 3)
        assert X.dtype == np.float32
        grey_levels = X.astype(np.float64) * 255
        np.testing.assert_allclose(grey_levels, np.round(grey_levels), atol=1e-4)
        assert (X.min(), X.max()) == (0, 1)


# The content hash and the registry ---------------------------------------------------------------------


def test_content_hash_is_the_documented_one() -> None:
    a, b = np.arange(6, dtype="<f4").reshape(2, 3), np.array([1, 2], np.uint8)
    by_hand = hashlib.sha256(b"a\t<f4\t2,3\n" + a.tobytes() + b"b\t|u1\t2\n" + b"\x01\x02").hexdigest()
    assert data.content_hash({"a": a, "b": b}) == by_hand
    assert data.content_hash({"b": b, "a": np.asfortranarray(a).astype(">f4")}) == by_hand


@pytest.mark.parametrize(
    "other",
    [
        {"a": np.array([[0, 1, 2], [3, 4, 6]], np.uint8)},
        {"a": np.arange(6, dtype=np.uint8).reshape(3, 2)},
        {"a": np.arange(6, dtype=np.int8).reshape(2, 3)},
        {"b": np.arange(6, dtype=np.uint8).reshape(2, 3)},
        {"a": np.arange(6, dtype=np.uint8).reshape(2, 3), "b": np.zeros(0)},
    ],
)
def test_content_hash_sees_every_difference(other: data.Arrays) -> None:
    assert data.content_hash(other) != data.content_hash({"a": np.arange(6, dtype=np.uint8).reshape(2, 3)})


def test_registry_is_whole_and_the_readme_lists_it() -> None:
    readme = (HOUSE / "datasets/README.md").read_text(encoding="utf-8")
    assert set(VARIANTS) == set(data._variants())
    for name, (entry, variant) in VARIANTS.items():
        assert all(entry[key] for key in ("title", "licence", "citation"))
        assert variant["about"]
        assert f"| `{name}` |" in readme
        for source in variant["sources"]:
            assert source["format"] in data._READERS
            assert source["format"] in readme
            hashes = [file.get("sha256") for file in source["files"]]
            assert all(h is None or re.fullmatch("[0-9a-f]{64}", h) for h in hashes)
            if source["verified"]:
                assert all(hashes)
                assert variant["content"]
            else:
                assert re.fullmatch(r"https?://[^/]+(/[^?]*)?[^/]", source["address"])
                assert ("hash_from" in source) == all(hashes)
            # Without a content hash the file's own is all there is to go by.
            assert variant.get("content") or all(hashes)
    assert "none stated" in VARIANTS["cifar10"][0]["licence"]


@pytest.mark.skipif(not GIVEN, reason="LABBOOK_DATA is not set: the real files are not at hand")
@pytest.mark.parametrize("name", [n for n, (_, v) in VARIANTS.items() if v.get("content")])
def test_the_real_files_are_what_the_registry_says(name: str) -> None:
    entry, variant = VARIANTS[name]
    (file,) = next(source for source in variant["sources"] if source["verified"])["files"]
    path = Path(str(GIVEN)) / file["name"]
    assert path.stat().st_size == file["bytes"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]
    loaded = data.load(name)
    if entry["kind"] == "weights":
        assert loaded == path
        return
    sizes = {"mnist": (60000, 0, 10000), "fashion_mnist": (60000, 0, 10000)}
    sizes |= {"cifar10_subset": (10000, 2000, 1000), "flowers_small": (400, 0, 200)}
    assert (len(loaded.y_train), len(loaded.y_val), len(loaded.y_test)) == sizes[name]
    assert loaded.X_train.dtype == np.float32
    assert loaded.X_train.ndim == 4
    assert 0 <= loaded.X_train.min() < loaded.X_train.max() <= 1
    assert set(loaded.y_train) == set(loaded.y_test) == set(range(len(loaded.names)))


# Formats -----------------------------------------------------------------------------------------------

RNG = np.random.default_rng(7)
CIFAR = {
    "x_train": RNG.integers(0, 256, (20, 32, 32, 3), np.uint8),
    "y_train": RNG.integers(0, 10, 20, np.uint8),
    "x_test": RNG.integers(0, 256, (4, 32, 32, 3), np.uint8),
    "y_test": RNG.integers(0, 10, 4, np.uint8),
}


def equal(a: data.Arrays, b: data.Arrays) -> bool:
    return data.content_hash(a) == data.content_hash(b)


def tgz(path: Path, members: dict[str, bytes], *links: str) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    return path


def cifar_batches() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for i in range(6):
        X = CIFAR["x_train"][4 * i : 4 * i + 4] if i < 5 else CIFAR["x_test"]
        y = CIFAR["y_train"][4 * i : 4 * i + 4] if i < 5 else CIFAR["y_test"]
        yield f"data_batch_{i + 1}" if i < 5 else "test_batch", X.transpose(0, 3, 1, 2).reshape(4, 3072), y


def test_cifar_is_the_same_from_pickles_and_from_binary_records(tmp_path: Path) -> None:
    pickles, binary = {}, {}
    for name, X, y in cifar_batches():
        batch = {b"data": X, b"labels": y.tolist(), b"filenames": [b"a.png"]}
        pickles[f"cifar-10-batches-py/{name}"] = pickle.dumps(batch, 2)
        binary[f"cifar-10-batches-bin/{name}.bin"] = np.column_stack([y, X]).tobytes()
    assert equal(data.read("cifar-pickle-tgz", [tgz(tmp_path / "p.tar.gz", pickles)]), CIFAR)
    assert equal(data.read("cifar-binary-tgz", [tgz(tmp_path / "b.tar.gz", binary)]), CIFAR)


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, (os.environ["EVIL"],)


def test_a_pickle_that_calls_something_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVIL", str(tmp_path / "evil"))
    members = {
        f"x/{name}": pickle.dumps({b"data": Evil(), b"labels": []}, 2) for name, _, _ in cifar_batches()
    }
    with pytest.raises(pickle.UnpicklingError, match=r"no use for posix\.mkdir"):
        data.read("cifar-pickle-tgz", [tgz(tmp_path / "evil.tar.gz", members)])
    assert not (tmp_path / "evil").exists()


def test_npz_with_objects_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=np.array([{}], object))
    with pytest.raises(ValueError, match=r"allow_pickle=False"):
        data.read("npz", [tmp_path / "a.npz"])


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes())


def test_idx(tmp_path: Path) -> None:
    arrays = {"x_train": CIFAR["x_train"][..., 0], "y_train": CIFAR["y_train"]}
    arrays |= {"x_test": CIFAR["x_test"][..., 0], "y_test": CIFAR["y_test"]}
    paths = [tmp_path / f"{key}.gz" for key in arrays]
    for path, array in zip(paths, arrays.values(), strict=True):
        path.write_bytes(idx(array))
    assert equal(data.read("idx-gz", paths), arrays)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\x0d\x01\0\0\0\x01\0", b"\0\0\x08\x01\0\0\0\x03\1\2", b"\0\0\x08\x01\0\0\0\x01\1\2"],
)
def test_damaged_idx_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=r"IDX|unpack|reshape"):
        data.read("idx-gz", [tmp_path / "a.gz"] * 4)


def jpeg(colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    """A photograph of one colour in its centre square and of blue beside it."""
    buffer, side = io.BytesIO(), min(size)
    image = Image.new("RGB", size, (0, 0, 255))
    image.paste(
        colour, ((size[0] - side) // 2, (size[1] - side) // 2, (size[0] + side) // 2, (size[1] + side) // 2)
    )
    image.save(buffer, "jpeg")
    return buffer.getvalue()


def test_photographs_are_read_from_zip_and_tar_without_touching_the_disk(tmp_path: Path) -> None:
    members = {"f/a/1.jpg": b"one", "f/b/2.jpg": b"two", "f/LICENSE.txt": b"-", "/../../../out.jpg": b"three"}
    archive = tgz(tmp_path / "a.tgz", members, "f/a/link.jpg")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    before = sorted(tmp_path.rglob("*"))
    for arrays in (data.read("jpeg-zip", [tmp_path / "a.zip"]), data.read("jpeg-tgz", [archive])):
        assert {key: array.tobytes() for key, array in arrays.items() if ".." not in key} == {
            "a/1.jpg": b"one",
            "b/2.jpg": b"two",
        }
    assert sorted(tmp_path.rglob("*")) == before


def test_weights_are_known_by_their_arrays(tmp_path: Path) -> None:
    import h5py

    for name, note in (("a.h5", "once"), ("b.h5", "twice")):
        with h5py.File(tmp_path / name, "w") as file:
            file["conv1/kernel:0"] = np.ones((3, 3), "f4")
            file.attrs["note"] = note
    a, b = (data.read("keras-h5", [tmp_path / name]) for name in ("a.h5", "b.h5"))
    assert list(a) == ["conv1/kernel:0"]
    assert equal(a, b)


# Finding and fetching ----------------------------------------------------------------------------------

TINY = {
    "x_train": RNG.integers(0, 256, (5, 6, 6), np.uint8),
    "y_train": np.array([0, 1, 0, 1, 1], np.uint8),
    "x_test": RNG.integers(0, 256, (2, 6, 6), np.uint8),
    "y_test": np.array([0, 1], np.uint8),
}


def npz(arrays: data.Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


GOOD = npz(TINY)
BAD = npz(TINY | {"y_test": np.array([1, 1], np.uint8)})


class Server(ThreadingHTTPServer):
    """Serves what a test puts into `files`: bytes, or a function that writes the answer itself."""

    def __init__(self) -> None:
        self.files: dict[str, bytes | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        if callable(content):
            content(self)
        elif content is None:
            self.send_error(404)
        else:
            send_head(self, len(content))
            self.wfile.write(content)

    do_CONNECT = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


def send_head(handler: BaseHTTPRequestHandler, length: int) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()


def running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A local server; whoever asks a proxy instead is caught by another one."""
    trap = running(Server())
    proxy = next(trap)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.address)
        monkeypatch.setenv(name.upper(), proxy.address)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield from running(Server())
    assert proxy.asked == []
    next(trap, None)


class House:
    """A lab book with a registry of its own and an empty cache."""

    def __init__(self, folder: Path) -> None:
        self.registry, self.cache, self.given = folder / "registry.toml", folder / "cache", folder / "given"
        self.given.mkdir()

    def write(self, *sources: dict[str, Any], **fields: Any) -> None:
        variants = {"tiny": {"content": data.content_hash(TINY), "sources": list(sources)} | fields}
        table = {"title": "Tiny", "kind": "arrays", "names": ["a", "b"], "variants": variants}
        self.registry.write_text(f"sets.tiny = {toml(table)}\n", encoding="utf-8")

    def cached(self) -> list[str]:
        return (
            sorted(str(p.relative_to(self.cache)) for p in self.cache.rglob("*"))
            if self.cache.exists()
            else []
        )


def toml(value: Any) -> str:
    """A value in TOML's inline notation."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


def source(server: Server | None, name: str = "tiny.npz", content: bytes | None = GOOD) -> dict[str, Any]:
    file: dict[str, Any] = {"name": name}
    if content is not None:
        file |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return {"format": "npz", "files": [file]} | ({"address": server.address} if server else {})


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    made = House(tmp_path)
    monkeypatch.setattr(data, "_REGISTRY", made.registry)
    monkeypatch.setenv("LABBOOK_CACHE", str(made.cache))
    monkeypatch.delenv("LABBOOK_DATA", raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # pooch waits a second before it tries again
    return made


def error_of(name: str = "tiny") -> str:
    with pytest.raises(data.DataError) as caught:
        data.load(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_download_is_verified_and_kept(
    house: House, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    server.files["/tiny.npz"] = GOOD
    house.write(source(server))
    assert dict(data.status())["tiny"] is None
    for _ in range(2):
        split = data.load("tiny")
        np.testing.assert_array_equal(split.X_train, TINY["x_train"][..., None].astype(np.float32) / 255)
        assert (split.X_train.dtype, split.y_train.dtype) == (np.float32, np.int64)
        assert split.X_val.shape == (0, 6, 6, 1)
        assert split.y_test.tolist() == [0, 1]
    assert server.asked == ["/tiny.npz"]
    assert house.cached() == ["tiny.npz"]
    assert dict(data.status())["tiny"] == str(house.cache / "tiny.npz")
    assert capfd.readouterr() == ("", "")


def test_given_files_come_first_and_are_found_in_folders(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABBOOK_DATA", str(house.given))
    house.write(source(server, "sets/tiny.npz"))
    (house.given / "sets").mkdir()
    # Packed otherwise, so with another sha256; the content is right, and that is what counts.
    with (
        zipfile.ZipFile(house.given / "sets/tiny.npz", "w", zipfile.ZIP_DEFLATED) as packed,
        zipfile.ZipFile(io.BytesIO(GOOD)) as plain,
    ):
        for name in reversed(plain.namelist()):
            packed.writestr(name, plain.read(name))
    assert data.load("tiny").y_train.tolist() == [0, 1, 0, 1, 1]
    assert server.asked == []


@pytest.mark.parametrize("content", [BAD, GOOD[:-30], b"not an archive"])
def test_a_damaged_given_file_is_named_and_left_alone(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setenv("LABBOOK_DATA", str(house.given))
    server.files["/tiny.npz"] = GOOD
    house.write(source(server))
    path = house.given / "tiny.npz"
    path.write_bytes(content)
    message = error_of()
    assert f"{path} under LABBOOK_DATA is damaged or not tiny" in message
    assert "replace it" in message
    assert path.read_bytes() == content
    assert server.asked == []


def test_without_a_content_hash_the_file_hash_decides(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABBOOK_DATA", str(house.given))
    house.write(source(None), content="")
    (house.given / "tiny.npz").write_bytes(GOOD)
    data.load("tiny")
    (house.given / "tiny.npz").write_bytes(BAD)
    assert "its sha256 is not the one in the registry" in error_of()


@pytest.mark.parametrize("known", [GOOD, None])
@pytest.mark.parametrize("content", [BAD, GOOD[:-30]])
def test_a_damaged_download_is_removed_and_the_next_source_tried(
    house: House, server: Server, content: bytes, known: bytes | None
) -> None:
    server.files |= {"/tiny.npz": content, "/other.npz": GOOD}
    house.write(source(server, "tiny.npz", known), source(server, "other.npz"))
    assert data.load("tiny").y_test.tolist() == [0, 1]
    assert house.cached() == ["other.npz"]
    assert server.asked[0] == "/tiny.npz"


def test_when_no_source_is_whole_nothing_stays(house: House, server: Server) -> None:
    def cut_off(handler: BaseHTTPRequestHandler) -> None:
        send_head(handler, len(GOOD))
        handler.wfile.write(GOOD[:100])

    server.files["/tiny.npz"] = cut_off
    house.write(source(server), source(server, "absent.npz"))
    message = error_of()
    assert "not on this machine and could not be downloaded" in message
    assert "404" in message
    assert "Put tiny.npz into a folder and name that folder in LABBOOK_DATA, or connect" in message
    assert house.cached() == []


def test_offline_and_absent(house: House, server: Server) -> None:
    house.write({**source(None), "address": "http://127.0.0.1:9"})
    assert "127.0.0.1:9: it cannot be reached" in error_of()
    house.write(source(None))
    assert "has no public address. Put tiny.npz into a folder" in error_of()
    assert house.cached() == []


def test_a_cached_file_that_the_disk_spoilt_is_fetched_anew(house: House, server: Server) -> None:
    server.files["/tiny.npz"] = GOOD
    house.write(source(server))
    data.load("tiny")
    (house.cache / "tiny.npz").write_bytes(BAD)
    assert data.load("tiny").y_test.tolist() == [0, 1]
    assert (house.cache / "tiny.npz").read_bytes() == GOOD
    (house.cache / "tiny.npz").write_bytes(BAD)
    server.files.clear()
    assert "not on this machine" in error_of()
    assert house.cached() == []


def test_a_full_disk_and_a_cache_that_cannot_be_written(
    house: House, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pooch

    server.files["/tiny.npz"] = GOOD
    house.write(source(server))
    with monkeypatch.context() as patch:

        def full(*args: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(pooch.HTTPDownloader, "__call__", full)
        assert f"cannot be kept in {house.cache}: No space left on device. Make room there" in error_of()
    assert house.cached() == []
    monkeypatch.setenv("LABBOOK_CACHE", str(house.registry / "cache"))
    assert "or name another folder in LABBOOK_CACHE" in error_of()


def test_ctrl_c_leaves_nothing_half_written(house: House, server: Server) -> None:
    halfway, end = threading.Event(), threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        send_head(handler, 2 * 2**20)
        handler.wfile.write(bytes(2**20))
        halfway.set()
        end.wait(60)

    server.files["/tiny.npz"] = stall
    house.write(source(server))
    code = "import pathlib, sys; from labkit import data; "
    code += "data._REGISTRY = pathlib.Path(sys.argv[1]); data.load('tiny')"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(house.registry)], cwd=HOUSE, stderr=subprocess.PIPE
    )
    try:
        assert halfway.wait(60)
        while not any(house.cache.rglob(".partial-*/tmp*")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        end.set()
        process.kill()
    assert b"KeyboardInterrupt" in errors
    assert house.cached() == []


def test_names_and_folders_that_do_not_exist(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.write(source(None))
    assert error_of("tinny") == "There is no data set 'tinny'. Did you mean 'tiny'? Expected one of: tiny."
    monkeypatch.setenv("LABBOOK_DATA", str(house.given / "nowhere"))
    assert "nowhere, which is no folder. Correct it or unset it." in error_of()


def test_the_stated_subset_of_cifar10_is_drawn_from_the_whole() -> None:
    y = np.repeat(np.arange(10, dtype=np.uint8), 5000)
    X = np.arange(50000, dtype=np.uint32)
    drawn = data._draw({"x_train": X, "y_train": y, "x_test": X[:10000], "y_test": y[:10000]})
    assert np.bincount(drawn["y_train"]).tolist() == [1000] * 10
    assert np.bincount(drawn["y_val"]).tolist() == [200] * 10
    assert not set(drawn["x_train"]) & set(drawn["x_val"])
    np.testing.assert_array_equal(y[drawn["x_train"]], drawn["y_train"])
    np.testing.assert_array_equal(drawn["x_test"], X[:1000])


def test_a_drawn_subset_must_have_the_registrys_content(house: House) -> None:
    house.given.rmdir()
    y = np.repeat(np.arange(10, dtype=np.uint8), 1300)
    whole = {"x_train": np.zeros((13000, 1, 1), np.uint8), "y_train": y}
    whole |= {"x_test": np.zeros((1000, 1, 1), np.uint8), "y_test": y[:1000]}
    house.cache.mkdir()
    (house.cache / "whole.npz").write_bytes(npz(whole))
    for content, works in ((data.content_hash(data._draw(whole)), True), ("0" * 64, False)):
        variants = {
            "whole": {"content": data.content_hash(whole), "sources": [source(None, "whole.npz", None)]},
            "part": {"content": content, "drawn_from": "whole", "sources": [source(None, "part.npz", None)]},
        }
        table = {"title": "Whole", "kind": "arrays", "names": ["a"], "variants": variants}
        house.registry.write_text(f"sets.whole = {toml(table)}\n", encoding="utf-8")
        if works:
            assert len(data.load("part").y_val) == 2000
            assert dict(data.status())["part"] == str(house.cache / "whole.npz")
        else:
            assert "is not part" in error_of("part")
    (house.cache / "whole.npz").unlink()
    assert error_of("part").startswith(
        "part needs part.npz or all of whole. Whole (whole) is not on this machine"
    )


@pytest.mark.parametrize("split_folders", [True, False])
def test_photographs_become_centre_squares(house: House, split_folders: bool) -> None:
    members = {}
    for i in range(5):
        light = 255 - 30 * i
        for kind, colour in (("red", (light, 0, 0)), ("green", (0, light, 0))):
            folder = ("val/" if i == 4 else "train/") if split_folders else ""
            members[f"f/{folder}{kind}/{i}.jpg"] = jpeg(colour, [(300, 200), (200, 300), (192, 192)][i % 3])
    house.cache.mkdir()
    archive = tgz(house.cache / "f.tgz", members)
    content = data.content_hash(data.read("jpeg-tgz", [archive]))
    sources = [{"format": "jpeg-tgz", "files": [{"name": "f.tgz"}]}]
    table = {"title": "F", "kind": "photographs", "names": ["green", "red"]}
    table["variants"] = {"f": {"content": content, "sources": sources}}  # type: ignore[assignment]
    house.registry.write_text(f"sets.f = {toml(table)}\n", encoding="utf-8")
    split = data.load("f")
    assert split.X_train.shape == (8, 192, 192, 3)
    assert split.X_test.shape == (2, 192, 192, 3)
    assert split.y_test.tolist() == [0, 1]
    light = 135 / 255  # that of the fifth of each kind
    np.testing.assert_allclose(split.X_test.mean(axis=(1, 2)), [[0, light, 0], [light, 0, 0]], atol=0.02)
    assert split.X_train[..., 2].mean(axis=(1, 2)).max() < 0.02
