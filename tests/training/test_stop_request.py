"""Signals are noted, the second one ends at once, and the handlers are as before afterwards."""

import io
import logging
import signal
import threading

import pytest

from facenet_tf.training.stop_request import signals_noted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_noted_and_the_second_one_interrupts(number):
    before = signal.getsignal(number)
    with signals_noted() as request:
        assert request.by is None
        signal.raise_signal(number)
        assert request.by == number.name
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_signal_in_the_middle_of_a_written_line_is_noted(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    lost = []
    with (tmp_path / "log").open("wb", buffering=0) as raw:

        class Slow(io.RawIOBase):
            def writable(self):
                return True

            def write(self, data):
                if request.by is None:
                    signal.raise_signal(signal.SIGTERM)
                return raw.write(data)

        stream = io.TextIOWrapper(io.BufferedWriter(Slow()), write_through=True)
        handler, root = logging.StreamHandler(stream), logging.getLogger()
        handler.handleError = lost.append
        root.addHandler(handler)
        try:
            with signals_noted() as request:
                logging.getLogger("any").warning("a line")
        finally:
            root.removeHandler(handler)
    assert request.by == "SIGTERM"
    assert not lost
    assert (tmp_path / "log").read_text() == "a line\n"


def test_outside_the_main_thread_nothing_is_noted():
    found = []

    def noted():
        with signals_noted() as request:
            found.append(request.by)

    thread = threading.Thread(target=noted)
    thread.start()
    thread.join()
    assert found == [None]
