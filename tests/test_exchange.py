"""Files between test and answer in a student's own kernel, and parsers that broken and oversized files do not upset."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from labkit import check, exchange


def test_test_and_answer_share_a_folder() -> None:
    one, two = check.folder(), check.folder()
    assert one != two
    assert check.listing(one) == {}
    np.save(f"{one}/b.npy", np.arange(3))
    (Path(one) / "a").mkdir()
    (Path(one) / "a" / "c.json").write_text('{"x": [1]}')
    check.hand_over(one)
    assert check.listing(one) == {"a/c.json": 10, "b.npy": 152}
    assert check.read(f"{one}/b.npy").tolist() == [0, 1, 2]
    assert check.read(f"{one}/a/c.json") == {"x": [1]}
    with pytest.raises(FileNotFoundError):
        check.listing(f"{two}/none")


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras's own, when it stores a variable
def test_models_and_checkpoints() -> None:
    keras = pytest.importorskip("keras")
    tf = pytest.importorskip("tensorflow")
    folder = check.folder()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.save(f"{folder}/m.keras")
    model.save_weights(f"{folder}/m.weights.h5")
    prefix = tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).save(f"{folder}/c")
    np.testing.assert_array_equal(check.read(f"{folder}/m.keras").get_weights()[0], model.get_weights()[0])
    assert sorted(a.size for a in check.read(f"{folder}/m.weights.h5").values() if a.size) == [2, 8]
    assert check.read(prefix)["v/.ATTRIBUTES/VARIABLE_VALUE"].tolist() == [1, 2]
    with pytest.raises(FileNotFoundError):
        check.read(f"{folder}/none.keras")


def sparse(place: Path) -> None:
    with place.open("wb") as file:
        os.truncate(file.fileno(), exchange.MAX_FILE + 1)


def bomb(place: Path) -> None:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(exchange.MAX_FILE + 1))


def pickled(place: Path) -> None:
    np.save(place, np.array([print], dtype=object), allow_pickle=True)


def many(place: Path) -> None:
    np.savez(place, **{f"x{n}": np.zeros(1) for n in range(exchange.MAX_ARRAYS + 1)})


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("large.npy", sparse),
        ("bomb.npz", bomb),
        ("many.npz", many),
        ("pickled.npy", pickled),
        *[(f"broken{end}", lambda place: place.write_bytes(b"PK nonsense")) for end in
          (".npy", ".npz", ".json", ".h5", ".index")],
    ],
)  # fmt: skip
def test_what_is_not_what_its_name_says_is_a_value_error(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    with pytest.raises(exchange.Unreadable, match=r"at most|cannot be read"):
        exchange.parse(str(tmp_path / name.removesuffix(".index")))


def test_links_are_left_out_of_a_listing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert exchange.sizes(str(tmp_path)) == {"a": 3}
