"""The YAML of a scenario as a tree that knows the line of every key."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airsim.errors import InputError, Problem


def _text(path: Path) -> str:
    file, raw = str(path), b""
    if not path.is_file():
        raise InputError([Problem(file, "", "", "", "file not found", "文件不存在")])
    try:
        raw = path.read_bytes()
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw[:200]:
            en = "the file is UTF-16; save it as UTF-8"
            raise InputError([Problem(file, "1", "", "", en, "文件为 UTF-16 编码，请另存为 UTF-8")])
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = str(raw.count(b"\n", 0, error.start) + 1)
        raise InputError(
            [Problem(file, line, "", "", "a scenario file must be UTF-8", "情景文件须为 UTF-8 编码")]
        ) from None


#: Part of what the YAML library says -> (English, Chinese).
_SYNTAX = {
    "duplicate key": ("the key stands twice in its block", "同一块中该键重复"),
    "unknown escape": (
        'a backslash in double quotes begins an escape: write \'C:\\data\' in single quotes, or C:/data',
        "双引号中的反斜杠会被当作转义：请用单引号 'C:\\data'，或写作 C:/data",
    ),
    "\\t": ("a tab stands where spaces must: indent with spaces", "不能用制表符缩进，请改用空格"),
    "mapping values are not allowed": (
        "a colon where none can stand: look at the indentation and at the line above",
        "此处不能有冒号：请检查本行缩进与上一行",
    ),
    "undefined alias": ("the name after * is defined nowhere", "* 后的锚点未定义"),
    "expected ',' or": ("a comma or closing bracket is missing", "缺少逗号或右括号"),
    "expected a single document": ("one document a file: remove the ---", "一个文件只能有一个文档，请删去 ---"),
    "block collection": (
        "the indentation does not fit the lines above", "缩进与上文不一致"
    ),
    "block mapping": ("the indentation does not fit the lines above", "缩进与上文不一致"),
    "could not find expected ':'": ("a colon and a space are missing after the key", "键后缺少冒号和空格"),
    "quoted scalar": ("a quotation mark is not closed", "引号未闭合"),
    "cannot start any token": (
        "a value can't begin with this character: put it in quotes", "值不能以该字符开头，请加引号"
    ),
}  # fmt: skip
_FULL_WIDTH = re.compile(r"^[^#\"']*?([：，［］｛｝【】])")


def _full_width(text: str, last: int | None = None) -> tuple[str, str, str]:
    """Return (English, Chinese, line) of a hint where full-width punctuation stands; empty without."""
    for number, line in enumerate(text.splitlines()[: None if last is None else last + 1], start=1):
        found = _FULL_WIDTH.match(line)
        if found:
            sign = found.group(1)
            half = unicodedata.normalize("NFKC", sign).translate(str.maketrans("【】", "[]"))
            colon = " and a space" if sign in "：，" else ""
            zh = "加空格" if colon else ""
            return (
                f"; write {half}{colon} for the full-width {sign}",
                f"；请将全角 {sign} 改为半角 {half}{zh}",
                str(number),
            )
    return "", "", ""


def _syntax(file: str, text: str, said: str, line: int | None) -> Problem:
    """Say in both languages what is wrong with the YAML; `line` counts from 0."""
    default = ("look at indentation, colons, quotes and brackets", "请检查缩进、冒号、引号和括号")
    said = " ".join(said.split())
    if "tag" in said and "could not determine a constructor" in said:
        default = ("tags (!) are not taken", "不接受 ! 标签")
    at = str(line + 1) if line is not None else ""
    key = re.search(r'duplicate key "([^"]*)"', said)
    written = text.splitlines()[line] if line is not None and line < len(text.splitlines()) else ""
    if "\t" in written[: len(written) - len(written.lstrip())]:
        said = "\\t"
    en, zh = next((v for k, v in _SYNTAX.items() if k in said), default)
    wide_en, wide_zh, wide_line = _full_width(text, line)
    return Problem(
        file,
        wide_line or at,
        key.group(1) if key else "",
        "",
        f"not valid YAML: {en}{wide_en}",
        f"YAML 语法错误：{zh}{wide_zh}",
    )


def parse(path: Path) -> Mapping[str, Any]:
    """Return a scenario file as a tree that knows its lines; times stay as written.

    Raises
    ------
    InputError
        Not there, not UTF-8, not YAML, or no mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import RoundTripConstructor
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    class TimesAsText(RoundTripConstructor):
        """Leave times as written: the library would turn a zoned time into a naive UTC one."""

    TimesAsText.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_scalar)

    file = str(path)
    text = _text(path)
    try:
        yaml = YAML(typ="rt")
        yaml.Constructor = TimesAsText
        tree = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        said = f"{error.context or ''} {error.problem or ''}"
        raise InputError([_syntax(file, text, said, mark.line if mark else None)]) from None
    except (YAMLError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise InputError([_syntax(file, text, str(error), None)]) from None
    if not isinstance(tree, Mapping):
        en, zh, line = _full_width(text)
        raise InputError([Problem(file, line or "1", "", "", f"must be a mapping of keys{en}", f"须为键值结构{zh}")])
    return tree


_MOST_NODES = 200_000


def plain_tree(tree: Any, file: str) -> Any:
    """Return the YAML tree as JSON types; a tree that aliases blow up is refused."""
    count = 0

    def walk(node: Any) -> Any:
        nonlocal count
        count += 1
        if count > _MOST_NODES:
            raise InputError(
                [Problem(file, "", "", "", f"more than {_MOST_NODES} entries", f"条目超过 {_MOST_NODES} 个")]
            )
        if isinstance(node, Mapping):
            return {str(k): walk(v) for k, v in node.items()}
        if isinstance(node, list | tuple):
            return [walk(v) for v in node]
        if isinstance(node, bool) or node is None:
            return node
        if isinstance(node, int):
            return int(node)
        if isinstance(node, float):
            return float(node)
        return str(node)

    try:
        return walk(tree)
    except RecursionError:
        raise InputError([Problem(file, "", "", "", "an alias refers to itself", "锚点引用了自身")]) from None


def dotted(key: Sequence[str | int]) -> str:
    """Return a key as messages name it; list entries count from 1."""
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in key).removeprefix(".")


def lines(tree: Any) -> dict[tuple[str | int, ...], str]:
    """Return the line of every key and list entry of the tree, but those inside of a sweep."""
    found: dict[tuple[str | int, ...], str] = {}

    def walk(node: Any, key: tuple[str | int, ...]) -> None:
        if key == ("sweep",):
            return
        entries = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ()
        for step, entry in entries:
            found[(*key, step)] = locate(tree, (*key, step))[0]
            walk(entry, (*key, step))

    walk(tree, ())
    return found


def locate(tree: Any, location: Sequence[str | int]) -> tuple[str, str]:
    """Return (line, dotted key) of a pydantic location, without the union tags that are no keys."""
    node, line, key = tree, 1, ""
    for step in location:
        if isinstance(node, Mapping) and step in node:
            line = node.lc.key(step)[0] + 1 if hasattr(node, "lc") else line
            key = f"{key}.{step}" if key else str(step)
            node = node[step]
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0] + 1 if hasattr(node, "lc") else line
            key = f"{key}[{step + 1}]"
            node = node[step]
        elif step == location[-1] and isinstance(node, Mapping) and isinstance(step, str) and not _tag(node, step):
            key = f"{key}.{step}" if key else step
    return str(line), key


def _tag(node: Mapping[str, Any], step: str) -> bool:
    return step.startswith("<") or node.get("type") == step or node.get("kind") == step
