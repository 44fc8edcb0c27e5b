"""One contender of benchmarks/training.py: the train step of one library, in this process.

    python benchmarks/training_worker.py LIBRARY --form FORM --precision P --people N

Prints that it is ready; then each line read is a number of steps to take, and the answer their
seconds. Imports NumPy and the one library, so that it runs in any environment. Both take the same
step: uint8 crops to network input, Inception-ResNet-v1 of 512 dimensions without dropout,
batch-hard triplets with a soft margin on plain distances (Hermans et al. 2017), AdamW.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import sys
import types
from collections.abc import Callable

import numpy as np
from losses_worker import answer, serve

SIZE, EMBEDDING, EACH, RATE, DECAY = 160, 512, 4, 1e-4, 0.004

Step = Callable[[], float]
"""Takes one step and gives its loss."""


def ours(form: str, precision: str, people: int) -> Step:
    """The step of `train.py`, with XLA where `form` says: on, loss or off."""
    from training_step import ready_step

    policy = "mixed_bfloat16" if precision == "bfloat16" else precision
    step = ready_step(
        "inception_resnet_v1", SIZE, people, policy, form, rate=RATE, each=EACH, embedding=EMBEDDING
    )
    return lambda: float(step()["loss"])


def facenet_pytorch(form: str, precision: str, people: int) -> Step:
    """The same with its network, in the layout that `form` says: contiguous or channels_last."""
    import torch

    # The package itself wants torchvision, which only its detector needs.
    package = types.ModuleType("facenet_pytorch")
    package.__path__ = list(importlib.util.find_spec("facenet_pytorch").submodule_search_locations)
    sys.modules["facenet_pytorch"] = package
    from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1

    torch.manual_seed(0)
    layout = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}[form]
    model = InceptionResnetV1(dropout_prob=0.0).train().to(memory_format=layout)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    labels = torch.arange(people).repeat_interleave(EACH)
    same = labels[:, None] == labels[None, :]
    pixels = np.random.default_rng(0).integers(0, 256, (people * EACH, 3, SIZE, SIZE))
    batch = torch.from_numpy(pixels.astype(np.uint8)).contiguous(memory_format=layout)

    def step() -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            embeddings = model((batch.float() - 127.5) / 128)
        rows = embeddings.float()
        distances = torch.cdist(rows, rows)
        farthest = distances.masked_fill(~same, 0.0).amax(1)
        nearest = distances.masked_fill(same, torch.inf).amin(1)
        loss = torch.nn.functional.softplus(farthest - nearest).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


LIBRARIES = {
    "ours": (ours, "tensorflow"),
    "facenet-pytorch": (facenet_pytorch, "facenet-pytorch"),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("--form", required=True)
    parser.add_argument("--precision", required=True)
    parser.add_argument("--people", type=int, required=True)
    given = parser.parse_args()
    prepared, package = LIBRARIES[given.library]
    try:
        step = prepared(given.form, given.precision, given.people)
        serve(step, version=importlib.metadata.version(package))
    except Exception as error:
        answer({"failed": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"})


if __name__ == "__main__":
    main()
