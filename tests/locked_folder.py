"""A folder that cannot be read, also for root, who may read every one."""

import errno
import os


def lock(monkeypatch, folder):
    """Makes every look into a folder fail until the end of the test."""
    scandir = os.scandir

    def look(path="."):
        if os.path.realpath(path) == os.path.realpath(folder):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", look)
