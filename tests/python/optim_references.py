"""Textbook steps of every optimiser in NumPy float64: ``reference(params, options, gradients of each step)``."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def sgd(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Textbook SGD with momentum (Sutskever et al., 2013) in NumPy."""
    o = {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False, "maximize": False, **options}
    velocity: list[Any] = [None] * len(params)
    for gradients in steps:
        for i, g in enumerate(gradients):
            g = (-g if o["maximize"] else g) + o["weight_decay"] * params[i]
            if o["momentum"]:
                velocity[i] = g if velocity[i] is None else o["momentum"] * velocity[i] + (1 - o["dampening"]) * g
                g = g + o["momentum"] * velocity[i] if o["nesterov"] else velocity[i]
            params[i] = params[i] - o["lr"] * g
    return params


def adam(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Adam (Kingma and Ba, 2015) in NumPy, with amsgrad and both weight decays."""
    o = {
        "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False, "maximize": False,
        "decoupled_weight_decay": False, **options,
    }  # fmt: skip
    beta1, beta2 = o["betas"]
    m, v, top = ([np.zeros_like(p) for p in params] for _ in range(3))
    for count, gradients in enumerate(steps, 1):
        for i, g in enumerate(gradients):
            g = -g if o["maximize"] else g
            if o["decoupled_weight_decay"]:
                params[i] = params[i] * (1 - o["lr"] * o["weight_decay"])
            else:
                g = g + o["weight_decay"] * params[i]
            m[i] = beta1 * m[i] + (1 - beta1) * g
            v[i] = beta2 * v[i] + (1 - beta2) * g * g
            top[i] = np.maximum(top[i], v[i])
            root = np.sqrt((top[i] if o["amsgrad"] else v[i]) / (1 - beta2**count)) + o["eps"]
            params[i] = params[i] - o["lr"] / (1 - beta1**count) * m[i] / root
    return params


def adamw(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    return adam(params, {"weight_decay": 1e-2, **options, "decoupled_weight_decay": True}, steps)


def _prepared(g: Array, p: Array, o: dict[str, Any]) -> Array:
    return (-g if o.get("maximize") else g) + o.get("weight_decay", 0.0) * p


def adadelta(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Zeiler, 2012."""
    o = {"lr": 1.0, "rho": 0.9, "eps": 1e-6, **options}
    rho, squares, deltas = o["rho"], [0.0 * p for p in params], [0.0 * p for p in params]
    for gradients in steps:
        for i, g in enumerate(gradients):
            g = _prepared(g, params[i], o)
            squares[i] = rho * squares[i] + (1 - rho) * g * g
            delta = np.sqrt(deltas[i] + o["eps"]) / np.sqrt(squares[i] + o["eps"]) * g
            deltas[i] = rho * deltas[i] + (1 - rho) * delta * delta
            params[i] = params[i] - o["lr"] * delta
    return params


def adagrad(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Duchi et al., 2011."""
    o = {"lr": 1e-2, "lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10, **options}
    sums = [0.0 * p + o["initial_accumulator_value"] for p in params]
    for count, gradients in enumerate(steps):
        for i, g in enumerate(gradients):
            g = _prepared(g, params[i], o)
            sums[i] = sums[i] + g * g
            params[i] = params[i] - o["lr"] / (1 + count * o["lr_decay"]) * g / (np.sqrt(sums[i]) + o["eps"])
    return params


def adamax(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Kingma and Ba, 2015, section 7.1."""
    o = {"lr": 2e-3, "betas": (0.9, 0.999), "eps": 1e-8, **options}
    (beta1, beta2), m, u = o["betas"], [0.0 * p for p in params], [0.0 * p for p in params]
    for count, gradients in enumerate(steps, 1):
        for i, g in enumerate(gradients):
            g = _prepared(g, params[i], o)
            m[i] = beta1 * m[i] + (1 - beta1) * g
            u[i] = np.maximum(beta2 * u[i], np.abs(g) + o["eps"])
            params[i] = params[i] - o["lr"] / (1 - beta1**count) * m[i] / u[i]
    return params


def _decoupled(g: Array, i: int, params: list[Array], o: dict[str, Any]) -> Array:
    if not o.get("decoupled_weight_decay"):
        return _prepared(g, params[i], o)
    params[i] = params[i] * (1 - o["lr"] * o["weight_decay"])
    return -g if o.get("maximize") else g


def nadam(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Dozat, 2016."""
    o = {"lr": 2e-3, "betas": (0.9, 0.999), "eps": 1e-8, "momentum_decay": 4e-3, **options}
    (beta1, beta2), m, v = o["betas"], [0.0 * p for p in params], [0.0 * p for p in params]
    product = 1.0
    for count, gradients in enumerate(steps, 1):
        mu, ahead = (beta1 * (1 - 0.5 * 0.96 ** (t * o["momentum_decay"])) for t in (count, count + 1))
        product *= mu
        for i, g in enumerate(gradients):
            g = _decoupled(g, i, params, o)
            m[i] = beta1 * m[i] + (1 - beta1) * g
            v[i] = beta2 * v[i] + (1 - beta2) * g * g
            look = ahead / (1 - product * ahead) * m[i] + (1 - mu) / (1 - product) * g
            params[i] = params[i] - o["lr"] * look / (np.sqrt(v[i] / (1 - beta2**count)) + o["eps"])
    return params


def radam(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Liu et al., 2020; eps is added before the correction, as PyTorch does."""
    o = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, **options}
    (beta1, beta2), m, v = o["betas"], [0.0 * p for p in params], [0.0 * p for p in params]
    longest = 2 / (1 - beta2) - 1
    for count, gradients in enumerate(steps, 1):
        length = longest - 2 * count * beta2**count / (1 - beta2**count)
        for i, g in enumerate(gradients):
            g = _decoupled(g, i, params, o)
            m[i] = beta1 * m[i] + (1 - beta1) * g
            v[i] = beta2 * v[i] + (1 - beta2) * g * g
            step = m[i] / (1 - beta1**count)
            if length > 5:
                r = np.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
                step = step * r * np.sqrt(1 - beta2**count) / (np.sqrt(v[i]) + o["eps"])
            params[i] = params[i] - o["lr"] * step
    return params


def rmsprop(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Tieleman and Hinton, 2012; centered: Graves, 2013."""
    o = {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, **options}
    squares, means, buffers = ([0.0 * p for p in params] for _ in range(3))
    for gradients in steps:
        for i, g in enumerate(gradients):
            g = _prepared(g, params[i], o)
            squares[i] = o["alpha"] * squares[i] + (1 - o["alpha"]) * g * g
            means[i] = o["alpha"] * means[i] + (1 - o["alpha"]) * g
            spread = squares[i] - means[i] ** 2 if o.get("centered") else squares[i]
            buffers[i] = o["momentum"] * buffers[i] + g / (np.sqrt(spread) + o["eps"])
            params[i] = params[i] - o["lr"] * buffers[i]
    return params


def rprop(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Riedmiller and Braun, 1993."""
    o = {"lr": 1e-2, "etas": (0.5, 1.2), "step_sizes": (1e-6, 50), **options}
    before, sizes = [0.0 * p for p in params], [0.0 * p + o["lr"] for p in params]
    for gradients in steps:
        for i, g in enumerate(gradients):
            g = _prepared(g, params[i], o)
            factor = np.where(g * before[i] > 0, o["etas"][1], np.where(g * before[i] < 0, o["etas"][0], 1.0))
            sizes[i] = np.clip(sizes[i] * factor, *o["step_sizes"])
            before[i] = np.where(g * before[i] < 0, 0.0, g)
            params[i] = params[i] - np.sign(before[i]) * sizes[i]
    return params


def asgd(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Polyak and Juditsky, 1992; the averages, which `asgd_averages` returns, do not change the parameters."""
    o = {"lr": 1e-2, "lambd": 1e-4, "alpha": 0.75, **options}
    eta = o["lr"]
    for count, gradients in enumerate(steps, 1):
        for i, g in enumerate(gradients):
            g = _prepared(g, params[i], o)
            params[i] = params[i] * (1 - o["lambd"] * eta) - eta * g
        eta = o["lr"] / (1 + o["lambd"] * o["lr"] * count) ** o["alpha"]
    return params


def adafactor(params: list[Array], options: dict[str, Any], steps: list[list[Array]]) -> list[Array]:
    """Shazeer and Stern, 2018."""
    o = {"lr": 1e-2, "beta2_decay": -0.8, "eps": (None, 1e-3), "d": 1.0, "weight_decay": 0.0, **options}
    rows, columns, whole = ([0.0] * len(params) for _ in range(3))

    def size(x: Array) -> float:
        return float(np.sqrt(np.mean(x * x))) if x.size else 0.0

    for count, gradients in enumerate(steps, 1):
        share = count ** o["beta2_decay"]
        for i, g in enumerate(gradients):
            g = -g if o.get("maximize") else g
            least = np.finfo(o["dtype"]).eps if o["eps"][0] is None else o["eps"][0]
            alpha = max(o["eps"][1], size(params[i])) * min(o["lr"], count**-0.5)
            if g.ndim > 1:
                rows[i] += ((g * g).sum(-1, keepdims=True) / max(1, g.shape[-1]) - rows[i]) * share
                columns[i] += ((g * g).sum(-2, keepdims=True) / max(1, g.shape[-2]) - columns[i]) * share
                mean = rows[i].sum(-2, keepdims=True) / max(1, g.shape[-2])  # type: ignore[attr-defined]
                estimate = rows[i] * columns[i] / np.maximum(mean, least)
            else:
                whole[i] += (g * g - whole[i]) * share
                estimate = whole[i]
            update = g / np.sqrt(np.maximum(estimate, least**2))
            params[i] = params[i] * (1 - o["lr"] * o["weight_decay"])
            params[i] = params[i] - alpha / max(1.0, size(update) / o["d"]) * update
    return params
