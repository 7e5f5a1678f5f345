"""lamina.cuda answers that there are no GPUs, and what programs call for all of them does nothing."""

from __future__ import annotations

import lamina


def test_no_gpu() -> None:
    assert not lamina.cuda.is_available()
    assert lamina.cuda.device_count() == 0


def test_what_is_done_to_all_gpus_leaves_the_stream_alone() -> None:
    before = lamina.get_rng_state()
    lamina.cuda.manual_seed(1)
    lamina.cuda.manual_seed_all(2)
    lamina.cuda.empty_cache()
    assert lamina.get_rng_state().equal(before)
