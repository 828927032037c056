"""The deep, big, simple multilayer perceptron for handwritten digits.

D. C. Cireşan, U. Meier, L. M. Gambardella, J. Schmidhuber: Deep Big Simple Neural Nets Excel on
Handwritten Digit Recognition. Neural Computation 22(12), 3207-3220, 2010.
https://arxiv.org/abs/1003.0358

Fully connected layers with a scaled hyperbolic tangent between them and a softmax at the end, no
convolution. The paper's Table 1 lists five such networks; here are its largest and its smallest.
The 12.11 million weights of its table belong to an input of 29×29 pixels; MNIST's 28×28 make
11,965,000, and 11,972,510 with the biases.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from explorer.networks.layers import ScaledTanh

DEEP = (2500, 2000, 1500, 1000, 500)
SMALL = (1000, 500)


class MLP(nn.Module):
    """The network; logits of the ten digits for a (B, 1, 28, 28) image, -1 paper and +1 ink.

    Args:
        hidden: Widths of the hidden layers.
        num_classes: Width of the output.
    """

    def __init__(self, hidden: tuple[int, ...], num_classes: int = 10) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.hidden = nn.Sequential()
        for number, (inputs, outputs) in enumerate(pairwise((28 * 28, *hidden)), start=1):
            self.hidden.append(_layer(f"fc{number}", inputs, outputs))
        self.classifier = nn.Linear(hidden[-1], num_classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.uniform_(module.weight, -0.05, 0.05)  # as the paper starts
                nn.init.uniform_(module.bias, -0.05, 0.05)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, 1, 28, 28)."""
        x = self.hidden(self.flatten(x))  # (B, 784) → … → (B, 500)
        logits: Tensor = self.classifier(x)  # (B, num_classes)
        return logits


def _layer(name: str, inputs: int, outputs: int) -> nn.Sequential:
    layer = nn.Sequential()
    layer.add_module(name, nn.Linear(inputs, outputs))
    layer.add_module("tanh", ScaledTanh())
    return layer


def ciresan_mlp() -> MLP:
    """2500-2000-1500-1000-500-10: 11,972,510 parameters, 11,965,000 multiply-accumulates."""
    return MLP(DEEP)


def ciresan_mlp_small() -> MLP:
    """1000-500-10: 785·1000 + 1001·500 + 501·10 = 1,290,510 parameters, 1,289,000 MACs."""
    return MLP(SMALL)
