"""OpenCV, which is optional."""


def opencv():
    """The module ``cv2``, on one thread: clips are drawn side by side.

    Raises
    ------
    ImportError
        If it is not installed.

    Example
    -------
    >>> opencv().__name__
    'cv2'
    """
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            "Drawing needs OpenCV: pip install 'cmkt_plugin[av]'"
        ) from error
    cv2.setNumThreads(1)
    return cv2
