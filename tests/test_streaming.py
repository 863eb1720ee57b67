"""Tests of streams: one pass over the whole is what they must give."""

import time
from functools import partial

import numpy as np
import pytest
import torch
from speechbrain.lobes.models.transformer.TransformerSE import CNNTransformerSE
from speechbrain.nnet.CNN import Conv1d
from speechbrain.nnet.containers import LengthsCapableSequential, Sequential
from speechbrain.nnet.linear import Linear
from speechbrain.nnet.normalization import (
    BatchNorm1d,
    InstanceNorm1d,
    LayerNorm,
)
from speechbrain.nnet.RNN import GRU, LSTM, RNN, LiGRU
from speechbrain.processing.features import ISTFT, STFT, InputNormalization
from toy_backbones import build, speech

from cmkt_plugin.enhancers import SpectralMask
from cmkt_plugin.inference import CMKTEnhancement
from cmkt_plugin.streaming.speed import measure
from cmkt_plugin.streaming.stream import EnhancementStream


def model_of(enhancer):
    return CMKTEnhancement({"enhancer": enhancer}, {"sample_rate": 16000})


def masked(*layers, n_fft=512, win=32, hop=16, **options):
    """An enhancer of these layers, its mask between 0 and 1."""
    torch.manual_seed(0)
    bins = [None, None, n_fft // 2 + 1]
    net = LengthsCapableSequential(input_shape=bins)
    for layer in (*layers, partial(Linear, n_neurons=bins[2])):
        net.append(layer)
    net.append(torch.nn.Sigmoid())
    stft = STFT(16000, win, hop, n_fft, **options)
    istft = ISTFT(16000, n_fft, win, hop)
    return SpectralMask(net, stft, istft).eval()


@pytest.fixture(scope="module")
def gru():
    return model_of(build("gru")["enhancer"])


def whole(model, noisy):
    return model.enhance_batch(noisy.unsqueeze(0))[0]


def pushed(stream, noisy, sizes):
    """Pushes pieces of these sizes in turn, and flushes."""
    parts, at, turn = [], 0, 0
    while at < len(noisy):
        size = sizes[turn % len(sizes)]
        parts.append(stream.push(noisy[at : at + size]))
        at, turn = at + size, turn + 1
    parts.append(stream.flush())
    return torch.cat(parts)


@pytest.mark.parametrize(
    "sizes", [[1], [37], [256], [257], [0, 1, 1000, 5, 0, 700], [100000]]
)
def test_any_pieces_give_what_one_pass_gives(gru, sizes):
    noisy = speech(1, 4001)[0]
    expected = whole(gru, noisy)
    assert expected.abs().max() > 1e-2
    streamed = pushed(gru.stream(), noisy, sizes)
    assert streamed.shape == noisy.shape
    assert (streamed - expected).abs().max() < 1e-5


@pytest.mark.parametrize(
    "samples", [0, 1, 100, 255, 256, 257, 511, 512, 513, 2048, 2303]
)
def test_any_length(gru, samples):
    noisy = speech(1, samples)[0]
    stream = gru.stream()
    for _ in range(2):  # flush leaves the stream as new
        streamed = pushed(stream, noisy, [300])
        assert streamed.shape == noisy.shape
        if samples:
            difference = streamed - whole(gru, noisy)
            assert difference.abs().max() < 1e-5


@pytest.mark.parametrize(
    "settings",
    [
        {"n_fft": 512, "win": 25, "hop": 10},
        {"n_fft": 401, "win": 25, "hop": 10},
        {"n_fft": 400, "win": 20, "hop": 7.5},
        {"n_fft": 512, "win": 32, "hop": 4},
    ],
)
def test_other_windows(settings):
    enhancer = masked(partial(GRU, hidden_size=6), **settings)
    model = model_of(enhancer)
    stream = model.stream()
    assert stream.latency_ms == settings["win"]
    for samples in (1, 159, 160, 161, 3999, 4000):
        noisy = speech(1, samples)[0]
        with torch.no_grad():
            expected = enhancer(noisy.unsqueeze(0), torch.ones(1)).wav[0]
        streamed = pushed(stream, noisy, [333])
        assert (streamed - expected).abs().max() < 1e-5


CAUSAL = {
    "RNN": partial(RNN, hidden_size=6, num_layers=2),
    "LSTM": partial(LSTM, hidden_size=6, num_layers=2),
    "LiGRU": partial(
        LiGRU, hidden_size=6, num_layers=2, normalization="layernorm"
    ),
    "causal Conv1d": partial(
        Conv1d, out_channels=6, kernel_size=5, padding="causal", dilation=3
    ),
    "Conv1d of one frame": partial(Conv1d, out_channels=6, kernel_size=1),
    "BatchNorm1d": partial(BatchNorm1d),
    "LayerNorm": partial(LayerNorm),
    "nested": Sequential(torch.nn.Sequential(torch.nn.Linear(257, 9))),
}


@pytest.mark.parametrize("name", CAUSAL)
def test_causal_layers_stream(name):
    enhancer = masked(CAUSAL[name], partial(GRU, hidden_size=6))
    noisy = speech(2, 8001)
    with torch.no_grad():
        expected = enhancer(noisy, torch.ones(2)).wav
    streamed = pushed(EnhancementStream(enhancer), noisy[0], [1000, 1, 999])
    assert (streamed - expected[0]).abs().max() < 1e-5
    stream = EnhancementStream(enhancer, channels=2)
    parts = [stream.push(part) for part in noisy.split(999, dim=1)]
    streamed = torch.cat([*parts, stream.flush()], dim=1)
    assert (streamed - expected).abs().max() < 1e-5


class Attention(torch.nn.MultiheadAttention):
    def forward(self, frames):
        return super().forward(frames, frames, frames)[0]


class Backwards(Sequential):
    """A sequence by its class, but not by what it does."""

    def forward(self, frames):
        return super().forward(frames.flip(1)).flip(1)


REFUSED = {
    "'net.0' .GRU.*looks at other": partial(
        GRU, hidden_size=6, bidirectional=True
    ),
    "'net.0' .Conv1d. cannot take one": partial(
        Conv1d, out_channels=6, kernel_size=3
    ),
    "'net.0' .Conv1d. cannot": partial(
        Conv1d, out_channels=6, kernel_size=3, padding="valid"
    ),
    "'net.0' .Attention.*looks": Attention(257, 1, batch_first=True),
    "'net.0' .Backwards.*looks": Backwards(
        torch.nn.GRU(257, 6, batch_first=True)
    ),
    "'net.0' .InstanceNorm1d. cannot take": InstanceNorm1d(
        input_size=257, track_running_stats=False
    ),
    "'net.0' .InputNormal": InputNormalization(norm_type="sentence"),
    "'net.0.1' .AvgPool2d. gives": Sequential(
        torch.nn.ReLU(), torch.nn.AvgPool2d((2, 1), ceil_mode=True)
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_not_causal_is_refused_by_name(message):
    layer = REFUSED[message]
    layer = (
        layer
        if isinstance(layer, torch.nn.Module)
        else layer(input_shape=[1, 1, 257])
    )
    stft, istft = STFT(16000, 32, 16, 512), ISTFT(16000, 512, 32, 16)
    enhancer = SpectralMask(Sequential(layer), stft, istft).eval()
    with pytest.raises(ValueError, match=message) as error:
        EnhancementStream(enhancer)
    assert "hparams/backbones/gru.yaml" in str(error.value)


NOT_CAUSAL = "blstm cnn_transformer conv_tasnet enhance_resnet fcn2d sepformer"


@pytest.mark.parametrize("name", NOT_CAUSAL.split())
def test_backbones_that_are_not_causal_are_refused(name):
    with pytest.raises(ValueError, match="gru.yaml"):
        model_of(build(name)["enhancer"]).stream()


def test_causal_attention_is_refused_for_it_keeps_all_its_past():
    knobs = {"activation": torch.nn.ReLU, "num_layers": 1, "nhead": 1}
    net = CNNTransformerSE(257, 257, torch.nn.Sigmoid, **knobs)
    windows = STFT(16000, 32, 16, 512), ISTFT(16000, 512, 32, 16)
    with pytest.raises(ValueError, match="'net' .CNNTransformerSE.*looks at"):
        EnhancementStream(SpectralMask(net, *windows).eval())


def test_transforms_that_differ_are_refused():
    reflected = masked(partial(GRU, hidden_size=6), pad_mode="reflect")
    with pytest.raises(ValueError, match="away from one pass"):
        EnhancementStream(reflected)
    hann = masked(partial(GRU, hidden_size=6))
    hann.istft = ISTFT(16000, 512, 32, 16, window_fn=torch.hann_window)
    with pytest.raises(ValueError, match="away from one pass"):
        EnhancementStream(hann)
    enhancer = masked(partial(GRU, hidden_size=6), hop=20)
    with pytest.raises(ValueError, match="hop_length is 320 samples"):
        EnhancementStream(enhancer)


def test_latency_is_one_window(gru):
    stream = gru.stream()
    assert stream.latency_ms == 32.0 and stream.sample_rate == 16000
    out, latest = 0, 0
    for n, sample in enumerate(speech(1, 5000)[0]):
        given = len(stream.push(sample.reshape(1)))
        if given:  # the first of them waited longest
            latest = max(latest, n + 1 - out)
        out += given
    assert 1000 * latest / 16000 == stream.latency_ms


def state_bytes(stream):
    """Memory behind the tensors that a stream holds, its net's left out."""
    tensors, todo = {}, [vars(stream)]
    while todo:
        item = todo.pop()
        if isinstance(item, torch.Tensor):
            storage = item.untyped_storage()
            tensors[storage.data_ptr()] = storage.nbytes()
        elif isinstance(item, (list, tuple)):
            todo += item
        elif isinstance(item, dict):
            todo += item.values()
        elif not isinstance(item, (torch.nn.Module, np.ndarray)):
            todo += vars(item).values() if hasattr(item, "__dict__") else []
    return sum(tensors.values())


def test_state_and_time_do_not_grow():
    convolution = partial(
        Conv1d, out_channels=6, kernel_size=5, padding="causal"
    )
    stream = EnhancementStream(masked(convolution, partial(GRU, hidden_size=6)))
    medians, sizes = [], []
    for second in range(60):
        noisy, times = speech(1, 16000)[0], []
        # Large pushes in between leave no more behind than small ones.
        for part in noisy.split(16000 if 1 < second < 58 else 256):
            start = time.thread_time()
            stream.push(part)
            times.append(time.thread_time() - start)
        medians.append(np.median(times))
        sizes.append(state_bytes(stream))
    # Before and after 60 s; the samples of a window begun vary with the time.
    assert max(sizes[1:]) < sizes[0] + 4 * 512
    assert sizes[0] < 16000
    assert min(medians[-2:]) < 3 * max(medians[:2])


def test_streams_of_one_model_are_independent(gru):
    noisy = speech(3, 4000)
    streams = [gru.stream() for _ in noisy]
    parts = [[] for _ in noisy]
    for at in range(0, 4000, 100):
        for stream, signal, part in zip(streams, noisy, parts):
            part.append(stream.push(signal[at : at + 100]))
    for stream, signal, part in zip(streams, noisy, parts):
        streamed = torch.cat([*part, stream.flush()])
        assert (streamed - whole(gru, signal)).abs().max() < 1e-5


def test_channels_are_enhanced_each_by_itself(gru):
    noisy = speech(3, 4001)
    stream = gru.stream(channels=3)
    for _ in range(2):  # flush leaves the stream as new
        parts = [stream.push(part) for part in noisy.split(700, dim=1)]
        streamed = torch.cat([*parts, stream.flush()], dim=1)
        assert (streamed - gru.enhance_batch(noisy)).abs().max() < 1e-5


def test_reset_begins_another_recording(gru):
    stream, noisy = gru.stream(), speech(1, 3000)[0]
    stream.push(speech(1, 1234)[0] + 1)
    stream.reset()
    streamed = pushed(stream, noisy, [500])
    assert (streamed - whole(gru, noisy)).abs().max() < 1e-5
    assert len(gru.stream().flush()) == 0


def test_arrays_in_arrays_out_and_the_buffer_may_be_used_again(gru):
    noisy = speech(1, 4000)[0].numpy()
    stream, buffer, parts = gru.stream(), np.empty(500, "float32"), []
    for part in np.split(noisy, 8):
        buffer[:] = part
        parts.append(stream.push(buffer))
        buffer[:] = np.nan
    parts.append(stream.flush())
    assert {type(part) for part in parts} == {np.ndarray}
    expected = whole(gru, torch.from_numpy(noisy)).numpy()
    assert np.abs(np.concatenate(parts) - expected).max() < 1e-5
    backwards = np.frombuffer(noisy.tobytes(), "float32")[::-1]
    assert len(stream.push(backwards)) == 3584  # read-only, reversed


def test_wrong_pushes_are_refused_and_leave_no_trace(gru):
    noisy = speech(1, 3000)[0]
    bad = noisy[:9].clone()
    bad[3] = torch.nan
    with pytest.raises(TypeError, match=r"a list, .*torch.tensor\(samples\)"):
        gru.stream().push([0.0, 0.1])
    with pytest.raises(ValueError, match=r"\(2, 9\), expected .* 3 channels"):
        gru.stream(3).push(torch.zeros(2, 9))
    wrong = {
        "one channel": torch.zeros(2, 100),
        "int16.*32768": np.zeros(9, "int16"),
        "float64": np.zeros(9),
        "sample 3 of a push is nan": bad,
        "sample 0 of a push is inf": np.full(2, np.inf, "float32"),
    }
    stream = gru.stream()
    first = stream.push(noisy[:1000])
    for message, samples in wrong.items():
        with pytest.raises(ValueError, match=message):
            stream.push(samples)
    streamed = torch.cat([first, stream.push(noisy[1000:]), stream.flush()])
    assert (streamed - whole(gru, noisy)).abs().max() < 1e-5


def test_opening_leaves_the_random_numbers_alone(gru):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    gru.stream()
    assert torch.rand(1) == expected


def test_measure(gru):
    measured = measure(gru.stream(), seconds=0.5)
    assert measured["hop_ms"] == 16 and measured["latency_ms"] == 32
    assert 0 < measured["median_ms"] <= measured["p95_ms"]
    assert measured["real_time_factor"] > 0
