import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labkit import _session, training

HOUSE = Path(__file__).parent.parent
HEAVY = ("tensorflow", "keras", "sklearn", "matplotlib", "pandas", "IPython", "h5py", "PIL", "pooch", "tqdm")


def test_importing_labkit_brings_no_heavy_library() -> None:
    code = "import labkit, sys; from labkit import data, metrics, plots, training; "
    code += "print(*(name for name in sys.argv[1:] if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], cwd=HOUSE, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("\n", "", 0)


def test_training_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'LiveCurves'"):
        training.LiveCurves  # noqa: B018


class Handle:
    def __init__(self) -> None:
        self.updates: list[dict[str, str]] = []

    def update(self, bundle: dict[str, str], metadata: dict[str, Any], raw: bool) -> None:
        self.updates.append(bundle)


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    """The one display of a notebook with somebody before it."""
    import IPython.display

    made = [Handle()]
    monkeypatch.delenv("LABBOOK_BATCH", raising=False)
    monkeypatch.setattr(_session, "shell", lambda: types.SimpleNamespace(kernel=object()))
    spare = iter(made)
    monkeypatch.setattr(IPython.display, "display", lambda *args, **kwargs: next(spare))
    return made[0]


def model() -> Any:
    import keras

    keras.utils.set_random_seed(1)
    net = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile("sgd", loss=loss, metrics=["accuracy"])
    return net


RNG = np.random.default_rng(0)
X, y = RNG.random((60, 4, 4, 1), np.float32), RNG.integers(0, 3, 60)


def test_fit_is_quiet_and_repeats_itself(capfd: pytest.CaptureFixture[str]) -> None:
    runs = [training.fit(model(), X, y, epochs=3, batch_size=7, validation=(X, y), seed=s) for s in (5, 5, 6)]
    assert set(runs[0]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(len(values) == 3 and all(type(v) is float for v in values) for values in runs[0].values())
    assert runs[0]["loss"][-1] < runs[0]["loss"][0]
    assert runs[0] == runs[1]
    assert runs[0]["val_loss"] != runs[2]["val_loss"]
    out, err = capfd.readouterr()
    assert out == ""
    assert "loss" not in err


def test_fit_shows_the_curve_in_one_display(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(np.arange(0, 1000, 0.1))  # every look at the clock finds it 0.1 s later
    monkeypatch.setattr(training, "time", types.SimpleNamespace(monotonic=lambda: float(next(clock))))
    training.fit(model(), X, y, epochs=20, batch_size=10, validation=(X, y))
    *during, last = handle.updates
    assert 4 <= len(during) <= 10
    assert all("<progress" in shown["text/html"] and "<img alt=" in shown["text/html"] for shown in during)
    assert re.fullmatch(r"epoch \d+ of 20, about \d+ s left", during[-1]["text/plain"])
    assert "<progress" not in last["text/html"]
    assert "over 20 epochs. The last: training" in last["text/plain"]
    assert "image/png" in last


def test_the_curve_is_renewed_twice_a_second_at_most(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(training, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    curve = training.LiveCurve()
    curve.set_params({"epochs": 1, "steps": 100})
    curve.on_train_begin()
    curve.on_epoch_begin(0)
    drawn: list[float] = []
    monkeypatch.setattr("labkit.plots.draw_curves", lambda *args, **kwargs: drawn.append(now[0]) or figure())
    for batch in range(100):
        now[0] += 0.1
        curve.on_train_batch_end(batch, {"loss": 1.0})
    assert 15 <= len(drawn) <= 20
    assert np.diff(drawn).min() >= 0.5 - 1e-9


def figure() -> Any:
    from matplotlib.figure import Figure

    fig = Figure()
    fig.subplots()
    return fig


def test_batch_shows_nothing(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _session.is_live()
    monkeypatch.setenv("LABBOOK_BATCH", "1")
    assert not _session.is_live()
    training.fit(model(), X, y, epochs=1)
    assert handle.updates == []


def test_a_model_without_a_loss_is_kerass_to_refuse() -> None:
    import keras

    net = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match="compile"):
        training.fit(net, X, y, epochs=1)
