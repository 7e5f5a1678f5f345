"""Recurrent layers and cells against NumPy; packed sequences against each sequence by itself; errors."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn
from lamina.autograd import gradcheck
from lamina.nn.utils import rnn

Array = np.ndarray[Any, Any]

KINDS = ["RNN", "LSTM", "GRU"]


def x(*shape: int) -> lamina.Tensor:
    return lamina.tensor(np.random.default_rng(sum(shape)).standard_normal(shape))


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def reference(kind: str, weights: list[Array], inputs: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """One direction of one layer, by the papers' formulas: (T, N, ·) to what each step gives, and the last memory."""
    w, u, b, d, *projection = weights
    outputs = []
    for now in inputs:
        a, r = now @ w.T + b, h @ u.T + d
        if kind == "RNN":
            h = np.tanh(a + r)
        elif kind == "GRU":
            (ar, az, an), (rr, rz, rn) = np.split(a, 3, 1), np.split(r, 3, 1)
            z = sigmoid(az + rz)
            h = (1 - z) * np.tanh(an + sigmoid(ar + rr) * rn) + z * h
        else:
            i, f, g, o = np.split(a + r, 4, 1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            h = h @ projection[0].T if projection else h
        outputs.append(h)
    return np.array(outputs), c


def states(kind: str, count: int, batch: int, size: int) -> Any:
    h = x(count, batch, size)
    return (h, x(count, batch, 4)) if kind == "LSTM" else h


@pytest.mark.parametrize(("kind", "projected"), [("RNN", 0), ("LSTM", 0), ("GRU", 0), ("LSTM", 2)])
def test_layers_against_the_formulas(kind: str, projected: int) -> None:
    options = {"proj_size": projected} if projected else {}
    net = getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True, dtype=lamina.float64, **options)
    start = states(kind, 4, 2, projected or 4)
    output, end = net(x(5, 2, 3), start)
    h, c = (s.numpy() for s in (start if kind == "LSTM" else (start, start)))
    layer = x(5, 2, 3).numpy()
    finals = []
    for depth in range(2):
        forth, back = ([p.detach().numpy() for p in net.all_weights[2 * depth + way]] for way in (0, 1))
        ahead, memory = reference(kind, forth, layer, h[2 * depth], c[2 * depth])
        behind, other = reference(kind, back, layer[::-1], h[2 * depth + 1], c[2 * depth + 1])
        layer = np.concatenate([ahead, behind[::-1]], 2)
        finals += [(ahead[-1], memory), (behind[-1], other)]
    np.testing.assert_allclose(output.detach().numpy(), layer, rtol=1e-10)
    for part, expected in zip(end if kind == "LSTM" else (end,), zip(*finals, strict=True), strict=False):
        np.testing.assert_allclose(part.detach().numpy(), np.array(expected), rtol=1e-10)


def test_weights_by_name_are_in_the_order_of_parameters() -> None:
    for net in (nn.GRU(3, 4, num_layers=2, bidirectional=True), nn.LSTM(3, 4, proj_size=2, bias=False)):
        assert net._flat_weights_names == [name for name, _ in net.named_parameters()]
        assert all(a is b for a, b in zip(net._flat_weights, net.parameters(), strict=True))
        for name in net._flat_weights_names:
            if "weight" in name:
                nn.init.xavier_uniform_(net._parameters[name])


@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences_are_computed_one_by_one(kind: str) -> None:
    net = getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True, batch_first=True, dtype=lamina.float64)
    lengths = [2, 5, 3]
    start = states(kind, 4, 3, 4)
    packed = rnn.pack_sequence([x(n, 3) for n in lengths], enforce_sorted=False)
    output, end = net(packed, start)
    for n, got in enumerate(rnn.unpack_sequence(output)):
        alone = [s[:, n] for s in start] if kind == "LSTM" else start[:, n]
        expected, last = net(x(lengths[n], 3), alone)
        np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), rtol=1e-10)
        ends, lasts = (end, last) if kind == "LSTM" else ((end,), (last,))
        for a, b in zip(ends, lasts, strict=True):
            np.testing.assert_allclose(a[:, n].detach().numpy(), b.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind: str) -> None:
    net = getattr(nn, kind)(2, 3, dtype=lamina.float64)
    assert gradcheck(lambda t, *_: net(t)[0], [x(3, 2, 2).requires_grad_(), *net.parameters()])
    cell = getattr(nn, f"{kind}Cell")(2, 3, dtype=lamina.float64)
    assert gradcheck(lambda t, *_: cell(t), [x(2, 2).requires_grad_(), *cell.parameters()])


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_is_a_step(kind: str) -> None:
    net, cell = getattr(nn, kind)(3, 4), getattr(nn, f"{kind}Cell")(3, 4)
    for a, b in zip(net.parameters(), cell.parameters(), strict=True):
        b.data.copy_(a.data)
    inputs, state = x(3, 2, 3).float(), None
    for now in inputs:
        state = cell(now, state)
    hidden = state[0] if isinstance(state, tuple) else state
    np.testing.assert_allclose(net(inputs)[0][-1].detach().numpy(), hidden.detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU", "relu"])
def test_cells_as_functions(kind: str, bias: bool) -> None:
    names = {"RNN": "rnn_tanh_cell", "LSTM": "lstm_cell", "GRU": "gru_cell", "relu": "rnn_relu_cell"}
    options: Any = {"nonlinearity": "relu"} if kind == "relu" else {}
    cell = getattr(nn, f"{kind.replace('relu', 'RNN')}Cell")(3, 4, bias, dtype=lamina.float64, **options)
    hx = (x(2, 4), x(2, 4) * 2) if kind == "LSTM" else x(2, 4)
    for got, expected in zip(
        getattr(lamina, names[kind])(x(2, 3), hx, *cell.parameters()), cell(x(2, 3), hx), strict=True
    ):
        assert lamina.equal(got, expected)
    with pytest.raises(RuntimeError, match="expects two hidden states"):
        lamina.lstm_cell(x(2, 3), [x(2, 4)], x(16, 3), x(16, 4))
    for w_ih, w_hh in ((x(17, 3), x(17, 4)), (x(4, 3), x(16, 4)), (x(16, 3), x(1, 4))):
        with pytest.raises(RuntimeError, match="expected weights of 16 rows for a hidden_size of 4, got shape"):
            lamina.lstm_cell(x(2, 3), [x(2, 4), x(2, 4)], w_ih, w_hh)


@pytest.mark.parametrize("kind", KINDS)
def test_under_autocast_products_are_of_the_lower_type(kind: str) -> None:
    net, cell = getattr(nn, kind)(3, 4), getattr(nn, f"{kind}Cell")(3, 4)
    exact = net(x(5, 2, 3).float())[0]
    with lamina.autocast("cpu", dtype=lamina.bfloat16):
        output, state = net(x(5, 2, 3).float())[0], cell(x(2, 3).float())
    # A memory of float32 keeps what is added to it of that type, and so does a hidden state that is renewed in part.
    expected = lamina.bfloat16 if kind == "RNN" else lamina.float32
    assert output.dtype == (state[0] if kind == "LSTM" else state).dtype == expected
    error = (output.float() - exact).abs().max().item()
    assert 0 < error < 0.03


def test_dropout_lies_between_layers_and_in_training_only() -> None:
    net = nn.LSTM(3, 4, num_layers=2, dropout=0.5)
    first = net(x(5, 2, 3).float())[0]
    assert not lamina.equal(first, net(x(5, 2, 3).float())[0])
    net.eval()
    assert lamina.equal(net(x(5, 2, 3).float())[0], net(x(5, 2, 3).float())[0])
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        nn.GRU(3, 4, dropout=0.5)


def test_forms_and_copies() -> None:
    assert repr(nn.LSTM(3, 4, 2, proj_size=2, bias=False)) == "LSTM(3, 4, proj_size=2, num_layers=2, bias=False)"
    assert repr(nn.RNNCell(3, 4, nonlinearity="relu", bias=False)) == "RNNCell(3, 4, bias=False, nonlinearity=relu)"
    assert nn.RNN(3, 4, 1, "relu").mode == "RNN_RELU"
    net = nn.GRU(3, 4)
    for copied in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert lamina.equal(copied(x(2, 1, 3).float())[0], net(x(2, 1, 3).float())[0])


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: nn.RNN(3, 4, nonlinearity="abs"), ValueError, "Unknown nonlinearity 'abs'"),
        (lambda: nn.GRU(3, 4, proj_size=2), ValueError, "only supported for LSTM"),
        (lambda: nn.LSTM(3, 4, proj_size=4), ValueError, "smaller than hidden_size"),
        (lambda: nn.LSTM("3", 4), TypeError, "input_size should be of type int, got: str"),  # type: ignore[arg-type]
        (lambda: nn.LSTM(3, 4.5), TypeError, "hidden_size should be of type int"),  # type: ignore[arg-type]
        (lambda: nn.LSTM(3, 4, 0), ValueError, "num_layers must be greater than zero"),
        (lambda: nn.LSTM(3, 4, dropout=2.0), ValueError, "number in range"),
        (lambda: nn.RNN(3, 4)(lamina.zeros(5)), ValueError, "RNN: Expected input to be 2D or 3D, got 1D tensor"),
        (lambda: nn.RNN(3, 4)(lamina.zeros(2, 1, 5)), RuntimeError, "Expected 3, got 5"),
        (lambda: nn.RNN(3, 4)(lamina.zeros(0, 1, 3)), RuntimeError, "sequence length to be larger than 0"),
        (lambda: nn.RNN(3, 4)(x(2, 1, 3)), ValueError, "does not match weight dtype"),
        (lambda: nn.GRU(3, 4)(lamina.zeros(2, 1, 3), lamina.zeros(1, 2, 4)), RuntimeError, "Expected hidden size"),
        (lambda: nn.LSTM(3, 4)(lamina.zeros(2, 3), (lamina.zeros(1, 1, 4),) * 2), RuntimeError, "unbatched 2-D input"),
        (lambda: nn.LSTMCell(3, 4)(lamina.zeros(2, 5)), RuntimeError, "got 5 expected 3"),
        (lambda: nn.GRUCell(3, 4)(lamina.zeros(2, 3), lamina.zeros(1, 4)), RuntimeError, "doesn't match hidden0"),
        (lambda: nn.LSTM(3, 4)(lamina.zeros(2, 1, 3), (lamina.zeros(1, 1, 4),)), RuntimeError, "two hidden states"),
        (
            lambda: nn.LSTM(3, 4)(lamina.zeros(2, 1, 3), lamina.zeros(1, 1, 4)),
            RuntimeError,
            r"got one of shape \[1, 1, 4\]",
        ),
        (lambda: nn.GRU(3, 4)(lamina.zeros(2, 3), (lamina.zeros(1, 4),)), TypeError, "GRU: .* a Tensor, got tuple"),
        (lambda: nn.LSTM(3, 4)(lamina.zeros(2, 3), (None, None)), TypeError, "Tensors, got NoneType, NoneType"),
        (lambda: nn.LSTMCell(3, 4)(lamina.zeros(2, 3), lamina.zeros(2, 4)), TypeError, r"LSTMCell: .*\(h_0, c_0\)"),
        (lambda: nn.GRUCell(3, 4)(lamina.zeros(3), lamina.zeros(1, 4)), RuntimeError, "got 1, expected 4"),
        (lambda: nn.GRUCell(3, 4)(lamina.zeros(4, 3), lamina.zeros(4)), IndexError, "range"),
        (lambda: rnn.pack_padded_sequence(lamina.zeros(3, 1), lamina.tensor(3)), RuntimeError, "got 0D cpu Long"),
        (lambda: rnn.pad_sequence([]), RuntimeError, "empty list"),
        (lambda: rnn.pack_padded_sequence(lamina.zeros(3, 2), [2, 3]), RuntimeError, "sorted in decreasing order"),
        (lambda: rnn.pack_padded_sequence(lamina.zeros(3, 2), [4, 2]), RuntimeError, "at most 3"),
        (lambda: rnn.pack_padded_sequence(lamina.zeros(3, 2), [3, 0]), RuntimeError, "greater than 0"),
    ],
)
def test_errors(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_padding_and_packing_are_inverse() -> None:
    sequences = [lamina.arange(n) + 10 * n for n in (2, 4, 1)]
    for batch_first, side in itertools.product((False, True), ("right", "left")):
        padded = rnn.pad_sequence(sequences, batch_first, -1, side)
        rows = padded if batch_first else padded.T
        for row, sequence in zip(rows.tolist(), sequences, strict=True):
            spare = [-1] * (4 - len(sequence))
            assert row == (sequence.tolist() + spare if side == "right" else spare + sequence.tolist())
    assert rnn.pad_sequence([lamina.ones(2), lamina.ones(1, dtype=lamina.float64)]).dtype == lamina.float32
    packed = rnn.pack_sequence(sequences, enforce_sorted=False)
    assert packed.data.tolist() == [40, 20, 10, 41, 21, 42, 43]
    assert packed.batch_sizes.tolist() == [3, 2, 1, 1]
    padded, lengths = rnn.pad_packed_sequence(packed, total_length=6, padding_value=-1)
    assert padded.shape == (6, 3)
    assert lengths.tolist() == [2, 4, 1]
    assert [s.tolist() for s in rnn.unpack_sequence(packed)] == [s.tolist() for s in sequences]
    assert packed.double().data.dtype == lamina.float64
    assert packed.long() is packed
