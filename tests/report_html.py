"""What a report holds, read with the standard library's parser."""

import base64
import io
from html.parser import HTMLParser
from xml.etree import ElementTree

import soundfile


class Page(HTMLParser):
    """Collects tables, text, pictures, players and every address."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.images, self.players = [], [], [], []
        self.tables, self.text, self.sections = [], [], {}
        self.feed(text)
        self.close()
        self.words = " ".join(" ".join(self.text).split())

    def handle_starttag(self, tag, attributes):
        """Notes what a browser would fetch."""
        given = dict(attributes)
        self.tags.append(tag)
        for name in ("src", "href", "data", "action", "srcset", "poster"):
            if name in given:
                self.addresses.append(given[name])
        if tag == "img":
            self.images.append((given["alt"], given["src"]))
        elif tag == "audio":
            self.players.append(given["src"])
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_data(self, data):
        """Text goes to the page and to the cell that is open."""
        self.text.append(data)
        if self.tables and self.tables[-1] and self.tables[-1][-1]:
            if self.lasttag in ("td", "th"):
                self.tables[-1][-1][-1] += data.strip()

    def table(self, *header):
        """The table that starts with a header; rows by their first cells."""
        for head, *rows in self.tables:
            if head[: len(header)] == list(header):
                return head, rows
        raise AssertionError(f"no table {header} among {self.tables}")


def decoded(uri, kind):
    """Content of a data URI."""
    start = f"data:{kind};base64,"
    assert uri.startswith(start), uri[:60]
    return base64.b64decode(uri[len(start) :], validate=True)


def texts(uri):
    """Texts in an SVG, in their order."""
    root = ElementTree.fromstring(decoded(uri, "image/svg+xml"))
    return [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]


def samples(uri):
    """Waveform and rate of a FLAC file."""
    content = io.BytesIO(decoded(uri, "audio/flac"))
    assert soundfile.info(content).subtype == "PCM_16"
    content.seek(0)
    return soundfile.read(content)
