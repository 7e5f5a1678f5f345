"""Distances between rows: by a matrix product, and one by one."""

from __future__ import annotations

from math import nan

import pytest

import lamina


def test_cdist_of_many_rows_is_by_a_product() -> None:
    x = lamina.randn(30, 4, dtype=lamina.float64, requires_grad=True)
    by_product, direct = lamina.cdist(x, x + 1), lamina.cdist(x, x + 1, compute_mode="donot_use_mm_for_euclid_dist")
    assert by_product.grad_fn.next_functions[0][0].name() == "EuclideanDistBackward0"
    assert direct.grad_fn.name() == "CdistBackward0"
    assert lamina.allclose(by_product, direct)
    same = lamina.zeros(26, 3, requires_grad=True)
    lamina.cdist(same, same).sum().backward()
    assert same.grad.count_nonzero() == 0  # where rows are equal, too
    broken = lamina.full((26, 2), nan)
    assert lamina.cdist(broken, lamina.ones(1, 2)).isnan().all()
    with pytest.raises(ValueError, match="by hand is not a valid value for compute_mode"):
        lamina.cdist(x, x, compute_mode="by hand")
