"""Empty caches and the misbehaving server of the tests of downloads."""

from tests.zoo.conftest import (
    caches,
    case,
    hub_case,
    hub_server,
    settings,
    squeezenet_file,
    timm_file,
    torch_case,
    torch_server,
)

__all__ = [
    "caches", "case", "hub_case", "hub_server", "settings", "squeezenet_file", "timm_file",
    "torch_case", "torch_server",
]  # fmt: skip
