"""Tests of the drawing: same seed, epoch and utterance, same mixture."""

import pickle
import random

import pytest
import torch
from mixing_files import RATE, corpus, steps, write
from speechbrain.dataio.dataloader import make_dataloader
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.utils.data_pipeline import provides, takes

from cmkt_plugin.mixing.audio_folder import NoiseFolder, RIRFolder
from cmkt_plugin.mixing.sampler import MixtureSampler

# What `test_draws_stay_as_they_were_published` draws: manifests that were
# published can be written again.
PUBLISHED = [
    (5.87, None, 0, [("s3", 3733), ("s2", 2159)]),
    (7.97, "n1.wav", 5661, []),
    (2.82, "n1.wav", 4426, []),
]
ENTRY = {"clean_wav": "a.wav", "speaker": "s0", "length": 0.5}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixing")
    for number in range(5):
        count = RATE + 1000 * number
        write(folder / "noise" / f"n{number}.wav", steps(count, seed=number))
    write(folder / "noise" / "high.flac", steps(60000, seed=9), rate=48000)
    write(folder / "rirs" / "room.wav", [16000, 0, 0, -5000])
    return folder


@pytest.fixture(scope="module")
def entries(files):
    return corpus(files / "clean")


def make(files, **knobs):
    knobs = {
        "babble_probability": 0.4,
        "babble_talkers": (2, 3),
        "rirs": RIRFolder(files / "rirs"),
        "rir_probability": 0.5,
        "speed": [0.9, 1.0, 1.1],
        "level": (-30, -20),
        "seed": 1,
        **knobs,
    }
    return MixtureSampler(NoiseFolder(files / "noise"), **knobs)


def draws(sampler, entries, epoch):
    return {n: sampler.draw(n, e, epoch) for n, e in entries.items()}


def batches(sampler, entries, epochs, **options):
    """The waveforms of some epochs through SpeechBrain's loader."""

    @takes("id", "clean_wav", "speaker", "length")
    @provides("noisy_sig", "clean_sig")
    def pipeline(utterance, clean_wav, speaker, length):
        yield from sampler.pair(utterance, clean_wav, speaker, length)

    dataset = DynamicItemDataset(entries)
    dataset.add_dynamic_item(pipeline)
    dataset.set_output_keys(["id", "noisy_sig", "clean_sig"])
    loader = make_dataloader(dataset, batch_size=3, **options)
    heard = []
    for epoch in epochs:
        sampler.set_epoch(epoch)
        for batch in loader:
            noisy, clean = batch.noisy_sig.data, batch.clean_sig.data
            for name, *pair in zip(batch.id, noisy, clean):
                heard.append((name, [side.tolist() for side in pair]))
    return heard


def test_workers_change_nothing_and_hear_of_the_epoch(files, entries):
    sampler = make(files).bind(entries)
    alone = batches(sampler, entries, epochs=[1, 2])
    workers = batches(
        make(files).bind(entries),
        entries,
        epochs=[1, 2],
        num_workers=2,
        persistent_workers=True,
    )
    assert alone == workers
    first, second = alone[: len(entries)], alone[len(entries) :]
    assert all(one[1] != other[1] for one, other in zip(first, second))


def test_resuming_at_an_epoch_gives_what_it_would_have_given(files, entries):
    through = batches(make(files).bind(entries), entries, epochs=[1, 2, 3])
    resumed = batches(make(files).bind(entries), entries, epochs=[3])
    assert resumed == through[-len(entries) :]


def test_draws_depend_on_seed_epoch_and_utterance_only(files, entries):
    drawn = draws(make(files).bind(entries), entries, epoch=3)
    backwards = dict(reversed(entries.items()))
    sampler = make(files).bind(backwards)
    random.random()
    torch.rand(3)
    assert draws(sampler, backwards, epoch=3) == drawn
    assert not set(draws(sampler, entries, 4).values()) & set(drawn.values())
    other = make(files, seed=2).bind(entries)
    assert not set(draws(other, entries, 3).values()) & set(drawn.values())
    assert len(set(drawn.values())) == len(entries)


def test_draws_stay_as_they_were_published(files, entries):
    sampler = make(files).bind(entries)
    found = []
    for name in ("s0_0", "s1_1", "s2_0"):
        mixture = sampler.draw(name, entries[name], epoch=0)
        noise = mixture.noise and mixture.noise.rsplit("/", 1)[1]
        voices = [(t.speaker, t.offset) for t in mixture.talkers]
        found.append((mixture.snr, noise, mixture.offset, voices))
    assert found == PUBLISHED


def test_global_generators_are_left_alone(files, entries):
    sampler = make(files).bind(entries)
    python, torchs = random.getstate(), torch.get_rng_state()
    for name, entry in entries.items():
        sampler.pair(name, **entry)
    assert random.getstate() == python
    assert torch.equal(torch.get_rng_state(), torchs)


def test_what_is_drawn_keeps_to_its_ranges(files, entries):
    sampler = make(files, snr=(-3, 7)).bind(entries)
    drawn = [sampler.draw(str(n), ENTRY, epoch=1) for n in range(400)]
    assert {m.speed for m in drawn} == {0.9, 1.0, 1.1}
    assert all(-3 <= m.snr <= 7 and -30 <= m.level <= -20 for m in drawn)
    assert max(m.snr for m in drawn) > 6.5 and min(m.snr for m in drawn) < -2.5
    assert 120 < sum(m.kind == "babble" for m in drawn) < 200
    assert 160 < sum(m.rir is not None for m in drawn) < 240
    counts = {len(m.talkers) for m in drawn}
    assert counts == {0, 2, 3}


def test_snr_does_not_change_with_other_knobs(files, entries):
    plain = MixtureSampler(NoiseFolder(files / "noise"), seed=1)
    full = make(files).bind(entries)
    for name, entry in entries.items():
        assert plain.draw(name, entry, 1).snr == full.draw(name, entry, 1).snr


def test_levels_are_drawn_evenly_and_change_nothing_else(files, entries):
    plain = make(files, snr=(-10, 5)).bind(entries)
    stepped = make(files, snr=(-10, 5), snr_step=5).bind(entries)
    drawn = [stepped.draw(str(n), ENTRY, epoch=0) for n in range(400)]
    levels = {-10.0, -5.0, 0.0, 5.0}
    assert {m.snr for m in drawn} == levels
    assert all(type(m.snr) is float for m in drawn)
    counts = [sum(m.snr == level for m in drawn) for level in levels]
    assert min(counts) > 70
    for number, mixture in enumerate(drawn):
        other = plain.draw(str(number), ENTRY, epoch=0)
        assert mixture._replace(snr=other.snr) == other


def test_the_highest_level_is_one_where_the_step_fits(files):
    for step, levels in ((0.1, {0.0, 0.1, 0.2, 0.3}), (0.2, {0.0, 0.2})):
        sampler = make(files, snr=(0, 0.3), snr_step=step)
        sampler.babble_probability = 0.0
        drawn = {sampler.draw(str(n), ENTRY, 0).snr for n in range(100)}
        assert drawn == levels


def test_offsets_leave_enough_noise(files):
    sampler = MixtureSampler(NoiseFolder(files / "noise"), speed=[0.9])
    frames = {sampler.noise.path(f): f for f in sampler.noise.list_files()}
    offsets = set()
    for number in range(200):
        mixture = sampler.draw(str(number), ENTRY, epoch=0)
        file = frames[mixture.noise]
        needed = 0.5 / 0.9 * file.rate
        assert 0 <= mixture.offset <= file.frames - needed
        offsets.add(mixture.offset)
    assert len(offsets) > 100


def test_noise_shorter_than_the_speech_begins_at_its_start(files):
    sampler = MixtureSampler(NoiseFolder(files / "noise"))
    entry = {**ENTRY, "length": 10.0}
    assert sampler.draw("a", entry, epoch=0).offset == 0


def test_babble_is_of_other_speakers_each_once(files, entries):
    sampler = make(files, babble_probability=1.0).bind(entries)
    heard = set()
    for number in range(100):
        mixture = sampler.draw(str(number), ENTRY, epoch=0)
        speakers = [talker.speaker for talker in mixture.talkers]
        assert mixture.noise is None
        assert "s0" not in speakers and len(set(speakers)) == len(speakers)
        for talker in mixture.talkers:
            heard.add(talker.clean_wav)
            assert talker.clean_wav.rsplit("/", 1)[1][:2] == talker.speaker
    assert len(heard) == 6  # two recordings each of three other speakers


def test_too_few_speakers_for_a_babble_are_counted(files, entries):
    with pytest.raises(
        ValueError, match="up to 4 talkers, found 4 speakers .* so 3 beside"
    ):
        make(files, babble_talkers=(2, 4)).bind(entries)
    make(files, babble_talkers=(2, 4), babble_probability=0.0).bind(entries)


def test_babble_needs_a_bound_set(files):
    with pytest.raises(ValueError, match="bind"):
        make(files, babble_probability=1.0).draw("a", ENTRY, epoch=0)


def test_silent_spans_are_drawn_again(tmp_path):
    clean = write(tmp_path / "clean.wav", steps(RATE // 2, seed=1))
    write(tmp_path / "noise" / "n.wav", 30000 * [0] + steps(9000, seed=2))
    sampler = MixtureSampler(NoiseFolder(tmp_path / "noise"))
    firsts = [sampler.draw(str(n), ENTRY, 0).offset for n in range(10)]
    assert min(firsts) < 20000  # of the first draws some are silent
    for number in range(10):
        noisy, target = sampler.pair(str(number), clean, "s0", 0.5)
        assert not torch.equal(noisy, target)


def test_noise_that_is_silent_all_over_is_refused_by_name(tmp_path):
    clean = write(tmp_path / "clean.wav", steps(RATE // 2, seed=1))
    write(tmp_path / "noise" / "off.wav", RATE * [0])
    sampler = MixtureSampler(NoiseFolder(tmp_path / "noise"))
    with pytest.raises(ValueError, match="off.wav.*digital silence"):
        sampler.pair("a", clean, "s0", 0.5)


def test_nothing_is_read_before_a_set_is_bound(files, tmp_path, entries):
    missing = tmp_path / "none"
    sampler = MixtureSampler(NoiseFolder(missing))
    with pytest.raises(FileNotFoundError, match="none: expected a folder"):
        sampler.bind(entries)
    rooms = {"rirs": RIRFolder(missing), "rir_probability": 1.0}
    with pytest.raises(FileNotFoundError, match="none: expected a folder"):
        make(files, **rooms).bind(entries)
    make(files, **{**rooms, "rir_probability": 0.0}).bind(entries)


def test_responses_of_another_rate_are_refused_at_once(tmp_path, files):
    write(tmp_path / "room.wav", [16000, 5], rate=44100)
    sampler = make(files, rirs=RIRFolder(tmp_path), babble_probability=0.0)
    with pytest.raises(ValueError, match="room.wav.*found 44100 Hz"):
        sampler.bind({})


@pytest.mark.parametrize(
    "knobs, message",
    [
        ({"snr": (10, -5)}, r"snr is \(10, -5\): expected \[lowest"),
        ({"snr": 5}, r"snr is 5: expected \[lowest"),
        ({"snr": (0, float("nan"))}, "snr is"),
        ({"level": (-10, -30)}, r"level is \(-10, -30\)"),
        ({"rir_probability": 1.5}, "rir_probability is 1.5: expected a prob"),
        ({"babble_probability": -0.1}, "babble_probability is -0.1"),
        ({"babble_talkers": (6, 3)}, r"babble_talkers is \(6, 3\)"),
        ({"babble_talkers": (0, 3)}, r"from 1, e.g. \[3, 6\]"),
        ({"speed": []}, r"speed is \[\]"),
        ({"speed": [0.905]}, "whole hundredths"),
        ({"early_ms": 0}, "early_ms is 0"),
        ({"snr_step": 0}, "snr_step is 0: expected a number above 0"),
    ],
)
def test_knobs_out_of_range_are_named(files, knobs, message):
    with pytest.raises(ValueError, match=message):
        make(files, **knobs)


def test_folders_that_are_needed_must_be_there(files, entries):
    with pytest.raises(ValueError, match="noise is None, expected a Noise"):
        MixtureSampler(None).bind(entries)
    with pytest.raises(ValueError, match="rirs is None, expected an RIR"):
        make(files, rirs=None).bind(entries)
    # What YAML makes of a folder that is null.
    with pytest.raises(ValueError, match="rirs is None, expected an RIR"):
        make(files, rirs=RIRFolder(None)).bind(entries)
    dry = make(files, rirs=RIRFolder(None), rir_probability=0.0)
    assert dry.bind(entries).rirs is None
    babble = {"babble_probability": 1.0, "babble_talkers": (1, 3)}
    MixtureSampler(None, **babble).bind(entries)


def test_misspelt_knobs_are_refused(files):
    with pytest.raises(TypeError, match="sn"):
        make(files, sn=(0, 5))


def test_travels_to_other_processes(files, entries):
    sampler = make(files).bind(entries)
    sampler.set_epoch(4)
    copy = pickle.loads(pickle.dumps(sampler))
    assert copy.epoch == 4
    assert draws(copy, entries, 4) == draws(sampler, entries, 4)
