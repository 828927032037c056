"""AlexNet as published in 2012, two groups of channels as on its two GPUs: 60,965,224 parameters.

A. Krizhevsky, I. Sutskever, G. E. Hinton: ImageNet Classification with Deep Convolutional Neural
Networks. NIPS 2012.
https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks.pdf

The second, fourth and fifth convolution read only the maps on their own GPU (``groups=2``), the
third reads all. The paper writes an input of 224×224; its 55×55 outputs need 227×227.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from explorer.networks.layers import ConvReLU, he_init


def response_norm() -> nn.LocalResponseNorm:
    """Local response normalisation of section 3.3: k = 2, n = 5, α = 1e-4, β = 0.75.

    The paper multiplies the sum of squares by α; torch multiplies their mean, hence 5·α.
    """
    return nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


class AlexNet2012(nn.Module):
    """The network; logits for a (B, 3, 227, 227) image.

    Args:
        num_classes: Width of the output.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(OrderedDict([
            ("conv1", ConvReLU(3, 96, 11, stride=4)),  # (B, 96, 55, 55)
            ("norm1", response_norm()),
            ("pool1", nn.MaxPool2d(3, stride=2)),  # (B, 96, 27, 27): overlapping windows
            ("conv2", ConvReLU(96, 256, 5, padding=2, groups=2)),  # (B, 256, 27, 27)
            ("norm2", response_norm()),
            ("pool2", nn.MaxPool2d(3, stride=2)),  # (B, 256, 13, 13)
            ("conv3", ConvReLU(256, 384, 3, padding=1)),  # (B, 384, 13, 13): sees both GPUs
            ("conv4", ConvReLU(384, 384, 3, padding=1, groups=2)),
            ("conv5", ConvReLU(384, 256, 3, padding=1, groups=2)),  # (B, 256, 13, 13)
            ("pool5", nn.MaxPool2d(3, stride=2)),  # (B, 256, 6, 6)
        ]))  # fmt: skip
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(OrderedDict([
            ("fc6", nn.Linear(256 * 6 * 6, 4096)),  # (B, 9216) → (B, 4096)
            ("relu6", nn.ReLU()),
            ("drop6", nn.Dropout(0.5)),
            ("fc7", nn.Linear(4096, 4096)),
            ("relu7", nn.ReLU()),
            ("drop7", nn.Dropout(0.5)),
            ("fc8", nn.Linear(4096, num_classes)),
        ]))  # fmt: skip
        he_init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, 3, 227, 227)."""
        logits: Tensor = self.classifier(self.flatten(self.features(x)))
        return logits
