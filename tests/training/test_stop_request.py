"""Signals are noted, the second one ends at once, and the handlers are as before afterwards."""

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


def test_outside_the_main_thread_nothing_is_noted():
    found = []

    def noted():
        with signals_noted() as request:
            found.append(request.by)

    thread = threading.Thread(target=noted)
    thread.start()
    thread.join()
    assert found == [None]
