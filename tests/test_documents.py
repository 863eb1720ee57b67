"""README and docs: links lead somewhere, figures stand in docs/results."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_the_readmes_results_are_those_of_a_file():
    """Every row of figures in README stands in one of the files it names."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Results")[1].split("\n## ")[0]
    rows = [
        line
        for line in section.splitlines()
        if line.startswith("|") and re.search(r"\d\.\d", line)
    ]
    names = ("comparison", "avse")
    files = [ROOT / f"docs/results/{name}.md" for name in names]
    sources = [file.read_text(encoding="utf-8").splitlines() for file in files]
    found = {line for source in sources for line in source}
    assert rows and set(rows) <= found


def test_the_readme_is_short():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
