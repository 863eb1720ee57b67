"""Films a drawn talker: head movement, light, lens and sensor."""

import numpy as np

from cmkt_plugin.talking_lips.mouth import draw_mouth
from cmkt_plugin.talking_lips.person import CANVAS, CENTRE_X
from cmkt_plugin.talking_lips.portrait import portrait
from cmkt_plugin.visual.lips import FRAME_RATE
from cmkt_plugin.visual.media import load_cv2

SIZE = 192  # pixels, of the square frames
JAW_DROP = 26  # pixels of the canvas, by which a wide mouth lowers the chin
BLINKS_PER_S = 0.25
BLINK_FRAMES = 4


def film(person, track, rng):
    """Frames of a clip.

    Arguments
    ---------
    person : Person
        Who talks.
    track : numpy.ndarray
        The mouth (frames, parameters), see ``mouth_track``.
    rng : numpy.random.Generator
        Decides movement, light and noise.

    Yields
    ------
    numpy.ndarray
        Blue, green, red (192, 192, 3), uint8.

    Example
    -------
    >>> from cmkt_plugin.talking_lips.person import draw_person
    >>> rng = np.random.default_rng(0)
    >>> frames = list(film(draw_person(rng), np.zeros((2, 6)), rng))
    >>> len(frames), frames[0].shape
    (2, (192, 192, 3))
    """
    faces = portrait(person), portrait(person, eyes_open=False)
    shut = blinks(len(track), rng)
    poses = head_poses(len(track), rng)
    behind, light = background(rng), lighting(rng)
    noise = rng.uniform(1, 5)
    blur = rng.uniform(0.3, 0.9)
    for shape, pose, eyes in zip(track, poses, shut):
        image = faces[int(eyes)].copy()
        draw_mouth(image, person, shape)
        seen = _project(image, person, pose, JAW_DROP * shape[0])
        yield _expose(seen, behind, light, blur, noise, rng)


def blinks(frames, rng):
    """Whether the eyes are shut (frames,)."""
    shut = np.zeros(frames, dtype=bool)
    for start in np.flatnonzero(rng.random(frames) < BLINKS_PER_S / FRAME_RATE):
        shut[start : start + BLINK_FRAMES] = True
    return shut


def head_poses(frames, rng):
    """Place and size of the head.

    Arguments
    ---------
    frames : int
        Length of the clip.
    rng : numpy.random.Generator
        Source of the movement.

    Returns
    -------
    numpy.ndarray
        Shift to the right and down (pixels of the frame), turn (degrees) and
        enlargement (frames, 4): constant for the clip, and a slow sway.

    Example
    -------
    >>> head_poses(50, np.random.default_rng(0)).shape
    (50, 4)
    """
    still = rng.uniform((-14, -8, -6, 0.86), (14, 8, 6, 1.06))
    size = rng.uniform(0.2, 1) * np.array((2.5, 2.0, 2.5, 0.015))
    seconds = np.arange(frames)[:, None] / FRAME_RATE
    sway = np.zeros((frames, 4))
    for _ in range(3):
        hertz, phase = rng.uniform(0.1, 1.2, 4), rng.uniform(0, 1, 4)
        sway += np.sin(2 * np.pi * (hertz * seconds + phase)) / 2
    return still + size * sway


def background(rng):
    """A blurred wall behind the talker (192, 192, 3), float32."""
    cv2 = load_cv2()
    coarse = rng.uniform(20, 235, 3) + rng.normal(0, 25, (5, 5, 3))
    smooth = cv2.resize(
        coarse.astype("float32"), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC
    )
    return np.clip(smooth, 5, 250)


def lighting(rng):
    """What the light multiplies every pixel with (192, 192, 3), float32."""
    angle, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.3)
    place = np.linspace(-1, 1, SIZE)
    slope = np.cos(angle) * place + np.sin(angle) * place[:, None]
    tint = rng.uniform(0.93, 1.07, 3)
    light = rng.uniform(0.65, 1.1) * (1 + fall * slope)[:, :, None] * tint
    return light.astype("float32")


def _project(image, person, pose, jaw):
    """The canvas as the camera sees it (192, 192, 4)."""
    cv2 = load_cv2()
    right, down, turn, enlarged = pose
    # From frame to canvas: the inverse of the head's movement
    scale = CANVAS / SIZE / enlarged
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    place = np.arange(SIZE, dtype="float32") - SIZE / 2
    x, y = (place - right)[None, :], (place - down)[:, None]
    map_x = (scale * (cos * x + sin * y) + CENTRE_X).astype("float32")
    map_y = (scale * (cos * y - sin * x) + CENTRE_X).astype("float32")
    # Skin below the mouth is drawn down by the jaw, the neck is not.
    start, chin = person.mouth_y, person.chin_y
    part = np.clip((map_y - start) / (chin + jaw - start), 0, 1)
    back = np.clip((map_y - chin - jaw) / 40, 0, 1)
    map_y -= jaw * part * (1 - back)
    return cv2.remap(
        image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _expose(seen, behind, light, blur, noise, rng):
    """Light, lens and sensor noise."""
    cv2 = load_cv2()
    cover = seen[:, :, 3:].astype("float32") / 255
    scene = (behind + cover * (seen[:, :, :3] - behind)) * light
    scene = cv2.GaussianBlur(scene, (0, 0), blur)
    grain = rng.standard_normal((SIZE, SIZE, 1), dtype="float32")
    return np.clip(scene + noise * grain, 0, 255).astype("uint8")
