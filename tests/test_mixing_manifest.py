"""Tests of manifests: portable, checked, rendered, apart from training."""

import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from mixing_files import RATE, corpus, steps, write
from speechbrain.dataio.dataio import load_data_json

from cmkt_plugin.annotation import escape, write_annotation
from cmkt_plugin.mixing.audio_folder import NoiseFolder, RIRFolder
from cmkt_plugin.mixing.disjoint import check_disjoint
from cmkt_plugin.mixing.entries import fill, read_entries, read_noisy_entries
from cmkt_plugin.mixing.manifest import write_manifest
from cmkt_plugin.mixing.mixture import Mixture
from cmkt_plugin.mixing.pairs import fixed_pair
from cmkt_plugin.mixing.rendering import differing, render_files
from cmkt_plugin.mixing.sampler import MixtureSampler
from cmkt_plugin.verbs.manifest import command as manifest_command
from cmkt_plugin.verbs.render import command as render_command


@pytest.fixture
def roots(tmp_path):
    """Folders with noise and rooms; braces in names mean what they say."""
    for number in range(3):
        name = f"n{{{number}}}.wav"
        write(tmp_path / "noise" / "deep" / name, steps(RATE, seed=number))
    write(tmp_path / "rirs" / "room.wav", [16000, 0, 0, -5000])
    return {
        "data_root": str(tmp_path / "clean"),
        "noise_root": str(tmp_path / "noise"),
        "rir_root": str(tmp_path / "rirs"),
    }


@pytest.fixture
def annotation(tmp_path, roots):
    entries = corpus(tmp_path / "clean")
    for name, entry in entries.items():
        entry["clean_wav"] = f"{{data_root}}/{name}.wav"
        entry["words"] = escape("a {b}")
    path = tmp_path / "clean.json"
    write_annotation(path, entries)
    return path


@pytest.fixture
def sampler(roots):
    return MixtureSampler(
        NoiseFolder(roots["noise_root"]),
        rirs=RIRFolder(roots["rir_root"]),
        rir_probability=0.5,
        babble_probability=0.5,
        babble_talkers=(2, 3),
        speed=[0.9, 1.1],
    )


@pytest.fixture
def manifest(tmp_path, annotation, sampler, roots):
    path = tmp_path / "test.json"
    write_manifest(annotation, sampler, path, roots, checksums=True)
    return path


def test_entries_are_read_back_and_render_what_was_drawn(
    annotation, manifest, sampler, roots
):
    clean = load_data_json(annotation, roots)
    entries = load_data_json(manifest, roots)
    assert list(entries) == list(clean)
    sampler.bind(clean)
    kinds = set()
    for name, entry in entries.items():
        mixture = Mixture.from_json(entry["mixture"])
        assert mixture == sampler.draw(name, clean[name], epoch=0)
        kinds |= {mixture.kind, mixture.rir is None}
        noisy, target = fixed_pair(entry["clean_wav"], entry["mixture"])
        expected = sampler.mixer.render(entry["clean_wav"], mixture)
        assert noisy.tolist() == expected[0].tolist()
        assert target.tolist() == expected[1].tolist()
        assert len(noisy) == round(entry["length"] * RATE)
        assert entry["words"] == "a {b}"
        assert len(entry["crc32"]) == 8
    assert kinds == {"babble", "recorded", True, False}


def test_no_path_of_this_machine_is_in_it(tmp_path, manifest):
    text = manifest.read_text()
    assert str(tmp_path) not in text
    assert "{noise_root}/deep/n{{0}}.wav" in text
    assert "{rir_root}/room.wav" in text
    assert not list(tmp_path.glob(".*.part"))


def test_moved_folders_give_the_same_bytes(tmp_path, manifest, roots):
    moved = {}
    for name, folder in roots.items():
        moved[name] = str(tmp_path / "moved" / name)
        (tmp_path / "moved").mkdir(exist_ok=True)
        (tmp_path / folder).rename(moved[name])
    assert differing(manifest, moved, RATE) == []


def test_without_checksums_no_audio_is_read(
    tmp_path, annotation, sampler, roots
):
    for clean in (tmp_path / "clean").glob("*.wav"):
        clean.unlink()
    path = tmp_path / "test.json"
    write_manifest(annotation, sampler, path, roots)
    assert "crc32" not in path.read_text()
    with pytest.raises(ValueError, match="s0_0 has no crc32.*--checksums"):
        differing(path, roots, RATE)


def test_files_outside_of_the_roots_are_counted(
    tmp_path, annotation, sampler, roots, caplog
):
    del roots["noise_root"]
    path = tmp_path / "test.json"
    write_manifest(annotation, sampler, path, roots)
    entries = read_entries(path)
    recorded = [n for n, e in entries.items() if e["mixture"]["noise"]]
    assert f"{len(recorded)} entries name files outside" in caplog.text
    assert recorded[0] in caplog.text
    noise = entries[recorded[0]]["mixture"]["noise"]
    assert fill(noise, {}).startswith(str(tmp_path / "noise" / "deep" / "n{"))


def test_silent_spans_are_drawn_again_where_audio_is_read(
    tmp_path, annotation, roots
):
    for path in (tmp_path / "noise" / "deep").iterdir():
        write(path, 2 * RATE * [0] + steps(RATE, seed=1))
    sampler = MixtureSampler(NoiseFolder(roots["noise_root"]))
    path = tmp_path / "test.json"
    write_manifest(annotation, sampler, path, roots, checksums=True)
    assert differing(path, roots, RATE) == []


def test_a_changed_recording_is_found_by_its_checksum(
    tmp_path, manifest, roots
):
    path = tmp_path / "clean" / "s1_0.wav"
    samples, _ = soundfile.read(path, dtype="int16")
    assert differing(manifest, roots, RATE) == []
    samples[0] += 1
    write(path, samples)
    assert "s1_0" in differing(manifest, roots, RATE)


def test_an_id_that_is_there_twice_is_refused(tmp_path, annotation, sampler):
    text = annotation.read_text().replace('"s0_1":', '"s0_0":')
    annotation.write_text(text)
    with pytest.raises(ValueError, match="clean.json: 1 ids .* twice: s0_0"):
        write_manifest(annotation, sampler, tmp_path / "test.json", {})
    assert not (tmp_path / "test.json").exists()


def test_entries_that_lack_something_are_named(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"p1": {"clean_wav": "a.wav", "length": 1.0}}')
    with pytest.raises(ValueError, match="a.json: p1 has no speaker"):
        read_entries(path)


def test_a_set_with_a_noisy_side_is_refused(tmp_path, manifest, sampler):
    with pytest.raises(ValueError, match="s0_0 has mixture: expected clean"):
        write_manifest(manifest, sampler, tmp_path / "again.json", {})
    entry = {"clean_wav": "a", "speaker": "b", "length": 1, "noisy_wav": "c"}
    with pytest.raises(ValueError, match="p1 has noisy_wav"):
        write_manifest({"p1": entry}, sampler, tmp_path / "again.json", {})


def test_a_root_that_is_not_given_is_named(manifest, roots):
    del roots["data_root"]
    with pytest.raises(ValueError, match="no folder is given for 'data_root'"):
        differing(manifest, roots, RATE)


def test_rendered_files_are_what_the_package_hears(tmp_path, manifest, roots):
    render_files(manifest, roots, tmp_path / "out", RATE)
    files = sorted(p for p in (tmp_path / "out").rglob("*") if p.is_file())
    entries = load_data_json(manifest, roots)
    assert len(files) == 2 * len(entries)
    for name, entry in entries.items():
        pair = fixed_pair(entry["clean_wav"], entry["mixture"])
        for side, expected in zip(("noisy", "clean"), pair):
            path = tmp_path / "out" / side / f"{name}.wav"
            samples, rate = soundfile.read(path, dtype="float32")
            assert rate == RATE
            assert np.array_equal(samples, expected.numpy())


def test_ids_with_folders_are_not_rendered(tmp_path, manifest, roots):
    manifest.write_text(manifest.read_text().replace("s0_0", "../s0_0"))
    with pytest.raises(ValueError, match="'../s0_0' cannot be a file's name"):
        render_files(manifest, roots, tmp_path / "out", RATE)


def test_clean_speech_is_not_rendered(tmp_path, annotation, roots):
    with pytest.raises(ValueError, match="s0_0 has no mixture.*manifest"):
        render_files(annotation, roots, tmp_path / "out", RATE)


def test_noise_and_voices_shared_with_training_are_named(manifest, roots):
    entries = read_entries(manifest)
    other = {"p1": {"speaker": "p1"}}
    check_disjoint(other, None, entries, roots)
    with pytest.raises(ValueError, match="shares 1 speakers .*: s2; expected"):
        check_disjoint({"x": {"speaker": "s2"}}, None, entries, roots)
    noise = NoiseFolder(roots["noise_root"])
    with pytest.raises(ValueError, match=r"noise files .*n\{"):
        check_disjoint(other, noise, entries, roots)


def test_noise_is_shared_under_a_linked_folder_too(tmp_path, manifest, roots):
    (tmp_path / "linked").symlink_to(roots["noise_root"])
    noise = NoiseFolder(tmp_path / "linked")
    with pytest.raises(ValueError, match="noise files with training"):
        check_disjoint({}, noise, read_entries(manifest), roots)


def test_pieces_of_a_recording_of_training_are_refused(tmp_path):
    for part, name in (("a", "tap_0.wav"), ("b", "tap_1.wav")):
        write(tmp_path / part / name, steps(RATE, seed=1))
    (tmp_path / "noise").mkdir()
    for link, target in (("tap_0.wav", "a/tap_0.wav"), ("b", "b/tap_1.wav")):
        (tmp_path / "noise" / link).symlink_to(tmp_path / target)
    noise = NoiseFolder(tmp_path / "noise")
    roots = {"noise_root": str(tmp_path / "noise")}
    mixture = {"noise": "{noise_root}/tap_1.wav", "rir": None}
    manifest = {"c_1": {"speaker": "c", "mixture": mixture}}
    with pytest.raises(ValueError, match="noise files with .*tap_1.wav; exp"):
        check_disjoint({}, noise, manifest, roots)
    noise = NoiseFolder(tmp_path / "noise", group=None)
    check_disjoint({}, noise, manifest, roots)


def test_rooms_shared_with_training_are_named(tmp_path, manifest, roots):
    entries = read_entries(manifest)
    rirs = RIRFolder(roots["rir_root"])
    with pytest.raises(ValueError, match="1 rooms with .*room.wav; expected"):
        check_disjoint({}, None, entries, roots, rirs)
    write(tmp_path / "other" / "room.wav", [16000, 5])
    check_disjoint({}, None, entries, roots, RIRFolder(tmp_path / "other"))
    dry = {"mixture": {"noise": None, "rir": None}, "speaker": "a"}
    missing = RIRFolder(tmp_path / "none")  # not looked for in vain
    check_disjoint({}, None, {"a_1": dry}, roots, missing)


def test_of_recorded_pairs_the_speakers_are_compared(roots):
    noise = NoiseFolder(roots["noise_root"])
    pairs = {"b_1": {"noisy_wav": "n.wav", "speaker": "b"}}
    check_disjoint({"a_1": {"speaker": "a"}}, noise, pairs, roots)
    with pytest.raises(ValueError, match="1 speakers with training: b"):
        check_disjoint({"b_2": {"speaker": "b"}}, noise, pairs, roots)


def test_a_set_without_a_noisy_side_is_no_test_set(annotation, manifest):
    assert read_noisy_entries(manifest) == read_entries(manifest)
    with pytest.raises(
        ValueError, match="clean.json: s0_0 has neither .* cmkt manifest"
    ):
        read_noisy_entries(annotation)


def test_talkers_are_portable_and_found_for_checksums(manifest):
    mixtures = [e["mixture"] for e in read_entries(manifest).values()]
    talkers = [t["clean_wav"] for m in mixtures for t in m["talkers"]]
    assert talkers and all(t.startswith("{data_root}/") for t in talkers)


def test_voices_of_a_babble_count_as_heard():
    talkers = [{"clean_wav": "b.wav", "speaker": "b", "offset": 0}]
    mixture = {"noise": None, "rir": None, "talkers": talkers}
    manifest = {"c_1": {"speaker": "c", "mixture": mixture}}
    with pytest.raises(ValueError, match="1 speakers with training: b"):
        check_disjoint({"b_1": {"speaker": "b"}}, None, manifest, {})


def run(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments])


def test_verbs_write_check_and_render(tmp_path, annotation, roots):
    output, wavs = tmp_path / "m.json", tmp_path / "wavs"
    folders = ["--data-root", roots["data_root"]]
    folders += ["--noise", roots["noise_root"], "--rirs", roots["rir_root"]]
    knobs = ["--snr", 0, 5, "--babble-probability", 0.5, "--seed", 3]
    knobs += ["--babble-talkers", 2, 3, "--checksums", "-o", output]
    result = run(manifest_command, annotation, *folders, *knobs)
    assert result.exit_code == 0, result.output
    mixtures = [entry["mixture"] for entry in read_entries(output).values()]
    assert all(0 <= mixture["snr"] <= 5 for mixture in mixtures)
    assert all(mixture["rir"] == "{rir_root}/room.wav" for mixture in mixtures)
    assert {bool(mixture["talkers"]) for mixture in mixtures} == {True, False}
    result = run(render_command, output, *folders, "--verify", "-o", wavs)
    assert result.exit_code == 0, result.output
    assert len(list(wavs.glob("noisy/*.wav"))) == len(mixtures)


def test_verb_reports_what_differs(manifest, roots):
    entries = json.loads(manifest.read_text())
    entries["s3_1"]["crc32"] = "00000000"
    manifest.write_text(json.dumps(entries))
    folders = ["--data-root", roots["data_root"]]
    folders += ["--noise", roots["noise_root"], "--rirs", roots["rir_root"]]
    result = run(render_command, manifest, *folders, "--verify")
    assert result.exit_code == 1
    assert "differs: s3_1" in result.output
    assert "s3_0" not in result.output


def test_verb_writes_nothing_that_training_has_heard(
    tmp_path, annotation, roots
):
    output = tmp_path / "m.json"
    result = run(
        manifest_command,
        *(annotation, "--noise", roots["noise_root"], "-o", output),
        *("--training-noise", roots["noise_root"]),
    )
    assert isinstance(result.exception, ValueError)
    assert "noise files with training" in str(result.exception)
    assert not output.exists()
    result = run(
        manifest_command,
        *(annotation, "--noise", roots["noise_root"], "-o", output),
        *("--training", annotation),
    )
    assert "4 speakers with training: s0, s1" in str(result.exception)


def test_verb_knows_parts_groups_and_rooms(tmp_path, annotation):
    for number in range(6):
        write(tmp_path / "n" / f"tap_{number}.wav", steps(RATE, seed=number))
        write(tmp_path / "r" / f"hall_{number}.wav", [16000, number])
    output = tmp_path / "m.json"
    arguments = [annotation, "--noise", tmp_path / "n", "-o", output]
    parts = ["--noise-part", 0.5, 1, "--training-noise", tmp_path / "n"]
    parts += ["--training-part", 0, 0.5]
    result = run(manifest_command, *arguments, *parts)
    assert "none of its 6 files (1 groups" in str(result.exception)
    result = run(manifest_command, *arguments, *parts, "--noise-group", "")
    assert result.exit_code == 0, result.output
    rooms = ["--rirs", tmp_path / "r", "--training-rirs", tmp_path / "r"]
    result = run(manifest_command, *arguments, *rooms)
    assert "rooms with training" in str(result.exception)
    rooms += ["--rir-part", 0.5, 1, "--training-rir-part", 0, 0.5]
    result = run(manifest_command, *arguments, *rooms)
    assert result.exit_code == 0, result.output
