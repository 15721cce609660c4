"""The pages that are made from the code are as the code would make them."""

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def script(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made():
    return script("make_formats").pages()


@pytest.mark.parametrize("name", sorted(made()))
def test_format_pages_are_up_to_date(name):
    assert (DOCS / "formats" / name).read_text(encoding="utf-8") == made()[name], "run docs/make_formats.py"


def test_nomenclature_is_up_to_date():
    written = (DOCS / "nomenclature.md").read_text(encoding="utf-8")
    assert written == script("make_nomenclature").page(), "run docs/make_nomenclature.py"


def test_the_table_of_mutants_is_up_to_date():
    assert (DOCS / "tests.md").read_text(encoding="utf-8") == script("make_tests").page(), "run docs/make_tests.py"


def test_links_in_the_docs_lead_somewhere():
    pages = [*DOCS.rglob("*.md"), *DOCS.parent.glob("*.md"), *(DOCS.parent / "data").rglob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []
