"""LeNet-5 as published in 1998, for handwritten digits: 60,000 trainable parameters.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 86(11), 2278-2324, 1998, section II.B. https://doi.org/10.1109/5.726791

Subsampling is trained, C3 reads subsets of the maps of S2 (Table I), every layer up to F6 ends in a
scaled hyperbolic tangent, and the output is the distance of F6 to ten fixed pictures.

One thing is not the paper's: the ten pictures of 7×12 pixels are printed there but were never
published as numbers; those below are drawn for this project in the same size and spirit.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.networks.layers import ScaledTanh

# Table I: which maps of S2 each map of C3 reads; 60 of 96 pairs.
C3_TABLE = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip

# Ten pictures of 7×12 pixels side by side, from 0 to 9.
BITMAPS = """
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
..###.. ...##.. ..###.. .#####. ....##. ######. ...###. ####### ..###.. ..###..
.##.##. ..###.. .##.##. ##...## ...###. ##..... ..##... ##...## .##.##. .##.##.
##...## .####.. ##...## .....## ..#.##. ##..... .##.... .....## ##...## ##...##
##...## ...##.. .....## .....## .##.##. ##..... ##..... ....##. ##...## ##...##
##...## ...##.. ....##. ..####. .#..##. #####.. #####.. ....##. .##.##. .##.###
##...## ...##.. ....##. .....## ##..##. ....##. ##..##. ...##.. ..###.. ..####.
##...## ...##.. ...##.. .....## ##..##. .....## ##...## ...##.. .##.##. .....##
##...## ...##.. ..##... .....## ####### .....## ##...## ..##... ##...## .....##
.##.##. ...##.. .##.... ##...## ....##. ##...## .##.##. ..##... .##.##. ....##.
..###.. .###### ####### .#####. ....##. .#####. ..###.. ..##... ..###.. .###...
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


def targets() -> Tensor:
    """The ten pictures as targets of F6: (10, 84), +1 for ink and -1 for paper."""
    rows = [line.split() for line in BITMAPS.split("\n") if line]  # 12 rows of ten pieces
    pictures = ["".join(row[digit] for row in rows) for digit in range(10)]
    return torch.tensor([[1.0 if sign == "#" else -1.0 for sign in one] for one in pictures])


class Subsampling(nn.Module):
    """Sum of 2×2 pixels, times a trained coefficient, plus a trained bias, both of each map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.average = nn.AvgPool2d(kernel_size=2)
        self.coefficient = nn.Parameter(torch.empty(channels, 1, 1))
        self.bias = nn.Parameter(torch.empty(channels, 1, 1))
        # Of four inputs, as every layer of the paper starts: ±2.4 / fan-in.
        nn.init.uniform_(self.coefficient, -2.4 / 4, 2.4 / 4)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H/2, W/2)."""
        sums: Tensor = 4 * self.average(x)
        return sums * self.coefficient + self.bias


class SparseConv(nn.Module):
    """C3: each of the 16 maps is computed from the maps of S2 that ``C3_TABLE`` names.

    Three grouped convolutions, of three, four and six maps a group, read the maps that were
    gathered for them: exactly the multiplications and the parameters of the paper.
    """

    def __init__(self) -> None:
        super().__init__()
        # 6·(3·25 + 1) + 9·(4·25 + 1) + 1·(6·25 + 1) = 456 + 909 + 151 = 1,516 parameters
        self.threes = nn.Conv2d(6 * 3, 6, kernel_size=5, groups=6)
        self.fours = nn.Conv2d(9 * 4, 9, kernel_size=5, groups=9)
        self.six = nn.Conv2d(6, 1, kernel_size=5)
        threes = [index for maps in C3_TABLE[:6] for index in maps]
        fours = [index for maps in C3_TABLE[6:15] for index in maps]
        self.register_buffer("maps_of_threes", torch.tensor(threes), persistent=False)
        self.register_buffer("maps_of_fours", torch.tensor(fours), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 6, 14, 14) → (B, 16, 10, 10)."""
        threes = self.threes(x.index_select(1, self.get_buffer("maps_of_threes")))
        fours = self.fours(x.index_select(1, self.get_buffer("maps_of_fours")))
        return torch.cat([threes, fours, self.six(x)], dim=1)


class RBF(nn.Module):
    """Euclidean distance to fixed pictures, as logits: minus the squared distance.

    The paper's output is the squared distance, small for the digit that was read. Its training
    criterion (equation 9) is the log-likelihood of a softmax over minus these distances.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("targets", targets())

    def forward(self, x: Tensor) -> Tensor:
        """(B, 84) → (B, 10)."""
        return -(x.unsqueeze(1) - self.get_buffer("targets")).square().sum(dim=2)


class LeNet51998(nn.Module):
    """The network; minus the distances to the ten digits for a (B, 1, 32, 32) image.

    Paper is -0.1 and ink 1.175 on the input. Multiply-accumulates of one image, convolutions and
    F6: 117,600 + 150,000 + 48,000 + 10,080 = 325,680.
    """

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5)  # 6·(1·5·5 + 1) = 156 parameters
        self.tanh1 = ScaledTanh()
        self.s2 = Subsampling(6)  # 6·2 = 12
        self.tanh2 = ScaledTanh()
        self.c3 = SparseConv()  # 60·5·5 + 16 = 1,516
        self.tanh3 = ScaledTanh()
        self.s4 = Subsampling(16)  # 16·2 = 32
        self.tanh4 = ScaledTanh()
        self.c5 = nn.Conv2d(16, 120, kernel_size=5)  # 120·(16·5·5 + 1) = 48,120
        self.tanh5 = ScaledTanh()
        self.flatten = nn.Flatten()
        self.f6 = nn.Linear(120, 84)  # 84·(120 + 1) = 10,164
        self.tanh6 = ScaledTanh()
        self.rbf = RBF()
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                bound = 2.4 / module.weight[0].numel()  # of the fan-in
                nn.init.uniform_(module.weight, -bound, bound)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 10) of images (B, 1, 32, 32)."""
        x = self.tanh1(self.c1(x))  # (B, 6, 28, 28)
        x = self.tanh2(self.s2(x))  # (B, 6, 14, 14)
        x = self.tanh3(self.c3(x))  # (B, 16, 10, 10)
        x = self.tanh4(self.s4(x))  # (B, 16, 5, 5)
        x = self.tanh5(self.c5(x))  # (B, 120, 1, 1)
        x = self.tanh6(self.f6(self.flatten(x)))  # (B, 84)
        logits: Tensor = self.rbf(x)  # (B, 10)
        return logits
