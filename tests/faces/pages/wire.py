"""The network between a tablet and the service: a relay on the loopback that a test can cut, or make lose the answers."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65_536


class Wire:
    """Passes on what comes to its port. While it is cut, nobody answers there."""

    def __init__(self, towards: int) -> None:
        self._towards = towards
        self._ends: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._answers = threading.Event()
        self.port = 0
        self.mend()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        """The network is there, and answers come back."""
        self._answers.set()
        if self._listening is not None:
            return
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(64)
        self.port = listening.getsockname()[1]
        self._listening = listening
        self._start(self._accept, listening)

    def cut(self) -> None:
        """The network is gone: nobody listens, and every connection is closed."""
        listening, self._listening = self._listening, None
        if listening is not None:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for end in list(self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def lose_answers(self) -> None:
        """From now on requests arrive, and their answers do not."""
        self._answers.clear()

    def join(self) -> None:
        """Until nothing is passed on any more."""
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.create_connection(("127.0.0.1", self._towards))
                self._start(self._pass_on, near, far, False)
                self._start(self._pass_on, far, near, True)

    def _pass_on(self, source: socket.socket, target: socket.socket, answers: bool) -> None:  # noqa: FBT001
        self._ends |= {source, target}
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                if not answers or self._answers.is_set():
                    target.sendall(chunk)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        self._ends.discard(source)
        source.close()


@contextmanager
def wire(towards: int) -> Iterator[Wire]:
    """A relay to a port of this machine."""
    made = Wire(towards)
    try:
        yield made
    finally:
        made.cut()
        made.join()
