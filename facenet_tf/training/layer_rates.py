"""Learning rates of their own for some variables, with any of Keras' optimisers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras

# Variables with the multiple of the learning rate that they descend by.
Rates = Sequence[tuple[Any, float]]


def with_layer_rates(
    kind: type[keras.optimizers.Optimizer], rates: Rates
) -> type[keras.optimizers.Optimizer]:
    """The same optimiser, whose learning rate of some variables is a multiple of the schedule's.

    A factor on the gradient would not do: Adam, Adagrad and LAMB divide by the gradient's size.
    Weight decay, which goes with the rate, is multiplied as well. Keras reads the rate as the
    attribute `learning_rate`, in version 3 also as an argument of `update_step`: both are
    multiplied while a variable's update is built.

    Args:
        kind: one of Keras' classes.
        rates: variables with their multiples.
    """
    multiples: dict[Any, float] = {}

    class LayerRates(kind):  # type: ignore[misc, valid-type]
        _multiple = 1.0

        def build(self, variables: Any) -> None:
            multiples.update({self._var_key(variable): rate for variable, rate in rates})
            super().build(variables)

        @property
        def learning_rate(self) -> Any:
            return super().learning_rate * self._multiple

        def update_step(self, gradient: Any, variable: Any, *rate: Any) -> None:
            with self._at_the_rate_of(variable):
                super().update_step(gradient, variable, *(each * self._multiple for each in rate))

        def _apply_weight_decay(self, variables: Any) -> None:
            for variable in variables:
                with self._at_the_rate_of(variable):
                    super()._apply_weight_decay([variable])

        @contextlib.contextmanager
        def _at_the_rate_of(self, variable: Any) -> Iterator[None]:
            self._multiple = multiples.get(self._var_key(variable), 1.0)
            try:
                yield
            finally:
                self._multiple = 1.0

    LayerRates.__name__ = LayerRates.__qualname__ = kind.__name__
    return LayerRates
