"""The built dashboard stays small."""

from benchmarks.dashboard_sizes import (
    CHUNK_BAR,
    FIRST_CSS_BAR,
    FIRST_JS_BAR,
    compressed,
    first_view,
    later_chunks,
)


def test_the_first_view_is_small() -> None:
    assert 0 < sum(map(compressed, first_view("js"))) <= FIRST_JS_BAR
    assert 0 < sum(map(compressed, first_view("css"))) <= FIRST_CSS_BAR


def test_so_is_what_is_loaded_later() -> None:
    sizes = {name: compressed(name) for name in later_chunks()}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > CHUNK_BAR} == {}
