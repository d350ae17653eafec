"""A proof verifies in exactly one form; everything near it is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from garim.statements.refusal import RefusedError
from garim.translog.memory import MemoryTree
from garim.translog.proofs import verify_consistency, verify_inclusion
from garim.translog.tree import EMPTY_ROOT, Node, hash_leaf

VECTORS = Path(__file__).parents[4] / "shared/testdata/vectors/merkle-rfc6962/testdata"


def tree_of(count: int) -> MemoryTree:
    tree = MemoryTree()
    tree.append(b"leaf %d" % number for number in range(count))
    return tree


TREE = tree_of(20)


@pytest.mark.parametrize("size", range(1, 21))
def test_every_leaf_of_every_tree_is_proven(size: int) -> None:
    for index in range(size):
        leaf = hash_leaf(b"leaf %d" % index)
        verify_inclusion(leaf, index, size, TREE.inclusion(index, size), TREE.root(size))


@pytest.mark.parametrize("new", range(1, 21))
def test_every_prefix_of_every_tree_is_proven(new: int) -> None:
    for old in range(1, new + 1):
        verify_consistency(old, TREE.root(old), new, TREE.root(new), TREE.consistency(old, new))


@pytest.mark.parametrize(("index", "size"), [(-1, 7), (7, 7), (8, 7), (0, 0), (0, 2**63)])
def test_an_index_outside_the_tree_is_refused_before_any_hash(index: int, size: int) -> None:
    with pytest.raises(RefusedError, match=r"LOG_INCLUSION.*outside the tree"):
        verify_inclusion(hash_leaf(b"leaf 6"), index, size, TREE.inclusion(6, 7), TREE.root(7))


@pytest.mark.parametrize(("index", "size"), [(6, 8), (5, 7), (6, 6), (0, 1)])
def test_another_index_or_size_is_refused(index: int, size: int) -> None:
    path = TREE.inclusion(6, 7)
    with pytest.raises(RefusedError, match="LOG_INCLUSION"):
        verify_inclusion(hash_leaf(b"leaf 6"), index, size, path, TREE.root(7))


def test_a_single_leaf_tree_has_an_empty_path() -> None:
    leaf = hash_leaf(b"leaf 0")
    verify_inclusion(leaf, 0, 1, [], leaf)
    with pytest.raises(RefusedError, match="LOG_INCLUSION"):
        verify_inclusion(leaf, 0, 1, [leaf], leaf)


def test_an_inner_node_is_not_taken_for_a_leaf() -> None:
    path = TREE.inclusion(0, 4)
    node = TREE.read([Node(1, 0)])[0]
    with pytest.raises(RefusedError, match="wrong number"):
        verify_inclusion(node, 0, 4, path[1:], TREE.root(4))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_hashes_of_another_length_are_refused(length: int) -> None:
    path = TREE.inclusion(3, 8)
    leaf = hash_leaf(b"leaf 3")
    attempts: list[Callable[[], None]] = [
        lambda: verify_inclusion(bytes(length), 3, 8, path, TREE.root(8)),
        lambda: verify_inclusion(leaf, 3, 8, [bytes(length), *path[1:]], TREE.root(8)),
        lambda: verify_inclusion(leaf, 3, 8, path, bytes(length)),
    ]
    for attempt in attempts:
        with pytest.raises(RefusedError, match=r"LOG_INCLUSION.*32 bytes"):
            attempt()
    prefix = TREE.consistency(3, 8)
    attempts = [
        lambda: verify_consistency(3, bytes(length), 8, TREE.root(8), prefix),
        lambda: verify_consistency(3, TREE.root(3), 8, bytes(length), prefix),
        lambda: verify_consistency(3, TREE.root(3), 8, TREE.root(8), [*prefix[:-1], bytes(length)]),
    ]
    for attempt in attempts:
        with pytest.raises(RefusedError, match=r"LOG_CONSISTENCY.*32 bytes"):
            attempt()


@pytest.mark.parametrize(("old", "new"), [(0, 8), (-3, 8), (9, 8), (3, 2**63)])
def test_impossible_sizes_are_refused(old: int, new: int) -> None:
    with pytest.raises(RefusedError, match="LOG_CONSISTENCY"):
        verify_consistency(old, TREE.root(3), new, TREE.root(8), TREE.consistency(3, 8))


def test_an_empty_tree_proves_no_prefix() -> None:
    for new, root in ((0, EMPTY_ROOT), (8, TREE.root(8))):
        with pytest.raises(RefusedError, match="LOG_CONSISTENCY"):
            verify_consistency(0, EMPTY_ROOT, new, root, [])


def test_equal_sizes_have_equal_roots_and_no_path() -> None:
    verify_consistency(5, TREE.root(5), 5, TREE.root(5), [])
    with pytest.raises(RefusedError, match="LOG_CONSISTENCY"):
        verify_consistency(5, TREE.root(5), 5, TREE.root(6), [])
    with pytest.raises(RefusedError, match="LOG_CONSISTENCY"):
        verify_consistency(5, TREE.root(5), 5, TREE.root(5), [TREE.root(5)])


@pytest.mark.parametrize("old", [3, 4])
def test_paths_with_one_hash_more_or_less_are_refused(old: int) -> None:
    path = TREE.consistency(old, 7)
    for wrong in ([], path[:-1], path[1:], [*path, path[-1]], [TREE.root(old), *path]):
        with pytest.raises(RefusedError, match="wrong number"):
            verify_consistency(old, TREE.root(old), 7, TREE.root(7), wrong)


def test_both_roots_must_follow_from_the_path() -> None:
    path = TREE.consistency(6, 15)
    with pytest.raises(RefusedError, match="old root"):
        verify_consistency(6, TREE.root(5), 15, TREE.root(15), path)
    with pytest.raises(RefusedError, match="new root"):
        verify_consistency(6, TREE.root(6), 15, TREE.root(14), path)


def _vectors(*folders: str) -> list[Any]:
    files = [file for folder in folders for file in sorted((VECTORS / folder).rglob("*.json"))]
    return [pytest.param(file, id=str(file.relative_to(VECTORS))) for file in files] or [
        pytest.param(None, marks=pytest.mark.skip("the outside vectors are absent"))
    ]


def _hash(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _root(text: str) -> bytes:
    """The vectors have words for wrong roots; a whole hash in their place also passes the length check."""
    value = _hash(text)
    return value if len(value) == 32 else hash_leaf(value)


def _accepts(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except RefusedError:
        return False
    return True


@pytest.mark.shared
@pytest.mark.parametrize("file", _vectors("inclusion"))
def test_inclusion_vectors_of_transparency_dev(file: Path) -> None:
    case = json.loads(file.read_text())
    path = [_hash(item) for item in case["proof"] or []]
    accepted = _accepts(
        verify_inclusion,
        _hash(case["leafHash"]),
        case["leafIdx"],
        case["treeSize"],
        path,
        _hash(case["root"]),
    )
    assert accepted is not case["wantErr"]


@pytest.mark.shared
@pytest.mark.parametrize("file", _vectors("consistency"))
def test_consistency_vectors_of_transparency_dev(file: Path) -> None:
    case = json.loads(file.read_text())
    path = [_hash(item) for item in case["proof"] or []]
    sizes_and_roots = (case["size1"], _root(case["root1"]), case["size2"], _root(case["root2"]))
    assert _accepts(verify_consistency, *sizes_and_roots, path) is not case["wantErr"]


@pytest.mark.shared
@pytest.mark.parametrize("file", _vectors("subtreeinclusion"))
def test_inclusion_vectors_over_subtrees(file: Path) -> None:
    case = json.loads(file.read_text())
    start, end = case["start"], case["end"]
    if end > start and start % (1 << (end - start - 1).bit_length()):
        pytest.skip("about which ranges are subtrees: Garim has proofs over whole trees only")
    path = [_hash(item) for item in case["proof"] or []]
    accepted = _accepts(
        verify_inclusion,
        _hash(case["leafHash"]),
        case["leafIdx"] - start,
        end - start,
        path,
        _hash(case["root"]),
    )
    assert accepted is not case["wantErr"]


@pytest.mark.shared
@pytest.mark.parametrize("file", _vectors("subtreeconsistency"))
def test_consistency_vectors_over_prefixes(file: Path) -> None:
    case = json.loads(file.read_text())
    if case["start"] or not case["end"]:
        pytest.skip("about subtrees that are empty or begin after the first leaf: Garim has none")
    path = [_hash(item) for item in case["proof"] or []]
    # In these vectors root1 is the subtree's, [0, end), and root2 that of the whole tree.
    sizes_and_roots = (case["end"], _root(case["root1"]), case["size"], _root(case["root2"]))
    assert _accepts(verify_consistency, *sizes_and_roots, path) is not case["wantErr"]
