"""Free dimensions: which sizes are asked for, which follow from others, and what several sizes multiply to.

A dimension's name may be an expression of others, as exporters write them: `past_length + sequence_length`, `2*batch`.
It counts as one only when each name in it is a dimension of its own: `batch-size` is just a name.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Mapping

MAX_SIZE = 1_000_000_000


def names_in(expression: str) -> frozenset[str]:
    """Return the names an expression is made of; nothing when it is none, or a mere name or number."""
    tree = _parsed(expression)
    if tree is None or isinstance(tree, ast.Name | ast.Constant):
        return frozenset()
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def asked_for(names: Iterable[str]) -> tuple[str, ...]:
    """Return the dimensions whose sizes cannot be had from others, each once, in their order."""
    distinct = tuple(dict.fromkeys(names))
    return tuple(name for name in distinct if not _follows(name, distinct))


def with_derived(names: Iterable[str], sizes: Mapping[str, int]) -> dict[str, int]:
    """Return a size for each name: the one given, or what its expression comes to, else 1.

    Raises `ValueError` when an expression comes to less than 0 or to no whole number.
    """
    distinct = tuple(dict.fromkeys(names))
    plain = {name: sizes.get(name, 1) for name in distinct if not _follows(name, distinct)}
    result: dict[str, int] = {}
    for name in distinct:
        if name in sizes:
            result[name] = sizes[name]
        elif name in plain:
            result[name] = plain[name]
        else:
            result[name] = _value(name, {**plain, **sizes})
    return result


def _follows(name: str, names: tuple[str, ...]) -> bool:
    parts = names_in(name)
    return bool(parts) and all(part in names for part in parts)


def _value(expression: str, sizes: Mapping[str, int]) -> int:
    tree = _parsed(expression)
    assert tree is not None  # noqa: S101 `_follows` has parsed it
    try:
        value = _computed(tree, sizes)
    except ZeroDivisionError:
        raise ValueError(f"the dimension {expression} divides by zero") from None
    if not 0 <= value <= MAX_SIZE:
        raise ValueError(f"the dimension {expression} comes to {value}")
    return value


@functools.lru_cache(maxsize=4096)
def _parsed(expression: str) -> ast.expr | None:
    """Return the tree of an expression of names, whole numbers and + - * / // %, or None."""
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree if _is_arithmetic(tree) else None


def _is_arithmetic(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return True
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    if isinstance(node, ast.BinOp):
        known = isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.FloorDiv | ast.Mod)
        return known and _is_arithmetic(node.left) and _is_arithmetic(node.right)
    return False


def _computed(node: ast.expr, sizes: Mapping[str, int]) -> int:
    if isinstance(node, ast.Name):
        return sizes[node.id]
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, int)  # noqa: S101 `_is_arithmetic` has looked
        return node.value
    assert isinstance(node, ast.BinOp)  # noqa: S101
    left, right = _computed(node.left, sizes), _computed(node.right, sizes)
    match node.op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Mod():
            return left % right
        case ast.Div() if left % right:
            raise ValueError(f"{left} / {right} is no whole number")
    return left // right
