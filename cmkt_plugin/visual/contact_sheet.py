"""Pictures of the crops of many clips, for a person to check."""

from pathlib import Path

import numpy as np

from cmkt_plugin.atomic import write_bytes
from cmkt_plugin.visual.lips import FRAME_RATE, SIZE
from cmkt_plugin.visual.media import load_cv2

COLUMNS = 12  # crops shown of a clip
ROWS = 40  # clips on a sheet; more take further sheets
TEXT, STRIP = 16, 6  # pixels: height of the title and of the marks
# Blue, green, red.
PAPER, INK, FOUND, MISSING = (
    *((255, 255, 255), (40, 40, 40)),
    *((120, 180, 60), (50, 50, 230)),
)


def write_contact_sheets(path, clips):
    """Writes one or more sheets.

    A row is a clip: the mean of its crops, sharp where they are steady, then
    crops evenly spread over its time. Below, a mark for every frame, green
    where a face was found and red where none; crops without one are crossed
    out.

    Arguments
    ---------
    path : str or Path
        The PNG; further ones are called ``<name>_2.png``, ...
    clips : iterable of tuple
        Name, pixels (frames, 96, 96) uint8 and present (frames,) of each.

    Returns
    -------
    list of Path
        The files written.

    Example
    -------
    >>> clip = np.zeros((75, 96, 96), np.uint8), np.ones(75)
    >>> path = getfixture("tmp_path") / "sheet.png"
    >>> [sheet.name for sheet in write_contact_sheets(path, [("a", *clip)])]
    ['sheet.png']
    """
    cv2 = load_cv2()
    path, written, rows = Path(path), [], []

    def write():
        number = len(written) + 1
        name = path.stem + (f"_{number}" if number > 1 else "") + ".png"
        _, png = cv2.imencode(".png", np.vstack(rows))
        write_bytes(path.with_name(name), png.tobytes())
        written.append(path.with_name(name))
        rows.clear()

    for clip in clips:
        rows.append(_row(*clip))
        if len(rows) == ROWS:
            write()
    if rows:
        write()
    return written


def _row(name, pixels, present):
    """One clip's row (height, width, 3), uint8."""
    present = np.asarray(present) != 0
    shown = np.linspace(0, len(pixels) - 1, COLUMNS).round().astype(int)
    crops = [_tile(pixels[frame], present[frame]) for frame in shown]
    mean = pixels[present].mean(0) if present.any() else np.zeros((SIZE, SIZE))
    seconds = len(pixels) / FRAME_RATE
    title = f"{name}  face {present.sum()}/{len(present)}  {seconds:.2f} s"
    crops = np.hstack([_tile(mean.astype(np.uint8), present.any()), *crops])
    return np.vstack(
        [_title(title, crops.shape[1]), crops, _strip(present, len(crops[0]))]
    )


def _tile(crop, is_present):
    cv2 = load_cv2()
    tile = cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR)
    if not is_present:
        cv2.line(tile, (0, 0), (SIZE, SIZE), MISSING, 2)
        cv2.line(tile, (SIZE, 0), (0, SIZE), MISSING, 2)
    return tile


def _title(text, width):
    cv2 = load_cv2()
    title = np.full((TEXT, width, 3), PAPER, np.uint8)
    # OpenCV's letters are ASCII only.
    text = text.encode("ascii", "replace").decode()
    font, place = cv2.FONT_HERSHEY_SIMPLEX, (4, TEXT - 4)
    cv2.putText(title, text, place, font, 0.4, INK, 1, cv2.LINE_AA)
    return title


def _strip(present, width):
    """A mark for each frame, the first below the first crop."""
    marks = np.where(present[:, None], FOUND, MISSING).astype(np.uint8)
    places = np.linspace(0, len(present), width - SIZE, endpoint=False)
    strip = np.full((STRIP, width, 3), PAPER, np.uint8)
    strip[:, SIZE:] = marks[places.astype(int)]
    return strip
