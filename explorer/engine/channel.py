"""Messages between the server process and a worker, over the worker's two standard pipes.

Pipes rather than a socket: there is no address to find, no key to check, nothing to wait for when
the other side never comes, and the end of either process is an end of file on the other side.
"""

from __future__ import annotations

import pickle
import threading
from typing import Any, BinaryIO

#: Stands for an end of line inside a log record of the worker ("record separator").
LINE_MARK = "\x1e"


class Channel:
    """Sends and receives tuples of plain values.

    Tasks, results and errors travel inside as bytes that their owner pickles and unpickles, so that
    one which cannot be rebuilt spoils itself and not the stream.

    Args:
        reader: Read by one thread.
        writer: Written by any thread.
    """

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()

    def send(self, *message: Any) -> None:
        """Sends one message.

        Raises:
            OSError: The other side is gone.
        """
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        with self._lock:
            try:
                self._writer.write(data)
                self._writer.flush()
            except ValueError as error:  # written to after it was closed
                raise BrokenPipeError(str(error)) from error

    def receive(self) -> tuple[Any, ...]:
        """Waits for the next message.

        Raises:
            EOFError: The other side is gone.
            OSError: Likewise.
        """
        try:
            message: tuple[Any, ...] = pickle.load(self._reader)  # noqa: S301 - our own process
        except (
            pickle.UnpicklingError,
            ValueError,
        ) as error:  # cut in the middle by the other's end
            raise EOFError(str(error)) from error
        return message

    def close(self) -> None:
        """Closes the writing side, which the other side sees as the end."""
        with self._lock:
            try:
                self._writer.close()
            except OSError:  # what was still buffered has nowhere to go
                return
