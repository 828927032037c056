from __future__ import annotations

import re

import pytest

from explorer.catalog import CATALOG
from explorer.catalog.blocks import blocks, find_block


@pytest.mark.parametrize(
    ("source", "block"),
    [
        ("torchvision.models.resnet.Bottleneck", "bottleneck"),
        ("torchvision.models.resnet.BasicBlock", "basic_block"),
        ("torchvision.models.regnet.ResBottleneckBlock", "regnet"),
        ("torchvision.models.googlenet.Inception", "inception"),
        ("torchvision.models.inception.InceptionA", "inception_a"),
        ("torchvision.models.inception.InceptionB", "inception_b"),
        ("torchvision.models.inception.InceptionC", "inception_c"),
        ("torchvision.models.inception.InceptionD", "inception_d"),
        ("torchvision.models.inception.InceptionE", "inception_e"),
        ("timm.models.inception_v4.InceptionB", "inception_c_v4"),  # its B has the 7×7 branches
        ("torchvision.models.densenet._DenseLayer", "dense_layer"),
        ("torchvision.models.densenet._DenseBlock", "dense_block"),
        ("torchvision.models.densenet._Transition", "transition"),
        ("torchvision.models.squeezenet.Fire", "fire"),
        ("torchvision.models.mobilenetv2.InvertedResidual", "mbconv"),
        ("torchvision.models.shufflenetv2.InvertedResidual", "shufflenet"),
        ("torchvision.models.efficientnet.MBConv", "mbconv"),
        ("torchvision.models.efficientnet.FusedMBConv", "fused_mbconv"),
        ("torchvision.ops.misc.SqueezeExcitation", "se"),
        ("timm.layers.squeeze_excite.SEModule", "se"),
        ("timm.models.xception.SeparableConv2d", "separable"),
        ("timm.models.xception.Block", "xception"),
        ("torchvision.models.convnext.CNBlock", "convnext"),
        ("torchvision.models.vision_transformer.EncoderBlock", "vit_encoder"),
        ("timm.models.vision_transformer.Block", "vit_block"),
        ("torch.nn.modules.activation.MultiheadAttention", "attention"),
        ("torchvision.models.swin_transformer.SwinTransformerBlock", "swin"),
        ("torchvision.models.swin_transformer.SwinTransformerBlockV2", "swin_v2"),
        ("torchvision.models.maxvit.MaxVitLayer", "maxvit"),
        ("torch.nn.modules.conv.Conv2d", None),
    ],
)
def test_blocks_are_told_by_class(source: str, block: str | None) -> None:
    found = find_block(source.rpartition(".")[2], source)
    assert (None if found is None else found.id) == block


def test_every_block_is_one_sentence_in_both_languages() -> None:
    assert len({block.id for block in blocks()}) == len(blocks())
    for block in blocks():
        re.compile(block.classes)
        english, chinese = block.sentences["en"], block.sentences["zh"]
        assert english.endswith(".")
        assert len(english) < 260
        assert chinese.endswith("。")
        assert re.search("[\u4e00-\u9fff]", chinese), block.id
        assert english != chinese


def test_the_building_blocks_of_all_plain_models_are_explained() -> None:
    plain = [spec for model_id, spec in CATALOG.items() if not model_id.startswith("timm/")]
    unknown = {
        name
        for spec in plain
        for name in spec.blocks
        if find_block(name, f"{spec.source}.{spec.builder}") is None
    }
    # Plain "Block" means several things and is told by its source, which a spec does not have.
    assert unknown <= {"Block"}
