"""Where parameters, operations and memory go: pure functions of a ``LayerGraph``, without torch.

from explorer.costs import Convention, breakdown, count
count(graph, Convention.FLOPS)
breakdown(graph, by="stage", convention=Convention.MACS).rows
"""

from explorer.costs.conventions import Convention, count, op_count, uncounted
from explorer.costs.intensity import arithmetic_intensity, bytes_moved
from explorer.costs.memory import (
    MemoryProfile,
    ParameterMemory,
    memory_profile,
    parameter_memory,
)
from explorer.costs.receptive_field import ReceptiveField, receptive_fields
from explorer.costs.scaling import batch_scaled
from explorer.costs.stages import stages
from explorer.costs.tables import GROUPINGS, CostRow, CostTable, breakdown, module_totals

__all__ = [
    "GROUPINGS",
    "Convention",
    "CostRow",
    "CostTable",
    "MemoryProfile",
    "ParameterMemory",
    "ReceptiveField",
    "arithmetic_intensity",
    "batch_scaled",
    "breakdown",
    "bytes_moved",
    "count",
    "memory_profile",
    "module_totals",
    "op_count",
    "parameter_memory",
    "receptive_fields",
    "stages",
    "uncounted",
]
