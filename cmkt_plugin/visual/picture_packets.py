"""The picture of a video, packet by packet, as another file can have it."""

from cmkt_plugin.visual.media import picture_of


def copied(container, stream):
    """The packets of a picture, which is neither decoded nor coded.

    Arguments
    ---------
    container : av.container.InputContainer
        The video that is open.
    stream : av.video.stream.VideoStream
        Of another file, which gets them.

    Yields
    ------
    av.packet.Packet
        In the order of decoding, each with the time of that.
    """
    for packet in with_decoding_times(container.demux(picture_of(container))):
        packet.stream = stream
        yield packet


def with_decoding_times(packets):
    """Fills in when packets are decoded, where a file does not say so.

    Matroska notes when a picture is shown. Where pictures wait for later ones
    FFmpeg finds out after some packets when they are decoded, and leaves the
    first without a time.

    Arguments
    ---------
    packets : iterable of av.packet.Packet
        Of one stream, the empty one that marks its end among them.

    Yields
    ------
    av.packet.Packet
        All but the mark of the end.
    """
    waiting, last = [], None
    for packet in packets:
        if not packet.size:
            continue
        if packet.dts is None and last is None:
            waiting.append(packet)
            continue
        if packet.dts is None:
            packet.dts = last
        yield from _before(waiting, packet.dts)
        waiting, last = [], packet.dts + _duration(packet)
        yield packet
    # Old files have no time at all: one after the other.
    yield from _before(waiting, sum(map(_duration, waiting)))


def _before(packets, time):
    """Packets that are decoded one after the other until a time."""
    for packet in reversed(packets):
        time -= _duration(packet)
        packet.dts = time
    return packets


def _duration(packet):
    return packet.duration or 1
