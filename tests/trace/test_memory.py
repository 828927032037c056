"""What traces leave behind in the process that made them."""

from __future__ import annotations

from torch._subclasses.fake_tensor import FakeTensorMode

from explorer.catalog import find
from explorer.memory import give_back
from explorer.trace import trace_spec


def test_what_torch_remembers_of_shapes_does_not_grow_with_the_networks_traced() -> None:
    graph = trace_spec(find("squeezenet1_1"), cache=False)
    assert graph.total_macs
    assert FakeTensorMode.cache, "torch remembers the shapes, or this test shows nothing"
    give_back()
    assert not FakeTensorMode.cache
    again = trace_spec(find("squeezenet1_1"), cache=False)
    assert again.total_macs == graph.total_macs
