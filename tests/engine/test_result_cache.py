from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from explorer.result_cache import ResultCache


def test_least_recently_used_goes_first() -> None:
    cache = ResultCache(100)
    cache.put("a", 1, 40)
    cache.put("b", 2, 40)
    assert cache.get("a") == 1  # now "b" is the older one
    cache.put("c", 3, 40)  # 40 + 40 + 40 > 100
    assert cache.get("b") is None
    assert (cache.get("a"), cache.get("c")) == (1, 3)
    assert cache.nbytes == 80


def test_larger_than_the_budget_is_not_kept_and_evicts_nothing() -> None:
    cache = ResultCache(100)
    cache.put("a", 1, 60)
    cache.put("b", 2, 101)
    assert cache.get("b") is None
    assert cache.get("a") == 1


def test_putting_again_replaces_value_and_size() -> None:
    cache = ResultCache(100)
    cache.put("a", 1, 90)
    cache.put("a", 2, 10)
    assert (cache.get("a"), cache.nbytes, len(cache)) == (2, 10, 1)
    cache.put("a", 3, 500)  # too large: the value before it would be stale
    assert (cache.get("a"), cache.nbytes) == (None, 0)


def test_clear() -> None:
    cache = ResultCache(100)
    cache.put("a", 1, 90)
    cache.clear()
    assert (cache.get("a"), cache.nbytes, len(cache)) == (None, 0, 0)


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 70)), max_size=60))
def test_the_budget_holds_and_the_last_one_stays(puts: list[tuple[str, int]]) -> None:
    cache = ResultCache(50)
    sizes: dict[str, int] = {}
    for number, (key, size) in enumerate(puts):
        cache.put(key, number, size)
        sizes[key] = size
        kept = [name for name in sizes if cache.get(name) is not None]
        assert cache.nbytes == sum(sizes[name] for name in kept) <= 50
        assert cache.get(key) == (number if size <= 50 else None)
