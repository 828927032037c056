"""LeNet-5 for handwritten digits.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 86(11), 2278-2324, 1998. https://doi.org/10.1109/5.726791

This is the dense form that textbooks use, with 61,706 parameters. Where it differs from the paper:

* C3 reads all six maps of S2; the paper connects each of its maps to a subset (1,516 parameters
  instead of 2,416).
* S2 and S4 take the maximum and have no parameters; the paper averages, then scales and shifts each
  map by two trained numbers.
* The nonlinearity is ReLU; the paper uses a scaled tanh. ReLU is what guided backpropagation,
  deconvolution and DeepLift are defined for, and each activation is a module of its own that is not
  used twice, which those methods need.
* The output is linear with a softmax loss; the paper compares F6 with fixed patterns (RBF units).
"""

from __future__ import annotations

from torch import Tensor, nn


class LeNet5(nn.Module):
    """The network; logits of the ten digits for a (B, 1, 32, 32) image, white ink on black.

    Multiply-accumulates of one image: 117,600 + 240,000 + 48,000 + 10,080 + 840 = 416,520.

    Args:
        num_classes: Width of the output.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5)  # C1: 6·(1·5·5 + 1) = 156 parameters
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(kernel_size=2)  # S2
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)  # C3: 16·(6·5·5 + 1) = 2,416
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(kernel_size=2)  # S4
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(16 * 5 * 5, 120)  # C5: 120·(400 + 1) = 48,120
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(120, 84)  # F6: 84·(120 + 1) = 10,164
        self.relu4 = nn.ReLU()
        self.fc3 = nn.Linear(84, num_classes)  # output: 10·(84 + 1) = 850

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, 1, 32, 32)."""
        x = self.pool1(self.relu1(self.conv1(x)))  # (B, 6, 28, 28) → (B, 6, 14, 14)
        x = self.pool2(self.relu2(self.conv2(x)))  # (B, 16, 10, 10) → (B, 16, 5, 5)
        x = self.flatten(x)  # (B, 400)
        x = self.relu3(self.fc1(x))  # (B, 120)
        x = self.relu4(self.fc2(x))  # (B, 84)
        logits: Tensor = self.fc3(x)  # (B, num_classes)
        return logits
