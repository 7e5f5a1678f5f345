"""What authors of distributions for PyTorch rely on: expand through an instance, and helpers."""

from __future__ import annotations

from typing import Any

import pytest

import lamina
from lamina.distributions.utils import _standard_normal, _sum_rightmost


class _Named(lamina.distributions.Normal):
    """As authors for PyTorch write a distribution with an attribute of its own."""

    def __init__(self, loc: Any, scale: Any, name: str, validate_args: bool | None = None) -> None:
        self.name, self._twice = name, loc * 2
        super().__init__(loc, scale, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(_Named, _instance)
        new.name, new._twice = self.name, self._twice.expand(batch_shape)
        return super().expand(batch_shape, _instance=new)


class _Louder(_Named):
    def __init__(self, loc: Any) -> None:
        super().__init__(loc, loc + 1, "loud")


def test_expand_fills_the_instance_of_a_subclass() -> None:
    wide = _Named(lamina.zeros(2), lamina.ones(2), "n").expand((3, 2))
    assert (type(wide), wide.name, wide.batch_shape, wide.loc.shape) == (_Named, "n", (3, 2), (3, 2))
    assert wide._twice.shape == (3, 2)
    assert wide.sample().shape == (3, 2)
    with pytest.raises(NotImplementedError, match="Subclass _Louder of _Named that defines a custom __init__"):
        _Louder(lamina.zeros(2)).expand((3, 2))


def test_helpers_by_the_names_that_libraries_use() -> None:
    assert _sum_rightmost(lamina.ones(2, 3, 4), 2).tolist() == [12, 12]
    noise = _standard_normal((2, 3), lamina.float64, lamina.device("cpu"))
    assert (noise.shape, noise.dtype) == ((2, 3), lamina.float64)


def test_transforms_and_distributions_may_be_modules() -> None:
    class Shift(lamina.distributions.Transform, lamina.nn.Module):
        domain = codomain = lamina.distributions.constraints.real
        bijective = True

        def __init__(self) -> None:
            super().__init__(cache_size=1)
            self.by = lamina.nn.Parameter(lamina.ones(()))

        def _call(self, x: Any) -> Any:
            return x + self.by

        def _inverse(self, y: Any) -> Any:
            return y - self.by

        def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
            assert self._cached_x_y == (x, y)
            return lamina.zeros_like(x)

    class Learned(lamina.distributions.Distribution, lamina.nn.Module):
        arg_constraints: dict[str, Any] = {}  # noqa: RUF012

        def __init__(self) -> None:
            super().__init__()
            self.weight = lamina.nn.Parameter(lamina.ones(2))

    shift = Shift()
    assert [name for name, _ in shift.named_parameters()] == ["by"]
    assert [name for name, _ in Learned().named_parameters()] == ["weight"]
    x = lamina.zeros(())
    y = shift(x)
    assert shift.inv(y) is x
    assert shift.log_abs_det_jacobian(x, y).item() == 0
