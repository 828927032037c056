"""The errors that a page may show: one sentence each, naming the value and the remedy.

The message is an English template marked with ``N_`` where it is raised, so that it can be
translated where it is shown; ``str(error)`` is the English sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class ExplorerError(Exception):
    """An error with one sentence for the user.

    Args:
        message: English template with ``{name}`` fields, marked for translation with ``N_``.
        **values: What fills the fields; kept, so that the sentence can be made in any language.
    """

    def __init__(self, message: str, **values: Any) -> None:
        super().__init__(message, values)
        self.message = message
        self.values = values

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The sentence, through ``translate`` (a gettext function)."""
        return translate(self.message).format(**self.values)

    def __str__(self) -> str:
        return self.text()

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword arguments are lost by the default pickling of exceptions; errors cross processes.
        return (_rebuild, (type(self), self.message, self.values))


def _rebuild(kind: type[ExplorerError], message: str, values: dict[str, Any]) -> ExplorerError:
    error = kind.__new__(kind)
    ExplorerError.__init__(error, message, **values)
    return error


class UnknownModelError(ExplorerError):
    """No model has this id; ``values["closest"]`` lists the three closest ids."""


class ModelNotOfferedError(UnknownModelError):
    """The model exists, but this public server does not offer it."""


class UnknownWeightsError(ExplorerError):
    """The model has no weights of this id."""


class WeightsUnavailableError(ExplorerError):
    """The weights exist but could not be had: no network, a broken file, a full disk."""


class ImageError(ExplorerError):
    """The bytes are not an image that can be opened."""


class ModelTooLargeError(ExplorerError):
    """The model does not fit into the pool's budget."""


class InputSizeError(ExplorerError):
    """The network does not take an input of this size."""


class TraceError(ExplorerError):
    """The network could not be traced."""


class AttributionError(ExplorerError):
    """A map cannot be computed for this network, target, layer or option."""


class LayerError(ExplorerError):
    """The network has no such layer, or what was asked of the layer cannot be shown."""


class LatencyError(ExplorerError):
    """A measurement cannot be made as requested."""


class MeasurementError(ExplorerError):
    """Measurements cannot be kept, found, read from a file or written to one."""


class DesignError(ExplorerError):
    """A block of convolutions cannot be built with these numbers."""


class CostFileError(ExplorerError):
    """A downloaded file of costs cannot be read by this version."""


class AtlasError(ExplorerError):
    """A survey cannot be made or kept as asked, or one of its items could not be done."""


class DeviceError(ExplorerError):
    """The device is not there or cannot do what was asked."""


class WorkerLostError(ExplorerError):
    """The worker process ended in the middle of a job."""


class ClusterError(ExplorerError):
    """The cluster that was asked for cannot be used, or has no node that can."""


class LimitError(ExplorerError):
    """A public server does not do this, or not now; it says how much it does and what helps."""


class JobCancelled(ExplorerError):  # noqa: N818 - an outcome, not a fault
    """The job was cancelled; raised inside the job by its progress callback."""


class OwnModelError(ExplorerError):
    """A network of one's own (``EXPLORER_MODELS``) cannot be used."""


class OwnWeightsError(ExplorerError):
    """A file of weights of one's own cannot be used."""


class SettingsError(ExplorerError):
    """A setting has a value that cannot be used."""


class TourError(ExplorerError):
    """A file of a tour's steps cannot be read, or one of its steps cannot be shown."""

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The sentence, through ``translate``; so is the one that it may give as its reason."""
        values = {
            name: value.text(translate) if isinstance(value, ExplorerError) else value
            for name, value in self.values.items()
        }
        return translate(self.message).format(**values)
