"""Faces, mouths and crops: where they are, steady, absent where absent."""

import pickle

import cv2
import numpy as np
import pytest
from tiny_videos import blank, face, write_video

from cmkt_plugin.visual.contact_sheet import write_contact_sheets
from cmkt_plugin.visual.crop import crop
from cmkt_plugin.visual.face_detector import CascadeDetector, Face
from cmkt_plugin.visual.lip_regions import find_lips
from cmkt_plugin.visual.mouth import MouthGeometry


def here(left=50, top=20, size=80):
    return Face(left, top, size, size)


@pytest.mark.parametrize("factor", [1, 2, 6])
def test_a_face_is_found_in_pictures_of_any_size(factor):
    image = np.kron(face(), np.ones((factor, factor), np.uint8))
    (found,) = CascadeDetector()(image)
    assert found.left + found.width / 2 == pytest.approx(90 * factor, rel=0.05)
    assert found.width == pytest.approx(100 * factor, rel=0.15)


def test_a_small_face_is_one_if_it_is_asked_for():
    image = cv2.resize(face(), None, fx=0.5, fy=0.5)
    wide = np.full((400, 500), 90, np.uint8)
    wide[100:172, 200:290] = image
    assert CascadeDetector()(wide) == []
    assert len(CascadeDetector(smallest=0.1)(wide)) == 1


def test_a_detector_can_be_sent_to_a_process():
    detector = CascadeDetector()
    detector(face())
    assert len(pickle.loads(pickle.dumps(detector))(face())) == 1


def test_an_unknown_cascade():
    with pytest.raises(FileNotFoundError, match="none.xml: expected a cascade"):
        CascadeDetector(cascades=["none.xml"])(face())


def test_the_mouth_stays_where_the_face_trembles():
    rng = np.random.default_rng(0)
    tremble = rng.normal(0, 3, (100, 2))
    sizes = 80 + 8 * rng.integers(-1, 2, 100)
    faces = [[here(50 + x, 20 + y, s)] for (x, y), s in zip(tremble, sizes)]
    squares = MouthGeometry()(faces).squares
    steps = np.abs(np.diff(squares, axis=0)).max(0)
    assert np.all(steps[:2] < 2) and steps[2] < 0.5


def test_the_mouth_follows_a_head_that_moves():
    faces = [[here(50 + 2 * n)] for n in range(50)]
    squares = MouthGeometry()(faces).squares
    assert np.allclose(squares[10:40, 0], 90 + 2 * np.arange(10, 40), atol=0.5)


def test_frames_without_a_face_are_absent_and_change_nothing():
    faces = [[here()], [here()], [], [], [here()]]
    mouths = MouthGeometry()(faces)
    assert mouths.present.tolist() == [True, True, False, False, True]
    assert np.allclose(mouths.squares[[0, 1, 4]], mouths.squares[0])
    assert not mouths.squares[2:4].any()


def test_one_face_of_two_is_followed():
    other = here(200, 20, 60)
    faces = [[other, here()]] + 5 * [[other, here()], [other]]
    mouths = MouthGeometry()(faces)
    assert mouths.present.tolist() == [True] + 5 * [True, False]
    assert np.allclose(mouths.squares[0], mouths.squares[9])


def test_after_a_cut_the_face_is_where_it_is():
    faces = 30 * [[here()]] + 13 * [[]] + 30 * [[here(250)]]
    mouths = MouthGeometry()(faces)
    assert mouths.squares[29, 0] == pytest.approx(90)
    assert mouths.squares[43, 0] == pytest.approx(290)


def test_crops_have_fractions_of_pixels_and_no_moire():
    ramp = np.arange(200, dtype=np.uint8)[None].repeat(200, 0)
    moved = crop(ramp, (100.5, 100, 96)).astype(float)
    assert np.allclose(moved - crop(ramp, (100, 100, 96)), 0.5, atol=0.6)
    # Of every fifth row one would take only dark ones.
    rows = np.uint8(255 * (np.arange(960)[:, None] % 5 > 0)).repeat(960, 1)
    assert np.all(np.abs(crop(rows, (480, 480, 480)) - 204.0) < 2)


def test_beyond_the_picture_its_border_goes_on():
    image = np.full((50, 50), 120, np.uint8)
    assert np.all(crop(image, (0, 0, 60)) == 120)


def test_the_lips_of_a_video(tmp_path):
    images = [face(mouth=0.5, x=80 + n) for n in range(12)]
    images[5:7] = 2 * [blank()]
    found = find_lips(write_video(tmp_path / "a.mkv", images))
    assert found.present.tolist() == [n not in (5, 6) for n in range(12)]
    assert not found.pixels[5:7].any()
    # The darkest place of the crop is the open mouth: in the middle.
    crops = found.pixels[found.present].mean(0)[30:66, 20:76]
    y, x = np.argwhere(crops < crops.min() + 20).mean(0)
    assert abs(x - 28) < 4 and abs(y - 18) < 8


def test_a_contact_sheet_shows_what_is_missing(tmp_path):
    pixels = np.full((12, 96, 96), 128, np.uint8)
    present = np.arange(12) < 6
    path = tmp_path / "sheets" / "sheet.png"
    clips = 41 * [("a", pixels, present)]
    first, second = write_contact_sheets(path, clips)
    assert second.name == "sheet_2.png"
    row = cv2.imread(str(second))
    red = (row[..., 2] > 200) & (row[..., :2].max(2) < 80)
    tiles = [red[16:112, 96 * n : 96 * (n + 1)].any() for n in range(13)]
    assert tiles == 7 * [False] + 6 * [True]
    assert red[112:, 96 : 96 * 7].sum() == 0 and red[112:, 96 * 7 :].all()
