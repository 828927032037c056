"""One database of measurements: opened, brought to the present schema, failures as sentences."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock, Timeout
from platformdirs import user_data_path
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import NullPool

from explorer.errors import MeasurementError
from explorer.i18n import N_
from explorer.settings import get_settings

logger = logging.getLogger(__name__)
# It says at every opening what kind of database it has found.
logging.getLogger("alembic").setLevel(logging.WARNING)

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
#: Seconds that a connection to a server may take.
CONNECT_SECONDS = 5
#: Names the migrations among a PostgreSQL server's advisory locks.
LOCK_KEY = 0x636E6E65


def default_url() -> URL:
    """``EXPLORER_DATABASE_URL``, else the file in the user's data folder."""
    setting = get_settings().database_url
    if setting:
        return parse_url(setting)
    return URL.create(
        "sqlite", database=str(user_data_path("convnet-explorer") / "measurements.sqlite")
    )


def parse_url(text: str) -> URL:
    """The URL, with psycopg as PostgreSQL's driver unless another one is named.

    Raises:
        MeasurementError: It is no database URL.
    """
    try:
        url = make_url(text)
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        url.get_dialect()
    except (exc.ArgumentError, exc.NoSuchModuleError, ValueError, ImportError) as error:
        raise MeasurementError(
            N_(
                "“{url}” is no database URL that can be used; set EXPLORER_DATABASE_URL to one "
                "like sqlite:////folder/file.sqlite or postgresql://user:password@host/name."
            ),
            url=_without_password(text),
        ) from error
    return url


def _without_password(text: str) -> str:
    """The text without what stands between the first colon after :// and the @."""
    head, mark, rest = text.partition("://")
    login, at, place = rest.rpartition("@")
    return f"{head}{mark}{login.partition(':')[0]}{at}{place}" if at else text


class Database:
    """Connections to one database; made on first use, so that a wrong URL harms nobody before.

    Args:
        url: None for that of the settings.
        timeout: Seconds to wait while another process writes into the same file.
    """

    def __init__(self, url: str | None = None, timeout: float = 10.0) -> None:
        self.url = default_url() if url is None else parse_url(url)
        self._timeout = timeout
        self._engine: Engine | None = None
        self._current = False

    @property
    def name(self) -> str:
        """How it is called in a sentence; without the password."""
        file = self.file
        return str(file) if file is not None else self.url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """Of an SQLite database; None for a server, and for one in memory."""
        name = self.url.database or ""
        if self.url.get_backend_name() != "sqlite" or name in ("", ":memory:"):
            return None
        return Path(name.removeprefix("file:").partition("?")[0])

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that reads.

        Raises:
            MeasurementError: Says what is wrong with the database.
        """
        with self.sentences():
            self._prepare()
            with self.engine.connect() as connection:
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction that is kept at the end, and undone after an error.

        Raises:
            MeasurementError: Says what is wrong with the database; nothing was written.
        """
        with self.sentences():
            self._prepare()
            with self._write() as connection:
                yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        connection = self.engine.connect().execution_options(explorer_writes=True)
        with connection, connection.begin():
            yield connection

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's; every use opens a connection of its own."""
        if self._engine is None:
            if self.url.get_backend_name() == "sqlite":
                self._engine = sa.create_engine(
                    self.url, poolclass=NullPool, connect_args={"timeout": self._timeout}
                )
                event.listen(self._engine, "connect", _sqlite_connected)
                event.listen(self._engine, "begin", _sqlite_begins)
            else:
                options: dict[str, Any] = {}
                if self.url.drivername == "postgresql+psycopg":
                    options["connect_timeout"] = CONNECT_SECONDS
                self._engine = sa.create_engine(self.url, poolclass=NullPool, connect_args=options)
        return self._engine

    def _prepare(self) -> None:
        """The first time: makes the tables, or brings them to the present schema."""
        file = self.file
        if self._current and file is not None and not file.exists():
            self._current = False
            raise MeasurementError(
                N_(
                    "The database {name} is gone; the next measurement begins a new one. Save this "
                    "one as a file."
                ),
                name=self.name,
            )
        if self._current:
            return
        if file is not None and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        script = ScriptDirectory.from_config(config)
        known = {step.revision for step in script.walk_revisions()}
        with self.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        self._refuse_newer(found, known)
        if found != script.get_current_head():
            with self._alone():
                self._migrate(config, script)
        self._current = True

    def _refuse_newer(self, found: str | None, known: set[str]) -> None:
        if found is not None and found not in known:
            raise MeasurementError(
                N_(
                    "The database {name} was written by a newer version of ConvNet Explorer "
                    "(schema {found}); update the app, or name another database with "
                    "EXPLORER_DATABASE_URL."
                ),
                name=self.name,
                found=found,
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process migrates the same file meanwhile."""
        file = self.file
        if file is None:
            yield
            return
        with FileLock(f"{file}.lock", timeout=self._timeout):
            with self.engine.connect() as connection:
                # Set once, it stays with the file: readers do not wait for a writer.
                connection.connection.dbapi_connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[union-attr]
            yield

    def _migrate(self, config: Config, script: ScriptDirectory) -> None:
        def steps(revision: Any, _context: Any) -> Any:
            return script._upgrade_revs("head", revision)

        with self._write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({LOCK_KEY})"))
            with EnvironmentContext(config, script, fn=steps) as environment:
                environment.configure(connection=connection)
                environment.run_migrations()
        logger.info("the database %s is at schema %s", self.name, script.get_current_head())

    @contextmanager
    def sentences(self) -> Iterator[None]:
        """Failures of the database become one sentence each."""
        try:
            yield
        except Timeout as error:
            raise self._error(_LOCKED) from error
        except exc.SQLAlchemyError as error:
            logger.warning("the database %s failed", self.name, exc_info=error)
            self._current = self._current and "no such table" not in str(error)
            raise self._error(self._message(error), reason=_reason(error)) from error
        except OSError as error:
            logger.warning("the database %s cannot be opened", self.name, exc_info=error)
            raise self._error(_CANNOT_OPEN, reason=error.strerror or str(error)) from error

    def _message(self, error: exc.SQLAlchemyError) -> str:
        text = _reason(error).lower()
        for part, message in _SENTENCES:
            if part in text:
                return message
        server = self.url.get_backend_name() != "sqlite"
        if server and isinstance(error, exc.OperationalError) and not error.statement:
            return _UNREACHABLE
        return _OTHER

    def _error(self, message: str, **values: Any) -> MeasurementError:
        return MeasurementError(message, name=self.name, **values)


def _reason(error: BaseException) -> str:
    """The driver's own words, in one line."""
    text = str(getattr(error, "orig", None) or error).strip()
    return (text.splitlines() or [type(error).__name__])[0].rstrip(".")[:200]


_LOCKED = N_("The database {name} is locked by another program; close it and try again.")
_CANNOT_OPEN = N_(
    "The database {name} cannot be opened ({reason}); name another with EXPLORER_DATABASE_URL."
)
_UNREACHABLE = N_(
    "The database {name} cannot be reached ({reason}); start it, or correct EXPLORER_DATABASE_URL."
)
_OTHER = N_("The database {name} answers “{reason}”; the measurement can be saved as a file.")
_FULL = N_("There is no room left for the database {name}; free some, or save it as a file.")
_READ_ONLY = N_(
    "The database {name} cannot be written to; allow it, or name another with "
    "EXPLORER_DATABASE_URL."
)
_GONE = N_(
    "The database {name} has lost its tables; the next measurement makes them anew. Save this one "
    "as a file."
)
_NO_DATABASE = N_(
    "The file {name} is no database of measurements; move it away, or name another with "
    "EXPLORER_DATABASE_URL."
)
_SENTENCES = (
    ("database is locked", _LOCKED),
    ("disk is full", _FULL),
    ("no space left", _FULL),
    ("could not extend file", _FULL),
    ("readonly database", _READ_ONLY),
    ("read-only transaction", _READ_ONLY),
    ("unable to open database file", _CANNOT_OPEN),
    ("no such table", _GONE),
    ("file is not a database", _NO_DATABASE),
    ("malformed", _NO_DATABASE),
)


def _sqlite_connected(connection: Any, _record: Any) -> None:
    # Transactions are begun below: the driver's own way begins none before a read or a CREATE.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")


def _sqlite_begins(connection: Connection) -> None:
    # A writer asks for the right to write at once: asked for later it may be refused midway.
    writes = connection.get_execution_options().get("explorer_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
