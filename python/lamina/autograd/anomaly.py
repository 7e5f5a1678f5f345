"""Anomaly detection: which operation, of which module, recorded where, made the NaN of a backward pass."""

from __future__ import annotations

from .. import _core
from .._warning import warn_caller

__all__ = ["detect_anomaly", "set_detect_anomaly"]


class set_detect_anomaly:  # noqa: N801
    """Anomaly detection on or off from the call on; as a context manager, until its end. See `detect_anomaly`."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = (_core.is_anomaly_enabled(), _core.is_anomaly_check_nan_enabled())
        _core._set_anomaly_mode(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        _core._set_anomaly_mode(*self._before)


class detect_anomaly(set_detect_anomaly):  # noqa: N801
    """Within it every recorded operation keeps its Python stack, and backward reads every gradient it makes.

    A NaN, or any error, of a backward pass raises at once (NaN only with `check_nan`), with a warning that names the
    operation and the module's path and shows the lines that recorded it. Slow: for debugging.

    >>> with lamina.autograd.detect_anomaly():
    ...     net(x).sum().backward()
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)
        self._check_nan = check_nan

    def __enter__(self) -> None:
        warn_caller(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging."
        )
        _core._set_anomaly_mode(True, self._check_nan)
