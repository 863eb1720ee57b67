"""Serves the web page on this machine until it is stopped."""

import os
import signal
import socket
from tempfile import TemporaryDirectory
from threading import Event

# Of a second of audio: 96 kHz, two channels, 32 bits; uploads end there.
BYTES_PER_SECOND = 96000 * 2 * 4


def serve(models, host, port, limit, jobs, ready):
    """Serves the page until Ctrl-C or SIGTERM.

    Arguments
    ---------
    models : LoadedModels
        To choose from; the first is loaded before the page opens.
    host : str
        Address to listen at.
    port : int
        Port to listen at.
    limit : float
        The longest recording taken (s).
    jobs : int
        Recordings enhanced at once.
    ready : callable
        Called with the page's address as soon as it answers.

    Raises
    ------
    ValueError
        If another program has the port, or the host is not this machine's.
    """
    check_address(host, port)
    with TemporaryDirectory(prefix="cmkt-serve-") as folder:
        _keep_to_ourselves(host, folder)
        # Only now: Gradio reads these settings when it is imported.
        from cmkt_plugin.web.page import CSS, WebPage, theme

        models[models.names[0]]  # the page's first choice: fail here, not there
        blocks = WebPage(models, limit, jobs).blocks
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            looks = {"theme": theme(), "css": CSS}
            _launch(blocks, host, port, limit, looks)
            ready(blocks.local_url)
            Event().wait()
        except KeyboardInterrupt:
            pass
        finally:
            blocks.close(verbose=False)


def check_address(host, port):
    """Raises a ValueError if nothing can listen at a port of a host.

    Example
    -------
    >>> with socket.create_server(("127.0.0.1", 0)) as taken:
    ...     check_address("127.0.0.1", taken.getsockname()[1])
    Traceback (most recent call last):
    ...
    ValueError: Cannot serve at 127.0.0.1, port ...: Address already in use...
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = error.strerror.partition(" (")[0]
        raise ValueError(
            f"Cannot serve at {host}, port {port}: {reason}. Choose another "
            "--port or --host, or stop the program that uses it."
        ) from error


def _keep_to_ourselves(host, folder):
    """Settings of Gradio: no telemetry, no proxy, files in our folder."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = folder
    # Gradio asks its own server whether it is up, and a proxy cannot know.
    ours = ["localhost", "127.0.0.1", host]
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join([*filter(None, [os.getenv(name)]), *ours])


def _launch(blocks, host, port, limit, looks):
    blocks.launch(
        server_name=f"[{host}]" if ":" in host else host,
        server_port=port,
        share=False,
        quiet=True,
        inline=False,
        prevent_thread_lock=True,
        max_file_size=int(limit * BYTES_PER_SECOND),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        **looks,
    )
