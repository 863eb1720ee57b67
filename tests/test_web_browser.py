"""Tests of ``cmkt serve`` as its user meets it: a process and a browser."""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
import soundfile
from test_export import make_run
from toy_backbones import speech

from cmkt_plugin.exporting.export import export
from cmkt_plugin.loading.model_source import open_model

pytest.importorskip("gradio", reason="needs cmkt_plugin[serve]")
sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("no chromium to look at the page", allow_module_level=True)

# A microphone that beeps, and nobody who must be asked for it.
FLAGS = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
CMKT = [sys.executable, "-c", "from cmkt_plugin.cli import main; main()"]


@contextmanager
def serving(folder, *words):
    """Runs ``cmkt serve`` and gives its address; ends it with Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "tmp").mkdir()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("GRADIO")},
        "TMPDIR": str(folder / "tmp"),
        "http_proxy": "http://127.0.0.1:9",  # as on many a cluster
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*CMKT, "serve", *words, "--port", str(port), "--device", "cpu"],
            cwd=folder,
            env=environment,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}/"
        patience = time.monotonic() + 120
        while f"Open {address}" not in (folder / "log").read_text():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < patience
            time.sleep(0.1)
        assert len(list((folder / "tmp").glob("cmkt-serve-*"))) == 1
        yield address
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        log = (folder / "log").read_text()
        assert log.startswith("Open") and "Abort" not in log
        # Nothing goes wrong unseen; what a stranger tries may be reported.
        refused = log.count("was not uploaded by a user")
        assert log.count("Traceback") == refused, log
        assert not list((folder / "tmp").glob("cmkt-serve-*"))
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A folder with a run and an export, and the address of their page."""
    folder = tmp_path_factory.mktemp("served")
    make_run(folder / "run", "blstm")
    make_run(folder / "other", "enhance_resnet")
    export(folder / "other", folder / "export")
    stereo = 0.3 * speech(2, 30001).T.numpy()
    soundfile.write(folder / "noisy.wav", stereo, 44100, "PCM_24")
    soundfile.write(folder / "bad.flac", stereo, 44100)
    whole = (folder / "bad.flac").read_bytes()
    (folder / "bad.flac").write_bytes(whole[: len(whole) // 2])
    with serving(folder, "run", "export", "--max-seconds", "60") as address:
        yield folder, address


@pytest.fixture(scope="module")
def browser():
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, *root]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, served):
    """The page on a phone; all it asks for must come from its own host."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(60000)
    sync_api.expect.set_options(timeout=60000)
    asked, faults = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if said.type == "error" else None,
    )
    page.goto(served[1])
    yield page
    page.close()
    own = (served[1], "data:", f"blob:{served[1]}")
    assert len(asked) > 10 and not [u for u in asked if not u.startswith(own)]
    assert not faults


def give(page, file):
    clear = page.locator("#recording").get_by_label("Clear")
    if clear.is_visible():
        clear.click()
    page.locator("#recording input[type=file]").set_input_files(file)
    page.get_by_text(f"{file.stem}").first.wait_for()


def enhance(page, download):
    """Clicks, waits for new sound, and downloads the enhanced file."""
    sound = page.locator("#after audio")
    old = sound.get_attribute("src") if sound.is_visible() else ""
    page.get_by_role("button", name="Enhance", exact=True).click()
    sync_api.expect(sound).to_have_attribute("src", re.compile("after.wav"))
    sync_api.expect(sound).not_to_have_attribute("src", old)
    with page.expect_download() as started:
        page.get_by_role("button", name="Download the enhanced").click()
    started.value.save_as(download)
    return started.value.suggested_filename


def test_a_file_goes_in_and_the_enhanced_one_comes_out(page, served, tmp_path):
    folder, _ = served
    noisy, made = folder / "noisy.wav", tmp_path / "made.wav"
    give(page, noisy)
    assert enhance(page, made) == "noisy_enhanced.wav"
    given, kept = soundfile.info(noisy), soundfile.info(made)
    for item in ("samplerate", "channels", "frames", "format", "subtype"):
        assert getattr(kept, item) == getattr(given, item), item
    before, after = soundfile.read(noisy)[0], soundfile.read(made)[0]
    assert np.abs(after - before).max() > 0.01
    open_model(folder / "run", "cpu").enhance_file(noisy, tmp_path / "own.wav")
    assert np.array_equal(after, soundfile.read(tmp_path / "own.wav")[0])
    result = page.get_by_label("Result").input_value()
    assert re.match(r"noisy\.wav: 0\.68 s .*real-time factor", result)
    for name, samples in (("before", before), ("after", after)):
        player = page.locator(f"#{name} audio")
        played = page.request.get(player.get_attribute("src")).body()
        heard = soundfile.read(io.BytesIO(played))[0]
        assert np.abs(heard - samples).max() < 2**-14
        length = "player => player.duration"
        page.wait_for_function(
            f"document.querySelector('#{name} audio').duration"
        )
        assert player.evaluate(length) == pytest.approx(30001 / 44100, abs=0.01)
    for name in ("noisy.wav", "noisy.wav, enhanced"):
        shown = page.get_by_role("img", name=f"spectrogram of {name}").last
        assert shown.evaluate("picture => picture.naturalWidth") > 500
    assert right_edge(page) <= 390  # a phone's


def right_edge(page):
    """Where what is shown ends (pixels)."""
    edges = "all => all.map(one => one.getBoundingClientRect().right)"
    return max(page.locator("h1, button, audio, img").evaluate_all(edges))


def test_dry_wet_and_model_are_the_users_choice(page, served, tmp_path):
    folder, _ = served
    noisy, made = folder / "noisy.wav", tmp_path / "made.wav"
    give(page, noisy)
    share = page.get_by_label("number input for Dry/wet mix")
    share.fill("0")
    share.press("Tab")
    enhance(page, made)
    before = soundfile.read(noisy)[0]
    assert np.array_equal(soundfile.read(made)[0], before)
    share.fill("1")
    share.press("Tab")
    page.get_by_label("Keep the high band").check()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="export").click()
    enhance(page, made)
    own = tmp_path / "own.wav"
    model = open_model(folder / "export", "cpu")
    model.enhance_file(noisy, own, keep_high_band=True)
    after = soundfile.read(own)[0]
    assert np.array_equal(soundfile.read(made)[0], after)
    assert np.abs(after - before).max() > 0.01
    other = open_model(folder / "run", "cpu").enhance_file(
        noisy, own, keep_high_band=True
    )
    assert not np.array_equal(soundfile.read(other)[0], after)


def test_a_bad_file_is_named_and_the_server_goes_on(page, served, tmp_path):
    folder, _ = served
    button = page.get_by_role("button", name="Enhance", exact=True)
    button.click()
    page.get_by_text("Record something or drop a file first.").wait_for()
    give(page, folder / "bad.flac")
    button.click()
    message = page.get_by_text("bad.flac: truncated")
    message.wait_for()
    assert "Traceback" not in message.inner_text()
    give(page, folder / "noisy.wav")
    enhance(page, tmp_path / "made.wav")


def test_a_recording_of_the_microphone_is_enhanced(page, tmp_path):
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Stop").wait_for()
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Stop").click()
    page.locator("#recording").get_by_text("audio").wait_for()
    enhance(page, tmp_path / "made.wav")
    assert 0.5 < soundfile.info(tmp_path / "made.wav").duration < 30


def ask(address, **request):
    """Status and text of an answer."""
    try:
        with urlopen(Request(address, **request), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_files_of_the_machine_are_neither_served_nor_read(served):
    folder, address = served
    secret = folder / "noisy.wav"  # in the server's working directory
    for path in (secret, "/etc/passwd", "/proc/self/environ", "noisy.wav"):
        assert ask(f"{address}gradio_api/file={path}")[0] == 403
    config = json.loads(ask(f"{address}config")[1])
    index = {event["api_name"]: event["id"] for event in config["dependencies"]}
    upload = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    data = {
        "data": [upload, "run", 1, False],
        "fn_index": index["enhance"],
        "session_hash": "stranger",
    }
    status, answer = ask(
        f"{address}gradio_api/queue/join",
        data=json.dumps(data).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert status == 200, answer
    answer = ask(f"{address}gradio_api/queue/data?session_hash=stranger")[1]
    done = [line for line in answer.splitlines() if "process_completed" in line]
    assert len(done) == 1 and '"success":false' in done[0].replace(" ", "")
    assert "enhanced" not in answer
