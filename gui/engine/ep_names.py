"""Reads the EP name that a Python package states out of its source, without importing it."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path
from typing import Final

_FUNCTIONS: Final = ("get_ep_name", "get_ep_names")
_CONSTANTS: Final = ("EP_NAME", "_EP_NAME")
_LONGEST_SOURCE: Final = 1 << 20
_MOST_MODULES: Final = 100
_DEEPEST_CALL: Final = 5


def stated_ep_name(package: Path) -> str:
    """Return the one EP name that a package's modules state; empty when they state none, or several at once.

    Looked for are `get_ep_name` and `get_ep_names`, as ORT's plugin packages have them, then the constants `EP_NAME`
    and `_EP_NAME`; in `__init__.py` first, then in the modules beside it.
    """
    modules = sorted(package.glob("*.py"), key=lambda file: (file.name != "__init__.py", file.name))
    return next(filter(None, map(_name_in, modules[:_MOST_MODULES])), "")


def _name_in(module: Path) -> str:
    try:
        if module.stat().st_size > _LONGEST_SOURCE:
            return ""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd in that source
            tree = ast.parse(module.read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return ""
    known: dict[str, ast.expr] = {}
    for node in tree.body:
        known |= _defined(node)
    for name in (*_FUNCTIONS, *_CONSTANTS):
        if name in known and (value := _text(known[name], known)):
            return value
    return ""


def _defined(node: ast.stmt) -> dict[str, ast.expr]:
    """Return what a statement of a module binds: a constant to its value, a function to what it returns."""
    if isinstance(node, ast.Assign):
        return {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return {node.target.id: node.value}
    if isinstance(node, ast.FunctionDef):
        returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value is not None]
        if len(returned) == 1:  # of several it depends on what it finds
            return {node.name: returned[0]}
    return {}


def _text(value: ast.expr, known: dict[str, ast.expr], depth: int = 0) -> str:
    if depth > _DEEPEST_CALL:
        return ""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(value, ast.List | ast.Tuple) and len(value.elts) == 1:
        return _text(value.elts[0], known, depth + 1)
    if isinstance(value, ast.Call) and not value.args and not value.keywords:
        value = value.func
    if isinstance(value, ast.Name) and value.id in known:
        return _text(known[value.id], known, depth + 1)
    return ""
