"""The house in order: no private name across modules, no module too long, a table of the kernels at their head."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "airsim").rglob("*.py"))
MOST_LINES = 600


def private(name):
    return name.startswith("_") and not name.startswith("__")


def package_of(path):
    """The package that relative imports of a module start from."""
    return list(path.relative_to(ROOT).with_suffix("").parts[:-1])


def borrowed(source, package=("airsim",)):
    """Private names of other modules that a source takes: by import, or as an attribute of an imported module."""
    tree = ast.parse(source)
    modules, found = {}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
            home = base if node.level else node.module or ""
            if home.split(".")[0] != "airsim":
                continue
            for name in node.names:
                if private(name.name):
                    found.append(f"{home}.{name.name}")
                elif is_module(f"{home}.{name.name}"):
                    modules[name.asname or name.name] = f"{home}.{name.name}"
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == "airsim":
                    modules[name.asname or "airsim"] = name.name if name.asname else "airsim"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and private(node.attr):
            root, between = node.value, []
            while isinstance(root, ast.Attribute):
                root, between = root.value, [root.attr, *between]
            if isinstance(root, ast.Name) and root.id in modules:
                home = ".".join([modules[root.id], *between])
                if is_module(home):
                    found.append(f"{home}.{node.attr}")
    return found


def is_module(name):
    parts = ROOT.joinpath(*name.split("."))
    return parts.with_suffix(".py").is_file() or parts.is_dir()


def test_no_private_name_of_another_module():
    found = {p.relative_to(ROOT).as_posix(): borrowed(p.read_text(encoding="utf-8"), package_of(p)) for p in MODULES}
    assert {p: names for p, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from airsim.region.transport import _Sweep",
        "from airsim.plume import api\n\napi._Run()",
        "def f():\n    from airsim.plume import api as a\n    return a._FEW",
        "import airsim.plume.api\n\nairsim.plume.api._Run()",
        "import airsim.plume.api as a\n\na._Run()",
        "from .plume.api import _Run",
        "from . import plume\n\nplume.api._Run",
    ],
)
def test_a_borrowed_private_name_is_seen(source):
    assert len(borrowed(source)) == 1


def test_what_is_no_private_name_of_a_module_passes():
    source = "from airsim.errors import Problem\n\nfrom numpy import _core\nProblem._replace\nself._x\n__version__"
    assert borrowed(source) == []


def test_modules_are_short():
    lines = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in MODULES if p.name != "kernels.py"}
    assert {p.relative_to(ROOT).as_posix(): n for p, n in lines.items() if n > MOST_LINES} == {}


def functions(path):
    return [n for n in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(n, ast.FunctionDef)]


def kernel_table(path):
    """Rows of the table in a module's docstring: kernel -> its twins, or the tests that hold it."""
    lines = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()
    bars = [i for i, line in enumerate(lines) if line.startswith("===")]
    widths = [len(b) for b in lines[bars[0]].split()]
    assert lines[bars[0] + 1].split()[0] == "kernel"
    rows = {}
    for line in lines[bars[1] + 1 : bars[2]]:
        name, equation, twin = line[: widths[0]], line[widths[0] + 2 : sum(widths[:2]) + 2], line[sum(widths[:2]) + 4 :]
        assert name.strip() not in rows
        assert equation.strip(), name
        rows[name.strip()] = twin.strip()
    return rows


@pytest.mark.parametrize("room", ["plume", "region"])
def test_every_kernel_is_in_the_table_and_has_a_twin_or_tests(room):
    path = ROOT / "airsim" / room / "kernels.py"
    rows = kernel_table(path)
    kernels = [f for f in functions(path) if any("njit" in ast.unparse(d) for d in f.decorator_list)]
    assert set(rows) == {f.name for f in kernels if not f.name.startswith("_")}
    twins = {f.name for f in functions(ROOT / "tests" / f"naive_{room}.py")}
    tests = {p.name for p in (ROOT / "tests").rglob("test_*.py")}
    unknown = {k: t for k, named in rows.items() for t in named.split(", ") if t not in twins | tests}
    assert unknown == {}
