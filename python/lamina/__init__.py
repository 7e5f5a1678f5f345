"""lamina: PyTorch's modules, recorded as a graph and compiled to C++ kernels. Code reads as with ``torch``.

Everything public is listed here. Subpackages load when first used, NumPy when an array goes in or out.
"""

# fmt: off
# isort: off
from __future__ import annotations

from math import e, inf, nan, pi

from ._core import (
    abs, acos, acosh, add, addmm, all, amax, amin, any, arange, argmax, argmin, argsort, as_strided, as_tensor, asin,
    asinh, atan, atan2, atanh, bernoulli, bfloat16, bitwise_and, bitwise_not, bitwise_or, bitwise_xor, bmm, bool,
    can_cast, cat, ceil, channels_last, channels_last_3d, chunk, clamp, clamp_max, clamp_min, clip, clone, complex,
    complex128, complex32, complex64, concat, concatenate, conj, conj_physical, contiguous_format, copysign, cos, cosh,
    cumprod, cumsum, default_generator, detach, diagonal, digamma, div, divide, dot, dtype, empty, empty_cache,
    empty_like, eq, equal, erf, erfc, erfinv, exp, exp2, expm1, eye, flatten, flip, float16, float32, float64, floor,
    floor_divide, flush, fmod, from_numpy, full, full_like, gather, ge, Generator, get_default_device,
    get_default_dtype, get_num_threads, get_rng_state, gru_cell, gt, i0, imag, index_select, initial_seed, int16, int32,
    int64, int8, is_anomaly_check_nan_enabled, is_anomaly_enabled, is_complex, is_floating_point, is_grad_enabled,
    isfinite, isinf, isnan, layout, le, lgamma, linspace, log, log10, log1p, log2, log_softmax, logical_and,
    logical_not, logical_or, logical_xor, logsumexp, lstm_cell, lt, manual_seed, matmul, max, maximum, mean,
    memory_format, memory_stats, min, minimum, mm, mul, multiply, mv, narrow, ne, neg, nonzero, norm, normal, numel,
    ones, ones_like, permute, plan_stats, polar, pow, preserve_format, prod, promote_types, rand, rand_like, randint,
    randn, randn_like, randperm, real, reciprocal, relu, remainder, reset_peak_memory_stats, reshape, result_type,
    rnn_relu_cell, rnn_tanh_cell, round, rsqrt, scatter, scatter_add, select, set_default_device, set_default_dtype,
    set_num_threads, set_rng_state, sgn, sigmoid, sign, signbit, sin, sinh, Size, softmax, sort, split, sqrt, square,
    squeeze, stack, std, strided, sub, subtract, sum, t, tan, tanh, Tensor, tensor, topk, transpose, true_divide,
    trunc, uint8, unbind, unsqueeze, var, view_as_complex, view_as_real, where, zeros, zeros_like,
)
from ._core import _is_inference as is_inference_mode_enabled
from . import autograd, return_types
from ._printing import set_printoptions
from .autograd.modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from .determinism import (
    are_deterministic_algorithms_enabled, get_deterministic_debug_mode, is_deterministic_algorithms_warn_only_enabled,
    set_deterministic_debug_mode, use_deterministic_algorithms,
)
from .devices import device
from .exchange import from_dlpack
from .dtypes import finfo, iinfo
from .functions.aliases import (
    absolute, adjoint, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, fix, greater, greater_equal, less,
    less_equal, negative, not_equal, positive, is_conj, is_neg, resolve_conj, resolve_neg,
)
from .functions.arranging import fliplr, flipud, repeat_interleave, roll, rot90, tile
from .functions.comparing import allclose, isclose, isneginf, isposinf
from .functions.distinct import bincount, isin, unique, unique_consecutive
from .functions.einsum import einsum
from .functions.indexing import (
    argwhere, index_add, index_copy, index_fill, index_put, masked_fill, masked_scatter, masked_select,
    as_strided_scatter, nonzero_static, put, select_scatter, slice_scatter, take, take_along_dim, unravel_index,
)
from .functions.joining import (
    atleast_1d, atleast_2d, atleast_3d, column_stack, dsplit, dstack, hsplit, hstack, row_stack, split_with_sizes,
    tensor_split, unsafe_chunk, unsafe_split, unsafe_split_with_sizes, vsplit, vstack,
)
from .functions.matrices import (
    block_diag, diag, diag_embed, diagflat, trace, tril, tril_indices, triu, triu_indices,
)
from .functions.ordering import kthvalue, median, nanmedian, nanquantile, quantile
from .functions.pointwise import (
    addcdiv, addcmul, deg2rad, fmax, fmin, frac, hypot, lerp, logaddexp, logit, nan_to_num, rad2deg, rsub, sinc,
    xlogy,
)
from .functions.products import addbmm, addmv, addr, baddbmm, ger, inner, kron, outer, tensordot, vdot
from .functions.reducing import aminmax, count_nonzero, dist, nanmean, nansum, std_mean, trapezoid, var_mean
from .functions.properties import (
    angle, get_device, is_inference, is_nonzero, is_same_size, is_signed, is_tensor, isreal,
)
from .functions.sampling import binomial, multinomial, poisson, randint_like
from .functions.scanning import cummax, cummin, diff, logcumsumexp
from .functions.signal_windows import (
    bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window,
)
from .functions.shaping import (
    broadcast_shapes, broadcast_tensors, broadcast_to, meshgrid, moveaxis, movedim, ravel, swapaxes, swapdims,
    unflatten,
)
from .plans import plan
from .functions.creating import (
    asarray, cartesian_prod, combinations, empty_permuted, empty_strided, from_file, frombuffer, logspace, range,
    scalar_tensor, vander,
)
from .functions.counting import bucketize, mode, msort, searchsorted
from .functions.differences import gradient
from .functions.gamma_family import igamma, igammac, multigammaln as mvlgamma, polygamma
from .functions.histograms import histc, histogram, histogramdd
from .functions.integers import bitwise_left_shift, bitwise_right_shift, gcd, lcm
from .functions.special_values import float_power, frexp, heaviside, ldexp, logaddexp2, nextafter
from .functions.statistics import cdist, corrcoef, cov, cumulative_trapezoid, renorm, trapz
from .functions.scattering import diagonal_scatter, index_reduce, scatter_reduce
from .functions.segments import segment_reduce
from .functions.copying import (
    alias_copy, as_strided_copy, detach_copy, diagonal_copy, expand_copy, narrow_copy, permute_copy, select_copy,
    slice_copy, split_copy, split_with_sizes_copy, squeeze_copy, t_copy, transpose_copy, unbind_copy, unfold_copy,
    unsqueeze_copy, view_as_complex_copy, view_as_real_copy, view_copy,
)
from .legacy import LEGACY_TYPES as _LEGACY_TYPES, set_default_tensor_type, typename
from .storage import TypedStorage, UntypedStorage
from .storage.typed import STORAGE_CLASSES as _STORAGE_CLASSES, storage_class as _storage_class
from .tensor_methods import index_put_
# isort: on
# fmt: on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import (
        accelerator,
        amp,
        as_torch,
        backends,
        cpu,
        cuda,
        datasets,
        distributions,
        func,
        io,
        jit,
        linalg,
        multiprocessing,
        nn,
        optim,
        profiler,
        random,
        serialization,
        special,
        testing,
        utils,
    )
    from .amp import GradScaler, autocast
    from .compiling import compile, get_float32_matmul_precision, set_float32_matmul_precision
    from .control_flow import cond, while_loop
    from .io import load, save
    from .linalg import (
        cholesky_inverse,
        cholesky_solve,
        det,
        logdet,
        lu_unpack,
        matrix_exp,
        matrix_power,
    )
    from .linalg import inv as inverse
    from .linalg.low_rank import pca_lowrank, svd_lowrank
    from .profiler import profile
    from .random import seed

    # fmt: off
    # isort: off
    from .linalg.former import (
        chain_matmul as chain_matmul, cholesky as cholesky, cross as cross, lu as lu, lu_solve as lu_solve,
        pinverse as pinverse, qr as qr, slogdet as slogdet, svd as svd,
        triangular_solve as triangular_solve,
    )
    from .linalg.reflections import geqrf as geqrf, orgqr as orgqr, ormqr as ormqr
    from .nn.functional import (
        adaptive_avg_pool1d as adaptive_avg_pool1d, avg_pool1d as avg_pool1d, bilinear as bilinear, celu as celu,
        channel_shuffle as channel_shuffle, conv1d as conv1d, conv2d as conv2d, conv_transpose1d as conv_transpose1d,
        conv_transpose2d as conv_transpose2d, cosine_similarity as cosine_similarity, group_norm as group_norm,
        hardshrink as hardshrink, layer_norm as layer_norm, max_pool1d as max_pool1d, max_pool2d as max_pool2d,
        native_channel_shuffle as native_channel_shuffle, pairwise_distance as pairwise_distance, pdist as pdist,
        pixel_shuffle as pixel_shuffle,
        pixel_unshuffle as pixel_unshuffle, prelu as prelu, rms_norm as rms_norm, rrelu as rrelu, selu as selu,
        threshold as threshold, celu_ as celu_, conv3d as conv3d, conv_tbc as conv_tbc,
        conv_transpose3d as conv_transpose3d, max_pool3d as max_pool3d, relu_ as relu_, rrelu_ as rrelu_,
        selu_ as selu_, threshold_ as threshold_,
    )
    from .nn.functional.padding import constant_pad_nd as constant_pad_nd
    # isort: on
    # fmt: on

__version__ = "0.1.0"

cfloat = complex64
chalf = complex32
cdouble = complex128
float = float32
half = float16
short = int16
double = float64
int = int32
long = int64
newaxis = None

# fmt: off
_SUBPACKAGES = (
    "_C", "__config__", "accelerator", "amp", "as_torch", "backends", "compiler", "cpu", "cuda", "datasets",
    "distributed", "distributions", "fft", "func", "futures", "hub", "io", "jit",
    "linalg", "mps", "multiprocessing", "nn", "optim", "profiler", "random", "serialization", "special", "testing",
    "utils", "xpu",
)
_NN_FUNCTIONS = (
    "adaptive_avg_pool1d", "avg_pool1d", "bilinear", "celu", "channel_shuffle", "conv1d", "conv2d", "conv_transpose1d",
    "conv_transpose2d", "cosine_similarity", "group_norm", "hardshrink", "layer_norm", "max_pool1d", "max_pool2d",
    "native_channel_shuffle",
    "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "prelu", "rms_norm", "rrelu", "selu", "threshold",
    "celu_", "conv3d", "conv_tbc", "conv_transpose3d", "max_pool3d", "relu_", "rrelu_", "selu_", "threshold_",
)
# The methods that PyTorch has as functions, too.
_IN_PLACE = (
    "abs_", "acos_", "acosh_", "addmv_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_", "arctanh_", "asin_",
    "asinh_", "atan_", "atanh_", "ceil_", "clamp_", "clamp_max_", "clamp_min_", "clip_", "cos_", "cosh_", "deg2rad_",
    "detach_", "erf_", "erfc_", "exp2_", "exp_", "expm1_", "fill_", "fix_", "floor_", "frac_", "gcd_", "i0_", "lcm_",
    "ldexp_", "log10_", "log1p_", "log2_", "log_", "logit_", "nan_to_num_", "neg_", "negative_", "rad2deg_",
    "reciprocal_", "resize_as_", "round_", "rsqrt_", "sigmoid_", "sin_", "sinc_", "sinh_", "sqrt_", "square_", "tan_",
    "tanh_", "trunc_", "xlogy_", "zero_",
)
# The state of autocast.
_AUTOCAST = (
    "autocast_decrement_nesting", "autocast_increment_nesting", "clear_autocast_cache", "get_autocast_cpu_dtype",
    "get_autocast_dtype", "get_autocast_gpu_dtype", "is_autocast_cache_enabled", "is_autocast_cpu_enabled",
    "is_autocast_enabled", "set_autocast_cache_enabled", "set_autocast_cpu_dtype", "set_autocast_cpu_enabled",
    "set_autocast_dtype", "set_autocast_enabled", "set_autocast_gpu_dtype",
)
# fmt: on
_FORMER = (
    "chain_matmul",
    "cholesky",
    "cross",
    "lu",
    "lu_solve",
    "pinverse",
    "qr",
    "slogdet",
    "svd",
    "triangular_solve",
)
_REFLECTIONS = ("geqrf", "orgqr", "ormqr")
# Functions of subpackages that are not loaded with the package: (subpackage, name there).
_CONDITIONS = (
    "_assert", "_check", "_check_index", "_check_not_implemented", "_check_tensor_all", "_check_type", "_check_value",
    "_check_with",
)  # fmt: skip
_LAZY = {
    "cholesky_inverse": ("linalg", "cholesky_inverse"),
    "cholesky_solve": ("linalg", "cholesky_solve"),
    "Future": ("futures", "Future"),
    "compile": ("compiling", "compile"),
    "cond": ("control_flow", "cond"),
    "pca_lowrank": ("linalg.low_rank", "pca_lowrank"),
    "svd_lowrank": ("linalg.low_rank", "svd_lowrank"),
    "while_loop": ("control_flow", "while_loop"),
    "det": ("linalg", "det"),
    "get_float32_matmul_precision": ("compiling", "get_float32_matmul_precision"),
    "inverse": ("linalg", "inv"),
    "load": ("io", "load"),
    "logdet": ("linalg", "logdet"),
    "lu_unpack": ("linalg", "lu_unpack"),
    "matrix_exp": ("linalg", "matrix_exp"),
    "matrix_power": ("linalg", "matrix_power"),
    "constant_pad_nd": ("nn.functional.padding", "constant_pad_nd"),
    "istft": ("nn.functional.short_time", "istft"),
    "stft": ("nn.functional.short_time", "stft"),
    "profile": ("profiler", "profile"),
    "save": ("io", "save"),
    "seed": ("random", "seed"),
    "set_float32_matmul_precision": ("compiling", "set_float32_matmul_precision"),
    **{name: ("conditions", name) for name in _CONDITIONS},
    **{name: ("linalg.former", name) for name in _FORMER},
    **{name: ("linalg.reflections", name) for name in _REFLECTIONS},
    "vmap": ("func", "vmap"),
    "autocast": ("amp", "autocast"),
    "GradScaler": ("amp", "GradScaler"),
    **{name: ("amp.state", name) for name in _AUTOCAST},
    **{name: ("nn.functional", name) for name in _NN_FUNCTIONS},
}

# fmt: off
__all__ = [
    "Generator", "Size", "Tensor", "TypedStorage", "UntypedStorage", "__version__", "abs", "absolute", "acos", "acosh",
    "add", "addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "adjoint", "alias_copy", "all", "allclose", "amax",
    "amin", "aminmax", "angle", "any", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2",
    "arctanh", "are_deterministic_algorithms_enabled", "argmax", "argmin", "argsort", "argwhere", "as_strided",
    "as_strided_copy", "as_strided_scatter", "as_tensor", "asarray", "asin", "asinh", "atan", "atan2", "atanh",
    "atleast_1d", "atleast_2d", "atleast_3d", "autograd", "backends", "baddbmm", "bartlett_window", "bernoulli",
    "bfloat16", "bincount", "binomial", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "blackman_window", "block_diag", "bmm", "bool", "broadcast_shapes",
    "broadcast_tensors", "broadcast_to", "bucketize", "can_cast", "cartesian_prod", "cat", "cdist", "cdouble", "ceil",
    "cfloat", "chalf", "channels_last", "channels_last_3d", "cholesky_inverse", "cholesky_solve", "chunk", "clamp",
    "clamp_max", "clamp_min", "clip", "clone", "column_stack", "combinations", "compile", "compiler", "complex",
    "complex32", "complex64", "complex128", "concat", "concatenate", "cond", "conj", "conj_physical",
    "contiguous_format", "copysign", "corrcoef", "cos", "cosh", "count_nonzero", "cov", "cuda", "cummax", "cummin",
    "cumprod", "cumsum", "cumulative_trapezoid", "datasets", "default_generator", "deg2rad", "det", "detach",
    "detach_copy", "device", "diag", "diag_embed", "diagflat", "diagonal", "diagonal_copy", "diagonal_scatter", "diff",
    "digamma", "dist", "distributions", "div", "divide", "dot", "double", "dsplit", "dstack", "dtype", "e", "einsum",
    "empty", "empty_cache", "empty_like", "empty_permuted", "empty_strided", "enable_grad", "eq", "equal", "erf",
    "erfc", "erfinv", "exp", "exp2", "expand_copy", "expm1", "eye", "finfo", "fix", "flatten", "flip", "fliplr",
    "flipud", "float", "float16", "float32", "float64", "float_power", "floor", "floor_divide", "flush", "fmax", "fmin",
    "fmod", "frac", "frexp", "from_dlpack", "from_file", "from_numpy", "frombuffer", "full", "full_like", "func",
    "gather", "gcd", "ge", "ger", "get_default_device", "get_default_dtype", "get_deterministic_debug_mode",
    "get_device", "get_float32_matmul_precision", "get_num_threads", "get_rng_state", "gradient", "greater",
    "greater_equal", "gru_cell", "gt", "half", "hamming_window", "hann_window", "heaviside", "histc", "histogram",
    "histogramdd", "hsplit", "hstack", "hypot", "i0", "igamma", "igammac", "iinfo", "imag", "index_add", "index_copy",
    "index_fill", "index_put", "index_put_", "index_reduce", "index_select", "inf", "inference_mode", "initial_seed",
    "inner", "int", "int8", "int16", "int32", "int64", "inverse", "io", "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled", "is_complex", "is_conj", "is_deterministic_algorithms_warn_only_enabled", "is_floating_point",
    "is_grad_enabled", "is_inference", "is_inference_mode_enabled", "is_neg", "is_nonzero", "is_same_size", "is_signed",
    "is_tensor", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "kaiser_window",
    "kron", "kthvalue", "layout", "lcm", "ldexp", "le", "lerp", "less", "less_equal", "lgamma", "linalg", "linspace",
    "load", "log", "log1p", "log2", "log10", "log_softmax", "logaddexp", "logaddexp2", "logcumsumexp", "logdet",
    "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "logspace", "logsumexp", "long", "lstm_cell",
    "lt", "lu_unpack", "manual_seed", "masked_fill", "masked_scatter", "masked_select", "matmul", "matrix_exp",
    "matrix_power", "max", "maximum", "mean", "median", "memory_format", "memory_stats", "meshgrid", "min", "minimum",
    "mm", "mode", "moveaxis", "movedim", "msort", "mul", "multinomial", "multiply", "multiprocessing", "mv", "mvlgamma",
    "nan", "nan_to_num", "nanmean", "nanmedian", "nanquantile", "nansum", "narrow", "narrow_copy", "ne", "neg",
    "negative", "newaxis", "nextafter", "nn", "no_grad", "nonzero", "norm", "normal", "not_equal", "numel", "ones",
    "ones_like", "optim", "outer", "pca_lowrank", "permute", "permute_copy", "pi", "plan", "plan_stats", "poisson",
    "polar", "polygamma", "positive", "pow", "preserve_format", "prod", "promote_types", "put", "quantile", "rad2deg",
    "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "random", "randperm", "range", "ravel",
    "real", "reciprocal", "relu", "remainder", "renorm", "repeat_interleave", "reset_peak_memory_stats", "reshape",
    "resolve_conj", "resolve_neg", "result_type", "return_types", "rnn_relu_cell", "rnn_tanh_cell", "roll", "rot90",
    "round", "row_stack", "rsqrt", "rsub", "save", "scalar_tensor", "scatter", "scatter_add", "scatter_reduce",
    "searchsorted", "seed", "segment_reduce", "select", "select_copy", "select_scatter", "serialization",
    "set_default_device", "set_default_dtype", "set_default_tensor_type", "set_deterministic_debug_mode",
    "set_float32_matmul_precision", "set_grad_enabled", "set_num_threads", "set_printoptions", "set_rng_state", "sgn",
    "short", "sigmoid", "sign", "signbit", "sin", "sinc", "sinh", "slice_copy", "slice_scatter", "softmax", "sort",
    "special", "split", "split_copy", "split_with_sizes", "split_with_sizes_copy", "sqrt", "square", "squeeze",
    "squeeze_copy", "stack", "std", "std_mean", "strided", "sub", "subtract", "sum", "svd_lowrank", "swapaxes",
    "swapdims", "t", "t_copy", "take", "take_along_dim", "tan", "tanh", "tensor", "tensor_split", "tensordot",
    "testing", "tile", "topk", "trace", "transpose", "transpose_copy", "trapezoid", "trapz", "tril", "tril_indices",
    "triu", "triu_indices", "true_divide", "trunc", "typename", "uint8", "unbind", "unbind_copy", "unflatten",
    "unfold_copy", "unique", "unique_consecutive", "unravel_index", "unsafe_chunk", "unsafe_split",
    "unsafe_split_with_sizes", "unsqueeze", "unsqueeze_copy", "use_deterministic_algorithms", "utils", "vander", "var",
    "var_mean", "vdot", "view_as_complex", "view_as_complex_copy", "view_as_real", "view_as_real_copy", "view_copy",
    "vmap", "vsplit", "vstack", "where", "while_loop", "xlogy", "zeros", "zeros_like",
]
# fmt: on
__all__ += [*_FORMER, *_REFLECTIONS]
__all__ += [*_NN_FUNCTIONS, *_AUTOCAST, *_IN_PLACE, *_LEGACY_TYPES, *_STORAGE_CLASSES, "Storage", "constant_pad_nd"]
__all__ += [
    "GradScaler",
    "accelerator",
    "amp",
    "as_torch",
    "autocast",
    "cpu",
    "distributed",
    "fft",
    "istft",
    "jit",
    "nonzero_static",
    "profile",
    "profiler",
    "stft",
]
globals().update(_LEGACY_TYPES, **_STORAGE_CLASSES)


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    if name in _LAZY:
        package, attribute = _LAZY[name]
        globals()[name] = value = getattr(import_module(f"{__name__}.{package}"), attribute)
        return value
    if name in _IN_PLACE:
        globals()[name] = value = getattr(Tensor, name)
        return value
    if name == "Storage":
        return _storage_class(get_default_dtype())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
