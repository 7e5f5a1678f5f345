"""Composed functions at their edges: NaN, infinities, ties, no elements, no dimensions, bad arguments, aliasing."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import lamina


def _same(result: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(result.detach().numpy()), expected, 1e-6)


def _gradients(function: Callable[..., Any], *values: Any) -> list[Any]:
    leaves = [lamina.tensor(value, dtype=lamina.float64, requires_grad=True) for value in values]
    function(*leaves).sum().backward()
    return [leaf.grad.tolist() for leaf in leaves]


def test_fmax_and_fmin_ignore_nan() -> None:
    a, b = lamina.tensor([nan, 1.0, nan, 2.0]), lamina.tensor([1.0, nan, nan, 3.0])
    _same(lamina.fmax(a, b), [1.0, 1.0, nan, 3.0])
    _same(lamina.fmin(a, b), [1.0, 1.0, nan, 2.0])
    assert _gradients(lamina.fmax, [1.0, 2.0], [1.0, 3.0]) == [[1.0, 0.0], [0.0, 1.0]]


def test_hypot_neither_overflows_nor_vanishes() -> None:
    _same(lamina.hypot(lamina.tensor([3e30, 3e-30, 0.0]), lamina.tensor([4e30, 4e-30, 0.0])), [5e30, 5e-30, 0.0])
    _same(lamina.hypot(lamina.tensor([inf, -inf, nan]), lamina.tensor([nan, 1.0, 1.0])), [inf, inf, nan])


def test_atan2_has_no_slope_at_the_origin() -> None:
    assert _gradients(lamina.atan2, [0.0, 0.0, 3.0], [0.0, 2.0, 0.0]) == [[0.0, 0.5, 0.0], [0.0, 0.0, -1.0 / 3.0]]


def test_logaddexp_of_infinities_and_large_numbers() -> None:
    a, b = [1000.0, -inf, inf, -inf], [1000.0, -inf, -inf, 2.0]
    _same(lamina.logaddexp(lamina.tensor(a), lamina.tensor(b)), np.logaddexp(a, b))
    assert _gradients(lamina.logaddexp, [5.0, -inf], [5.0, 2.0]) == [[0.5, 0.0], [0.5, 1.0]]


def test_xlogy_at_zero() -> None:
    x, y = lamina.tensor([0.0, 0.0, 0.0, 1.0, 0.0]), lamina.tensor([0.0, -1.0, inf, 0.0, nan])
    _same(lamina.xlogy(x, y), [0.0, 0.0, 0.0, -inf, nan])
    _same(lamina.xlogy(2, lamina.tensor([1.0])), [0.0])
    _same(lamina.xlogy(lamina.tensor([2.0]), 1), [0.0])


def test_sinc_at_zero() -> None:
    assert lamina.sinc(lamina.zeros(1)).item() == 1
    assert _gradients(lamina.sinc, [0.0]) == [[0.0]]


def test_nan_to_num() -> None:
    x = lamina.tensor([nan, inf, -inf, 1.0])
    _same(lamina.nan_to_num(x), [0.0, np.finfo(np.float32).max, np.finfo(np.float32).min, 1.0])
    _same(lamina.nan_to_num(x, 1.0, 2.0, 3.0), [1.0, 2.0, 3.0, 1.0])
    integers = lamina.arange(3)
    assert lamina.nan_to_num(integers).dtype == lamina.int64


def test_lerp_is_exact_at_both_ends() -> None:
    start, end = lamina.tensor([1e8, 0.1]), lamina.tensor([1.0, 0.3])
    assert lamina.equal(lamina.lerp(start, end, 0), start)
    assert lamina.equal(lamina.lerp(start, end, 1), end)
    assert lamina.equal(lamina.lerp(start, end, lamina.ones(2)), end)
    with pytest.raises(RuntimeError, match="expected dtype"):
        lamina.lerp(start, end.double(), 0.5)
    assert lamina.equal(lamina.lerp(start, end, lamina.tensor(1)), end)  # a single number has any type
    with pytest.raises(RuntimeError, match="for `weight`"):
        lamina.lerp(start, end, lamina.ones(2).half())


def test_integers_are_refused_where_a_quotient_is_needed() -> None:
    one = lamina.ones(2, dtype=lamina.int64)
    with pytest.raises(RuntimeError, match="Integer division"):
        lamina.addcdiv(one, one, one)
    assert lamina.addcmul(one, one, one, value=2).tolist() == [3, 3]
    with pytest.raises(RuntimeError, match="floating point"):
        lamina.nanmean(one)


def test_products_with_factors_of_integers() -> None:
    matrix, vector = lamina.ones(2, 2, dtype=lamina.int64), lamina.ones(2, dtype=lamina.int64)
    result = lamina.addmv(vector, matrix, vector, beta=0.9, alpha=2.9)
    assert result.dtype == lamina.int64
    assert result.tolist() == [4, 4]
    unread = lamina.full((2,), nan)
    assert lamina.addmv(unread, lamina.ones(2, 2), lamina.ones(2), beta=0).tolist() == [2, 2]


def test_isclose() -> None:
    a, b = lamina.tensor([1.0, inf, -inf, nan]), lamina.tensor([1.0, inf, inf, nan])
    assert lamina.isclose(a, b).tolist() == [True, True, False, False]
    assert lamina.isclose(a, b, equal_nan=True).tolist() == [True, True, False, True]
    assert lamina.allclose(lamina.tensor([100, 200]), lamina.tensor([101, 201]), rtol=0, atol=1)
    assert not lamina.allclose(lamina.tensor([1.0]), lamina.tensor([1.1]))
    assert lamina.allclose(lamina.zeros(0), lamina.zeros(0))
    with pytest.raises(RuntimeError, match="one dtype"):
        lamina.isclose(a, b.double())


def test_equal() -> None:
    assert lamina.equal(lamina.arange(3), lamina.arange(3))
    assert not lamina.equal(lamina.arange(3), lamina.arange(4))
    assert not lamina.equal(lamina.zeros(2, 1), lamina.zeros(1, 2))
    assert not lamina.equal(lamina.tensor([nan]), lamina.tensor([nan]))
    assert lamina.equal(lamina.zeros(0, 3), lamina.zeros(0, 3))
    assert lamina.equal(lamina.zeros(1), lamina.zeros(1, dtype=lamina.int64))


def test_broadcast_shapes() -> None:
    assert lamina.broadcast_shapes((2, 1), (3,), 1) == (2, 3)
    assert lamina.broadcast_shapes() == ()
    assert lamina.broadcast_shapes((0,), (1,)) == (0,)
    with pytest.raises(RuntimeError, match="Attempting to broadcast a dimension of length 3 at -1"):
        lamina.broadcast_shapes((2,), (3,))


def test_median_with_nan_and_ties() -> None:
    x = lamina.tensor([[1.0, nan, 3.0, nan], [4.0, 2.0, 2.0, 9.0]])
    values, indices = lamina.median(x, 1)
    _same(values, [nan, 2.0])
    assert indices[0].item() == 1
    _same(lamina.nanmedian(x, 1).values, [1.0, 2.0])
    assert lamina.median(x).isnan()
    assert lamina.nanmedian(x).item() == 2.0
    assert lamina.nanmedian(lamina.tensor([nan, nan])).isnan()
    assert lamina.median(lamina.zeros(0)).isnan()
    # All that equal the median share its gradient.
    assert _gradients(lamina.median, [2.0, 1.0, 2.0, 3.0, 2.0]) == [[1 / 3, 0.0, 1 / 3, 0.0, 1 / 3]]
    assert lamina.median(lamina.tensor([3, 1, 2, 0])).item() == 1


def test_quantile_arguments() -> None:
    x = lamina.arange(5.0)
    assert lamina.quantile(x, 0.5).item() == 2
    assert lamina.quantile(x, lamina.tensor([0.0, 1.0])).tolist() == [0, 4]
    assert lamina.quantile(lamina.tensor(3.0), 0.2).item() == 3
    assert lamina.quantile(x.reshape(5, 1), 0.5, 0, True).shape == (1, 1)
    assert lamina.quantile(lamina.tensor([1.0, nan]), 0.0).isnan()
    assert lamina.nanquantile(lamina.tensor([[1.0, nan], [nan, nan]]), 0.5, 1).tolist()[0] == 1
    for q in (1.5, -0.1, lamina.tensor([2.0])):
        with pytest.raises(RuntimeError, match=r"range \[0, 1\]"):
            lamina.quantile(x, q)
    with pytest.raises(RuntimeError, match="interpolation"):
        lamina.quantile(x, 0.5, interpolation="cubic")
    with pytest.raises(RuntimeError, match="non-empty"):
        lamina.quantile(lamina.zeros(0), 0.5)
    with pytest.raises(RuntimeError, match="dtype"):
        lamina.quantile(lamina.arange(3), 0.5)


def test_running_extremes_with_ties_and_nan() -> None:
    values, indices = lamina.cummax(lamina.tensor([1.0, 3.0, 3.0, nan, 5.0]), 0)
    _same(values, [1.0, 3.0, 3.0, nan, nan])
    assert indices.tolist() == [0, 1, 2, 3, 3]
    assert lamina.cummin(lamina.tensor([2, 2, 3, 1]), 0).indices.tolist() == [0, 1, 1, 3]
    assert lamina.cummax(lamina.tensor(2.0), 0).values.item() == 2
    assert lamina.cummax(lamina.zeros(0, 2), 0).indices.shape == (0, 2)


def test_logcumsumexp_of_infinities() -> None:
    x = [-inf, -inf, 1000.0, 1000.0, -inf]
    _same(lamina.logcumsumexp(lamina.tensor(x), 0), np.logaddexp.accumulate(x))
    assert _gradients(lambda t: lamina.logcumsumexp(t, 0)[-1], [-inf, 0.0, 0.0]) == [[0.0, 0.5, 0.5]]


def test_diff_of_bool_and_of_more_orders_than_elements() -> None:
    assert lamina.diff(lamina.tensor([True, False, False])).tolist() == [True, False]
    assert lamina.diff(lamina.arange(3), 5).shape == (0,)
    assert lamina.diff(lamina.arange(3), 0).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["unique", "unique_consecutive"])
def test_unique_of_nothing(name: str) -> None:
    unique = getattr(lamina, name)
    values, inverse, counts = unique(lamina.zeros(0), return_inverse=True, return_counts=True)
    assert (values.shape, inverse.shape, counts.shape) == ((0,), (0,), (0,))
    assert inverse.dtype == counts.dtype == lamina.int64


def test_repeats_and_rolls_of_nothing() -> None:
    assert lamina.repeat_interleave(lamina.zeros(0, dtype=lamina.int64)).shape == (0,)
    assert lamina.repeat_interleave(lamina.tensor(3.0), 2).tolist() == [3, 3]
    assert lamina.roll(lamina.zeros(0), 3).shape == (0,)
    assert lamina.roll(lamina.tensor(3.0), 1).item() == 3
    assert lamina.ones(2).repeat(0).shape == (0,)
    assert lamina.tensor(1.0).repeat(2, 2).shape == (2, 2)
    same = lamina.ones(2)
    for copy in (same.repeat(1), same.roll(0), same.roll(2)):
        copy.fill_(5)
    assert same.tolist() == [1, 1]


def test_results_of_no_dimensions() -> None:
    zero_d = lamina.tensor(2.0)
    assert zero_d.movedim(0, -1).shape == ()
    assert zero_d.unfold(0, 1, 1).shape == (1,)
    assert zero_d.take_along_dim(lamina.tensor([0])).tolist() == [2]
    assert zero_d.index_add(0, lamina.tensor([0, 0]), lamina.ones(2)).item() == 4
    assert zero_d.index_fill(0, lamina.tensor(0), 7).item() == 7
    assert zero_d.kthvalue(1).values.shape == ()
    assert zero_d.masked_select(lamina.tensor(True)).tolist() == [2]
    assert zero_d.count_nonzero().item() == 1
    assert lamina.einsum(",->", zero_d, zero_d).item() == 4


def test_views_write_through() -> None:
    x = lamina.zeros(3, 4)
    x.diagonal(1).fill_(1)
    x.movedim(0, 1)[3].add_(2)
    x.unflatten(1, (2, 2))[0, 0, 0] = 9
    x.tensor_split(2)[1].mul_(-1)
    x.swapaxes(0, 1)[0, 1] = 8
    assert x.tolist() == [[9, 1, 0, 2], [8, 0, 1, 2], [0, 0, 0, -3]]
    x.ravel()[0] = 7
    assert x[0, 0].item() == 7


def test_diag_is_a_copy() -> None:
    x = lamina.zeros(2, 2)
    lamina.diag(x).fill_(1)
    assert x.sum().item() == 0


def test_triangles_keep_nan_out() -> None:
    x = lamina.full((2, 2), nan)
    _same(lamina.tril(x), [[nan, 0.0], [nan, nan]])
    assert lamina.triu(lamina.ones(2, 2, dtype=lamina.bool)).tolist() == [[True, True], [False, True]]
    assert lamina.tril(lamina.zeros(0, 3)).shape == (0, 3)


def test_masked_functions_want_a_mask() -> None:
    x = lamina.ones(2)
    for call in (
        lambda m: x.masked_fill(m, 0),
        lambda m: x.masked_select(m),
        lambda m: x.masked_scatter(m, x),
    ):
        with pytest.raises(RuntimeError, match=r"boolean masks|BoolTensor"):
            call(lamina.tensor([1, 0]))
    with pytest.raises(RuntimeError, match="0-dimensional"):
        x.masked_fill(x > 0, x)
    assert lamina.ones(2, dtype=lamina.int64).masked_fill(lamina.tensor([True, False]), 2.7).tolist() == [2, 1]
    with pytest.raises(RuntimeError, match="at least as many source elements"):
        x.masked_scatter(lamina.tensor([True, True]), lamina.ones(1))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: lamina.ones(3).take(lamina.tensor([5])), IndexError, None),
        (lambda: lamina.zeros(0).take(lamina.tensor([0])), IndexError, "empty"),
        (lambda: lamina.ones(3).index_add(0, lamina.tensor([5]), lamina.ones(1)), (IndexError, RuntimeError), None),
        (lambda: lamina.ones(3).index_add(0, lamina.tensor([0]), lamina.ones(2)), RuntimeError, "Number of indices"),
        (lambda: lamina.ones(3).index_add(0, lamina.tensor([0]), lamina.ones(1).double()), RuntimeError, "scalar type"),
        (lambda: lamina.ones(3).index_copy(1, lamina.tensor([0]), lamina.ones(1)), IndexError, "out of range"),
        (lambda: lamina.ones(3).kthvalue(4), RuntimeError, "out of range"),
        (lambda: lamina.ones(2, 3).repeat(2), RuntimeError, "repeat dims"),
        (lambda: lamina.ones(2, 3).unflatten(1, (2, 2)), RuntimeError, "multiply up to the size of dim 1"),
        (lambda: lamina.ones(2, 3).diagonal(0, 1, -1), RuntimeError, "identical"),
        (lambda: lamina.ones(2, 3).movedim((0, 0), (0, 1)), RuntimeError, "repeated dim"),
        (lambda: lamina.ones(2, 3).movedim(0, (0, 1)), RuntimeError, "same number of dims"),
        (lambda: lamina.ones(2, 3).unfold(1, 4, 1), RuntimeError, "maximum size"),
        (lambda: lamina.ones(2, 3).hsplit(2), RuntimeError, "divisible"),
        (lambda: lamina.ones(2).tensor_split(0), RuntimeError, "larger than 0"),
        (lambda: lamina.tensor(1.0).tensor_split(1), RuntimeError, "1-dimensional"),
        (lambda: lamina.ones(2).roll(1, 5), IndexError, "Dimension out of range"),
        (lambda: lamina.ones(2).roll((1, 2)), RuntimeError, "align"),
        (lambda: lamina.ones(2).tril(), RuntimeError, "at least 2 dimensions"),
        (lambda: lamina.ones(2, 2).outer(lamina.ones(2)), RuntimeError, "1-D"),
        (lambda: lamina.meshgrid(lamina.ones(2, 2), indexing="ij"), RuntimeError, "0D or 1D"),
        (lambda: lamina.tensordot(lamina.ones(2, 3), lamina.ones(2, 3), 1), RuntimeError, "contracted dimensions"),
        (lambda: lamina.einsum("ij,jk->ik", lamina.ones(2, 3), lamina.ones(2, 3)), RuntimeError, "j has size 2"),
        (lambda: lamina.einsum("ij->k", lamina.ones(2, 3)), RuntimeError, "does not appear"),
        (lambda: lamina.einsum("ij->ii", lamina.ones(2, 3)), RuntimeError, "more than once"),
        (lambda: lamina.einsum("i->i", lamina.ones(2, 3)), RuntimeError, "number of subscripts"),
        (lambda: lamina.einsum("i1->i", lamina.ones(2, 3)), RuntimeError, "letters"),
        (lambda: lamina.einsum("i,i->i", lamina.ones(2)), RuntimeError, "2 operands"),
        (lambda: lamina.einsum("ii->i", lamina.ones(2, 3)), RuntimeError, "repeated"),
        (lambda: lamina.bincount(lamina.tensor([-1])), RuntimeError, "non-negative"),
        (lambda: lamina.cross(lamina.ones(2), lamina.ones(2), 0), RuntimeError, "must have length 3. Got 2 and 2"),
        (lambda: lamina.linalg.inv(lamina.ones(2, 2)), RuntimeError, "singular"),
        (lambda: lamina.linalg.solve(lamina.ones(2, 3), lamina.ones(2)), RuntimeError, "square"),
        (lambda: lamina.linalg.cholesky(-lamina.eye(2)), RuntimeError, "positive-definite"),
        (lambda: lamina.linalg.matrix_norm(lamina.ones(2, 2), 3), RuntimeError, "not supported"),
        (lambda: lamina.linalg.vector_norm(lamina.zeros(0), -1), RuntimeError, "identity"),
    ],
)  # fmt: skip
def test_bad_arguments(call: Callable[[], Any], error: Any, text: str | None) -> None:
    with pytest.raises(error, match=text):
        call().tolist()  # what depends on numbers may show when they are looked at


def test_determinant_of_singular_matrices_has_its_gradient() -> None:
    # The gradient is the matrix of cofactors, which elimination alone would lose.
    singular = [[0.0, 0.0], [3.0, 2.0]]
    assert _gradients(lamina.linalg.det, singular) == [[[2.0, -3.0], [0.0, 0.0]]]
    assert lamina.linalg.slogdet(lamina.zeros(2, 2)).logabsdet.item() == -inf
    assert lamina.linalg.det(lamina.zeros(0, 0)).item() == 1


def test_cholesky_gradient_is_symmetric() -> None:
    base = lamina.tensor([[2.0, 0.3], [0.3, 1.0]], dtype=lamina.float64)
    lower = lamina.tensor([[0.0, 0.0], [0.4, 0.0]], dtype=lamina.float64)

    def factor(x: Any) -> Any:
        return lamina.linalg.cholesky((x + x.mT) / 2 + base)

    assert lamina.autograd.gradcheck(factor, (lower.clone().requires_grad_(),))
    a = base.clone().requires_grad_()
    lamina.linalg.cholesky(a).sum().backward()
    assert a.grad is not None
    assert lamina.allclose(a.grad, a.grad.mT)
    upper = lamina.linalg.cholesky(base, upper=True)
    assert lamina.allclose(upper.mT @ upper, base)


def test_result_tuples() -> None:
    result = lamina.tensor([3.0, 1.0, 2.0]).median(0)
    assert repr(result) == "torch.return_types.median(\nvalues=tensor(2.),\nindices=tensor(2))"
    values, indices = result
    assert values is result.values
    assert indices is result.indices
    assert isinstance(result, tuple)
    assert isinstance(lamina.ones(2).aminmax(), lamina.return_types.aminmax)


def test_round_to_decimals() -> None:
    x = lamina.tensor([1.2345, -2.5, 17.25, 149.0], requires_grad=True)
    assert lamina.round(x, decimals=1).tolist() == pytest.approx([1.2, -2.5, 17.2, 149.0])
    assert x.round(decimals=-1).tolist() == [0.0, -0.0, 20.0, 150.0]
    x.round(decimals=2).sum().backward()
    assert x.grad.tolist() == [0.0] * 4
    with pytest.raises(RuntimeError, match="decimals"):
        lamina.tensor([1, 2]).round(decimals=1)


def test_cat_gives_empty_parts_their_gradient() -> None:
    nothing = lamina.zeros(0, requires_grad=True)
    x = lamina.ones(2, 3, requires_grad=True)
    lamina.cat([nothing, x, nothing], dim=1).sum().backward()
    assert nothing.grad.shape == (0,)
    assert x.grad.tolist() == [[1.0] * 3] * 2
    assert lamina.cat([nothing, nothing]).shape == (0,)


def test_gather_with_an_empty_index_of_any_shape() -> None:
    x = lamina.ones(2, 3, requires_grad=True)
    picked = x.gather(1, lamina.zeros(0, dtype=lamina.int64))
    assert picked.shape == (0,)
    picked.sum().backward()
    assert x.grad.tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("name", ["scatter", "scatter_add"])
def test_scatter_of_nothing_gives_gradients(name: str) -> None:
    x = lamina.ones(2, 3, requires_grad=True)
    source = lamina.ones(0, 3, requires_grad=True)
    same = getattr(x, name)(0, lamina.zeros(0, 3, dtype=lamina.int64), source)
    assert same.tolist() == x.tolist()
    same.sum().backward()
    assert x.grad.tolist() == [[1.0] * 3] * 2
    assert source.grad.shape == (0, 3)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_too_large_for_caches_is_that_of_its_rows(name: str) -> None:
    """Results of 128 MB and more are made in pieces that are stored past the caches."""
    x = lamina.rand(33_600, 1001)  # rows that end within a cache line
    of_all = getattr(x, name)(1)
    for rows in (slice(0, 33), slice(16_000, 16_100), slice(33_590, None)):
        assert of_all[rows].equal(getattr(x[rows].clone(), name)(1))
    flat = x.reshape(1001, 33_600)
    of_all = getattr(flat, name)(0)
    for columns in (slice(0, 33), slice(16_000, 16_100), slice(33_590, None)):
        alone = getattr(flat[:, columns].clone(), name)(0)  # whose sums are cut otherwise
        np.testing.assert_allclose(of_all[:, columns].numpy(), alone.numpy(), rtol=2e-6)
    long = x.reshape(1, -1)
    of_all, total = getattr(long, name)(1), long.logsumexp(1, keepdim=True)
    for piece in (slice(0, 2000), slice(8_191, 16_385), slice(-9_001, None)):
        shifted = long[:, piece].double() - total  # about -17, which has its own rounding in float32
        expected = shifted.exp() if name == "softmax" else shifted
        np.testing.assert_allclose(of_all[:, piece].numpy(), expected.numpy(), rtol=4e-6)


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_too_few_numbers_for_a_spread_are_warned_of(name: str) -> None:
    function = getattr(lamina, name)
    for x, options in ((lamina.ones(1), {}), (lamina.ones(2, 3), {"dim": 1, "correction": 3}), (lamina.ones(0), {})):
        with pytest.warns(UserWarning, match=rf"{name}\(\): degrees of freedom is <= 0"):
            function(x, **options)
    function(lamina.ones(()), correction=0)
    function(lamina.ones(1, device="meta"))
