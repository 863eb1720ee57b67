"""Tests of the switches for TF32: off in every forward pass, then as before."""

import threading

import pytest
import torch
from toy_backbones import build, speech

from cmkt_plugin.full_float32 import full_float32
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.overlap_add import OverlapAdd

PARTS = torch.backends.cuda.matmul, torch.backends.cudnn


def switches():
    return tuple(part.allow_tf32 for part in PARTS)


@pytest.fixture(params=[(True, True), (True, False), (False, False)])
def before(request):
    """The switches as a caller may have set them."""
    found = switches()
    for part, allowed in zip(PARTS, request.param):
        part.allow_tf32 = allowed
    yield request.param
    for part, allowed in zip(PARTS, found):
        part.allow_tf32 = allowed


@pytest.mark.parametrize("name", ["gru", "fcn2d"])
def test_no_forward_pass_uses_tf32(name, before):
    windows = OverlapAdd(window=0.9, context=0.2, fade=0.05)
    model = CMKTEnhancement(
        {"enhancer": build(name)["enhancer"]},
        {"sample_rate": 16000},
        {"device": "cpu"},
        windows=windows,
    )
    seen = []
    for part in model.enhancer.net.modules():
        part.register_forward_hook(lambda *_: seen.append(switches()))

    def check():
        assert seen and set(seen) == {(False, False)}
        assert switches() == before
        seen.clear()

    noisy = speech(1, 32000)
    model.enhance_batch(noisy[:, :8000])  # one pass
    check()
    model.enhance_batch(noisy)  # windows or a stream
    check()
    if name == "gru":
        stream = model.stream()
        check()
        stream.push(noisy[0])
        check()
        stream.flush()
        check()


def test_errors_restore_the_switches(before):
    with pytest.raises(KeyError), full_float32:
        raise KeyError
    assert switches() == before


def test_the_last_thread_to_leave_restores_the_switches(before):
    inside, leave = threading.Event(), threading.Event()

    def stay():
        with full_float32:
            inside.set()
            leave.wait()

    other = threading.Thread(target=stay)
    with full_float32:
        other.start()
        inside.wait()
    assert switches() == (False, False)
    leave.set()
    other.join()
    assert switches() == before
