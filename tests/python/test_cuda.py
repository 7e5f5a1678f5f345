"""lamina.cuda answers that there are no GPUs, and what programs call for all of them does nothing."""

from __future__ import annotations

import pytest

import lamina
from lamina import nn


def test_no_gpu() -> None:
    assert not lamina.cuda.is_available()
    assert lamina.cuda.device_count() == 0


def test_what_is_done_to_all_gpus_leaves_the_stream_alone() -> None:
    before = lamina.get_rng_state()
    lamina.cuda.manual_seed(1)
    lamina.cuda.manual_seed_all(2)
    lamina.cuda.empty_cache()
    assert lamina.get_rng_state().equal(before)


def test_cuda_says_that_there_is_none() -> None:
    net = nn.Linear(2, 2)
    for call in (lamina.ones(1).cuda, net.cuda):
        with pytest.raises(RuntimeError, match=r"computes on the CPU only; ask cuda\.is_available"):
            call()
        with pytest.raises(RuntimeError, match="computes on the CPU only"):
            call(0)
    assert nn.ReLU().cuda()(lamina.ones(1)) == 1  # nothing is moved


def test_no_other_gpus() -> None:
    for kind in (lamina.xpu, lamina.mps):
        assert not kind.is_available()
        assert kind.device_count() == 0
        kind.empty_cache()
        kind.manual_seed(0)


def test_config_names_the_kernels() -> None:
    from lamina import __config__

    assert lamina._core.isa() in __config__.show()
    assert f"{lamina.get_num_threads()} threads" in __config__.parallel_info()


def test_no_gpu_has_memory_or_work() -> None:
    lamina.cuda.reset_peak_memory_stats()
    assert lamina.cuda.memory_allocated() == lamina.cuda.max_memory_allocated(0) == 0
    assert lamina.cuda.get_rng_state_all() == []
    assert not lamina.cuda.is_initialized()
    assert not lamina.cuda.is_bf16_supported()
    for call in (lamina.cuda.current_device, lamina.cuda.synchronize):
        with pytest.raises(RuntimeError, match="computes on the CPU only"):
            call()
