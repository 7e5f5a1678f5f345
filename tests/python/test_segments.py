"""segment_reduce."""

from __future__ import annotations

import math

import numpy as np
import pytest

import lamina

_DATA = np.array([[0.0, 5.0, 2.0], [3.0, -1.0, 4.0], [6.0, 7.0, 1.0], [2.0, 2.0, 9.0]])
_REDUCTIONS = {"sum": (np.sum, 0), "mean": (np.mean, math.nan), "prod": (np.prod, 1), "max": (np.max, -math.inf)}


@pytest.mark.parametrize("reduce", [*_REDUCTIONS, "min"])
def test_segment_reduce_by_lengths_and_offsets(reduce: str) -> None:
    function, nothing = _REDUCTIONS.get(reduce, (np.min, math.inf))
    data = lamina.tensor(_DATA, requires_grad=True)
    expected = [function(_DATA[:2], axis=0), np.full(3, nothing), function(_DATA[2:], axis=0)]
    result = lamina.segment_reduce(data, reduce, lengths=lamina.tensor([2, 0, 2]))
    np.testing.assert_allclose(result.detach().numpy(), expected)
    again = lamina.segment_reduce(data, reduce, offsets=lamina.tensor([0, 2, 2, 4]), axis=-2)
    np.testing.assert_array_equal(again.detach().numpy(), result.detach().numpy())
    rows = lamina.segment_reduce(data, reduce, lengths=lamina.tensor([[1, 2], [2, 1], [1, 2], [2, 1]]), axis=1)
    expected = [[function(row[:n]), function(row[n:])] for row, n in zip(_DATA, (1, 2, 1, 2))]
    np.testing.assert_allclose(rows.detach().numpy(), expected)
    assert lamina.autograd.gradcheck(
        lambda x: lamina.segment_reduce(x, reduce, lengths=lamina.tensor([3, 1]), initial=1.5), (data,)
    )


def test_segment_reduce_begins_with_initial() -> None:
    lengths = lamina.tensor([2, 0, 2])
    found = {
        reduce: lamina.segment_reduce(lamina.tensor(_DATA[:, 0]), reduce, lengths=lengths, initial=2.0).tolist()
        for reduce in (*_REDUCTIONS, "min")
    }
    assert found == {
        "sum": [5, 2, 10],
        "mean": [2.5, 2, 5],
        "prod": [0, 2, 24],
        "max": [3, 2, 6],
        "min": [0, 2, 2],
    }


def test_segment_reduce_refuses_lengths_that_do_not_fit() -> None:
    data = lamina.tensor(_DATA)
    with pytest.raises(RuntimeError, match="all rows of lengths along axis to sum"):
        lamina.segment_reduce(data, "sum", lengths=lamina.tensor([2, 1]))
    assert lamina.segment_reduce(data, "sum", lengths=lamina.tensor([2, 1]), unsafe=True)[:, 0].tolist() == [3, 6]
    with pytest.raises(RuntimeError, match="negative"):
        lamina.segment_reduce(data, "sum", lengths=lamina.tensor([-1, 5]))
    with pytest.raises(RuntimeError, match="last dimension of lengths"):
        lamina.segment_reduce(data, "sum", lengths=lamina.tensor([2, 2]), axis=1)
    with pytest.raises(RuntimeError, match="axes of lengths before the last"):
        lamina.segment_reduce(data, "sum", lengths=lamina.tensor([[3]]), axis=1)
    with pytest.raises(RuntimeError, match="Either lengths or offsets"):
        lamina.segment_reduce(data, "sum")
    with pytest.raises(RuntimeError, match="got median"):
        lamina.segment_reduce(data, "median", lengths=lamina.tensor([4]))
    with pytest.raises(NotImplementedError, match="'Long'"):
        lamina.segment_reduce(data.long(), "sum", lengths=lamina.tensor([4]))
