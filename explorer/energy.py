"""What the machine itself says of the energy it uses; nothing is estimated where it is silent."""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from typing import Any, Protocol

from explorer.i18n import N_
from explorer.latency_results import Energy, Note

logger = logging.getLogger(__name__)

POWERCAP = Path("/sys/class/powercap")
#: Shorter than this, the counters' own steps (up to 100 ms) are too large a part.
SHORTEST_SECONDS = 1.0


class Meter(Protocol):
    """A counter of energy that rises."""

    source: str

    def joules(self) -> float:
        """Used since some moment; only differences mean something."""


class Rapl:
    """The processor packages' counters, summed (Linux powercap, intel-rapl; AMD's too).

    A counter starts anew at its ``max_energy_range_uj``; that is noticed as long as it is read
    before it does so twice.
    """

    source = "rapl"

    def __init__(self, domains: list[Path]) -> None:
        self._domains = domains
        self._last = [self._read(domain) for domain in domains]
        self._sums = [0] * len(domains)

    @staticmethod
    def _read(domain: Path) -> int:
        return int((domain / "energy_uj").read_text())

    def joules(self) -> float:
        """Of all packages, since the meter was made."""
        for index, domain in enumerate(self._domains):
            now = self._read(domain)
            passed = now - self._last[index]
            if passed < 0:
                passed += int((domain / "max_energy_range_uj").read_text())
            self._sums[index] += passed
            self._last[index] = now
        return sum(self._sums) / 1e6


class Nvml:
    """A graphics card's own counter (Volta and newer)."""

    source = "nvml"

    def __init__(self, library: Any, handle: Any) -> None:
        self._library = library
        self._handle = handle

    def joules(self) -> float:
        """Since the driver was loaded."""
        return float(self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1e3


def find_meter(kind: str, uuid: str = "", powercap: Path = POWERCAP) -> tuple[Meter | None, Note]:
    """The meter of a device, or None with the reason.

    Args:
        kind: "cpu", "cuda" or "mps".
        uuid: Of the graphics card, as NVML names it.
        powercap: Where Linux shows the processor's counters.
    """
    if kind == "cuda":
        return _nvml(uuid)
    if kind == "mps":
        return None, Note(N_("Energy is not told: this machine has no counter that can be read."))
    return _rapl(powercap)


def _rapl(powercap: Path) -> tuple[Meter | None, Note]:
    # Packages are intel-rapl:0, intel-rapl:1, …; their parts (cores, memory) have a second colon.
    domains = sorted(
        domain for domain in powercap.glob("intel-rapl:*") if domain.name.count(":") == 1
    )
    packages = [domain for domain in domains if _name(domain).startswith("package")]
    if not packages:
        return None, Note(
            N_("Energy is not told: the system shows no RAPL counter in {folder}."),
            {"folder": str(powercap)},
        )
    try:
        return Rapl(packages), Note("")
    except (OSError, ValueError) as error:
        logger.info("the energy counters cannot be read: %s", error)
        return None, Note(
            N_(
                "Energy is not told: {file} cannot be read by this user; an administrator can "
                "allow it."
            ),
            {"file": str(packages[0] / "energy_uj")},
        )


def _name(domain: Path) -> str:
    try:
        return (domain / "name").read_text().strip()
    except OSError:
        return ""


def _nvml(uuid: str) -> tuple[Meter | None, Note]:
    try:
        library = importlib.import_module("pynvml")
    except ImportError:
        return None, Note(
            N_("Energy is not told: install nvidia-ml-py to read the card's counter.")
        )
    try:
        library.nvmlInit()
        name = uuid if uuid.startswith("GPU-") else f"GPU-{uuid}"
        meter = Nvml(library, library.nvmlDeviceGetHandleByUUID(name))
        meter.joules()
    except library.NVMLError as error:
        logger.info("NVML does not tell energy: %s", error)
        return None, Note(
            N_("Energy is not told: the graphics driver answers “{reason}”."),
            {"reason": str(error)},
        )
    return meter, Note("")


class EnergyReading:
    """The energy of a stretch of time; a meter that fails midway is absent, not zero.

    Args:
        meter: None where there is none.
        reason: Why there is none.
    """

    def __init__(self, meter: Meter | None, reason: Note) -> None:
        self._meter = meter
        self._reason = reason
        self._begin = 0.0
        self._used = 0.0

    def begin(self) -> None:
        """Starts to count."""
        self._begin = self._joules()
        self._used = 0.0

    def look(self) -> None:
        """Reads the counter, so that its start anew is not missed; call it now and then."""
        self._used = self._joules() - self._begin

    def _joules(self) -> float:
        if self._meter is None:
            return 0.0
        try:
            return self._meter.joules()
        except Exception as error:  # noqa: BLE001 - a library's errors; the measurement goes on
            logger.warning("the energy counter cannot be read any more: %s", error)
            self._meter = None
            self._reason = Note(N_("Energy is not told: the counter stopped answering meanwhile."))
            return 0.0

    def energy(self, seconds: float, images: int) -> Energy:
        """What was used between ``begin`` and the last ``look``.

        Args:
            seconds: That lie between them.
            images: Classified meanwhile.
        """
        if self._meter is None:
            return Energy(reason=self._reason)
        if seconds < SHORTEST_SECONDS:
            return Energy(
                source=self._meter.source,
                reason=Note(
                    N_("Energy is told from {seconds:.0f} s of measuring on; choose a longer one."),
                    {"seconds": SHORTEST_SECONDS},
                ),
            )
        return Energy(self._used, seconds, images, self._meter.source)
