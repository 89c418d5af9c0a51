"""Training a model: with a progress bar and the growing loss curve for whoever watches, silent in batch."""

import sys
import time
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit import _session

if TYPE_CHECKING:
    LiveCurve: Any  # the class is made when it is first asked for, since its base class brings TensorFlow


def fit(
    model: Any,
    X: np.ndarray,
    y: np.ndarray,
    *,
    epochs: int,
    batch_size: int = 128,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    seed: int = 0,
    live: bool | None = None,
    callbacks: Sequence[Any] = (),
) -> dict[str, list[float]]:
    """Train a compiled Keras model on shuffled batches, the same ones for the same seed.

    A notebook shows a progress bar and the loss curve, a terminal Keras's own progress bar, and what runs in
    batch (LABBOOK_BATCH=1), in a pipe or in a plain script shows nothing.

    Args:
        model: a compiled `keras.Model`. Its first weights are drawn when it is built: call
            `keras.utils.set_random_seed` before that to make them the same too.
        X: images, shape `(n, height, width, channels)`.
        y: labels, as the model's loss wants them.
        epochs: how many times to go through `X`.
        batch_size: images in a batch.
        validation: images and labels to measure after every epoch.
        seed: sets Python's, NumPy's and TensorFlow's random numbers before the training.
        live: whether to show the curve; if None, when there is a notebook and somebody may be watching.
        callbacks: `keras.callbacks.Callback`s of yours.

    Returns:
        For the loss and every metric, with and without "val_" before its name, a value for each epoch.

    Example:
        >>> history = training.fit(model, X, y, epochs=5, validation=(X_val, y_val))
        >>> history["val_loss"][-1]
    """
    import keras

    keras.utils.set_random_seed(seed)
    if getattr(model, "optimizer", None) is not None and model.built:
        model.optimizer.build(model.trainable_variables)  # else the training step is traced twice
    show = _session.is_live() if live is None else live
    in_terminal = not show and not _session.shell() and sys.stdout.isatty() and not _session.is_batch()
    history = model.fit(
        X,
        y,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=validation,
        shuffle=True,
        verbose=1 if in_terminal else 0,
        callbacks=[*callbacks, *([_live_curve()()] if show else [])],
    ).history
    return {name: [float(value) for value in values] for name, values in history.items()}


def __getattr__(name: str) -> Any:
    if name == "LiveCurve":
        return _live_curve()
    raise AttributeError(f"module 'labkit.training' has no attribute {name!r}")


@cache
def _live_curve() -> Any:
    """The callback's class."""
    import keras

    class LiveCurve(keras.callbacks.Callback):  # type: ignore[misc]
        """A Keras callback that shows in a notebook how far the training is and how the loss falls.

        There is one display, renewed twice a second at most, and more seldom where drawing is slow, so that
        drawing takes no more than a tenth of the time. When the training ends the curve stays, without the
        progress bar.

        Example:
            >>> model.fit(X, y, epochs=5, verbose=0, callbacks=[training.LiveCurve()])
        """

        def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
            from IPython.display import display

            self.epoch = 0
            self.losses: dict[str, list[float]] = {"training": [], "validation": []}
            self._started = time.monotonic()
            self._due = self._started + 0.5
            self._display = display({"text/plain": "training starts …"}, raw=True, display_id=True)

        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.epoch = epoch

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            if time.monotonic() >= self._due:
                steps = self.params.get("steps")
                done = self.epoch + ((batch + 1) / steps if steps else 0)
                self._draw(done, float((logs or {})["loss"]))

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.losses["training"].append(float((logs or {})["loss"]))
            if "val_loss" in (logs or {}):
                self.losses["validation"].append(float((logs or {})["val_loss"]))

        def on_train_end(self, logs: dict[str, float] | None = None) -> None:
            if self.losses["training"]:
                self._draw(None)

        def _draw(self, done: float | None, loss: float = np.nan) -> None:
            """Renew the display within an epoch, with the epochs done and the loss so far, or at the end."""
            from labkit import plots

            begun = time.monotonic()
            x = [float(i) for i in range(1, len(self.losses["training"]) + 1)]
            if done is not None:
                x.append(max(done, 0.01))
            series = {
                name: losses + [loss if name == "training" else np.nan] * (len(x) - len(losses))
                for name, losses in self.losses.items()
                if losses or name == "training"
            }
            fig = plots.draw_curves(series, x, xlabel="epoch", ylabel="loss", title="Loss while training")
            fig.axes[0].set_xlim(0, self.params["epochs"])
            shown, metadata = plots.bundle(fig, self._words())
            if done is not None:
                left = self._left(done)
                bar = f'<progress value="{done:.3f}" max="{self.params["epochs"]}"></progress> {left}'
                shown, metadata = (
                    {"text/html": f"<div>{bar}</div>{shown['text/html']}", "text/plain": left},
                    {},
                )
            self._display.update(shown, metadata=metadata, raw=True)
            now = time.monotonic()
            self._due = now + max(0.5, 9 * (now - begun))

        def _words(self) -> str:
            last = ", ".join(f"{name} {losses[-1]:.3g}" for name, losses in self.losses.items() if losses)
            epochs = len(self.losses["training"])
            return f"Curves of the loss over {epochs} epochs. The last: {last or 'none yet'}."

        def _left(self, done: float) -> str:
            epochs = self.params["epochs"]
            seconds = (time.monotonic() - self._started) * (epochs - done) / max(done, 0.01)
            return f"epoch {self.epoch + 1} of {epochs}, about {seconds:.0f} s left"

    LiveCurve.__module__, LiveCurve.__qualname__ = __name__, "LiveCurve"
    return LiveCurve
