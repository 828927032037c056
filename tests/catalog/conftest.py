"""Makes the catalog's own counting script importable: the tests recompute what it wrote."""

import sys
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "assets" / "data"
if str(DATA) not in sys.path:
    sys.path.append(str(DATA))
