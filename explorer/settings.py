"""All configuration, from environment variables that start with ``EXPLORER_``."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from explorer.errors import SettingsError
from explorer.i18n import N_

# A host by name or address; of version 6 in brackets.
ENGINE = re.compile(r"local|ray|ray://(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}")


class Settings(BaseSettings):
    """Every setting with its default; ``EXPLORER_DEVICE=cpu`` sets ``device``.

    Attributes:
        device: "auto" (CUDA, then MPS, then CPU), "cpu", "mps", "cuda" or "cuda:N".
        engine: Where heavy calls run: "local" (a process on this machine), "ray" (the Ray cluster
            that runs here, else one that is started), "ray://HOST:PORT" (one that runs elsewhere).
        model_budget: Bytes that loaded models may take; None for a third of the free memory.
        cache_dir: Where traces are kept.
        result_cache_mb: Mebibytes of finished results kept in the server process.
        threads: Intra-op threads of a worker; None for the number of physical cores.
        max_image_mb: Mebibytes of an uploaded file.
        max_image_pixels: Pixels of an uploaded image; where it is not set, public mode takes half.
        download_timeout: Seconds without a byte after which a download is given up.
        offline: True never opens a connection for weights.
        database_url: Where measurements are kept, as SQLAlchemy names it
            ("postgresql://user:password@host/name"); None for a file in the user's data folder.
        models: "package.module:function" that registers networks of one's own; None for none.
        max_weights_mb: Mebibytes of an uploaded file of weights.
        public: True for a server that strangers use: the limits below hold, sweeps and settings
            are closed, uploads stay in memory.
        offered: In public mode, catalog ids that may be opened, with wildcards and commas
            ("resnet*,vit_b_16"); "*" for all.
        max_jobs_per_visitor: In public mode, jobs that one visitor may have waiting and running.
        max_jobs: In public mode, jobs that may wait and run in all.
        max_job_seconds: In public mode, seconds after which a running job is ended.
        max_batch: In public mode, images at once in a timing.
        jobs_per_minute: In public mode, jobs that one visitor may begin a minute.
        jobs_per_minute_per_address: In public mode, the same for all visitors of one network
            address: an audience in one hall shares one.
        tour: YAML file with the steps of the talk mode; None for the story that ships.
        log: "text" for people, or "json" for one JSON object a line; never with file names,
            addresses or image content.
    """

    model_config = SettingsConfigDict(env_prefix="EXPLORER_", extra="ignore")

    device: str = "auto"
    engine: str = "local"
    model_budget: int | None = Field(default=None, gt=0)
    cache_dir: Path = user_cache_path("convnet-explorer")
    result_cache_mb: int = Field(default=256, gt=0)
    threads: int | None = Field(default=None, gt=0)
    max_image_mb: int = Field(default=20, gt=0)
    max_image_pixels: int = Field(default=50_000_000, gt=0)
    download_timeout: float = Field(default=20.0, gt=0)
    offline: bool = False
    database_url: str | None = None
    models: str | None = None
    max_weights_mb: int = Field(default=600, gt=0)
    public: bool = False
    offered: str = "*"
    max_jobs_per_visitor: int = Field(default=4, gt=0)
    max_jobs: int = Field(default=100, gt=0)
    max_job_seconds: float = Field(default=60.0, gt=0)
    max_batch: int = Field(default=32, gt=0)
    jobs_per_minute: int = Field(default=60, gt=0)
    jobs_per_minute_per_address: int = Field(default=1200, gt=0)
    tour: Path | None = None
    log: Literal["text", "json"] = "text"

    @field_validator("engine")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if not ENGINE.fullmatch(value):
            raise ValueError("it is none of local, ray and ray://HOST:PORT")
        return value

    @model_validator(mode="after")
    def _halve_pixels(self) -> Settings:
        """In public mode no upload may cost more than 300 MB, half the pixels then."""
        if self.public and "max_image_pixels" not in self.model_fields_set:
            self.max_image_pixels //= 2
        return self


@cache
def get_settings() -> Settings:
    """The settings, read once.

    Raises:
        SettingsError: A variable has a value that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise unusable(error)[0] from error


def unusable(error: ValidationError) -> list[SettingsError]:
    """A sentence for each setting that has a value that cannot be used."""
    return [
        SettingsError(
            N_("The setting {name}={value} cannot be used: {reason}. Change or unset it."),
            name="EXPLORER_" + "_".join(str(part) for part in found["loc"]).upper(),
            value=found["input"],
            reason=found["msg"].removeprefix("Value error, "),
        )
        for found in error.errors()
    ]
