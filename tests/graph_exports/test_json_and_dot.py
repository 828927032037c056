from __future__ import annotations

import json
import re
from dataclasses import replace

import jsonschema
import pytest

from explorer.catalog import find
from explorer.catalog.store import read_json
from explorer.graph import LayerGraph
from explorer.graph_exports import SCHEMA, to_dot, to_json
from explorer.trace import trace_spec

MODELS = ["lenet5", "googlenet", "swin_t", "tf_efficientnet_lite0"]


@pytest.fixture(scope="module", params=MODELS)
def graph(request: pytest.FixtureRequest) -> LayerGraph:
    return trace_spec(find(request.param))


def test_json_follows_its_schema(graph: LayerGraph) -> None:
    schema = read_json(SCHEMA)
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(to_json(graph))
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)
    assert document["totals"]["macs"] == sum(op["macs"] for op in document["ops"])
    assert len(document["edges"]) == len(graph.edges)
    ids = {op["id"] for op in document["ops"]}
    assert all(e["source"] in ids or e["source"].startswith("input") for e in document["edges"])


def test_the_schema_refuses_what_it_does_not_describe() -> None:
    document = json.loads(to_json(trace_spec(find("lenet5"))))
    for broken in (
        {**document, "extra": 1},
        {**document, "version": 2},
        {**document, "ops": [{**document["ops"][0], "macs": -1}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, read_json(SCHEMA))


def test_every_field_of_the_schema_is_described() -> None:
    def walk(node: object, where: str) -> None:
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items():
                assert "$ref" in field or field.get("description"), f"{where}.{name}"
            for name, value in node.items():
                walk(value, f"{where}.{name}")

    walk(read_json(SCHEMA), "")


def test_numbers_that_json_has_not_become_text() -> None:
    graph = trace_spec(find("lenet5"))
    odd = replace(graph.ops[0], attributes={"a": float("inf"), "b": (float("nan"), 1.5, None)})
    document = json.loads(to_json(replace(graph, ops=(odd, *graph.ops[1:]))))
    assert document["ops"][0]["attributes"] == {"a": "inf", "b": ["nan", 1.5, None]}


def test_dot_has_every_op_edge_and_module_once(graph: LayerGraph) -> None:
    text = to_dot(graph)
    clusters = re.findall(r'subgraph "cluster_(.*?)" \{', text)
    assert sorted(clusters) == sorted(node.id for node in graph.modules if node.id)
    assert len(re.findall(r" -> ", text)) == len(graph.edges)
    for op in graph.ops:
        assert len(re.findall(rf'^ *"{re.escape(op.id)}" \[', text, re.MULTILINE)) == 1
    # Brackets outside quotes are balanced, so that Graphviz reads it.
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    assert bare.count("{") == bare.count("}") == len(clusters) + 1
    assert '"' not in bare


def test_dot_quotes_names() -> None:
    graph = replace(trace_spec(find("lenet5")), model='a "b" \\ c')
    assert to_dot(graph).startswith('digraph "a \\"b\\" \\\\ c" {')
