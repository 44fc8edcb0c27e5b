import functools
from unittest import mock

import pytest

from facenet_tf import models


@pytest.fixture(scope="module")
def built_once():
    """A network of a kind is built once in a file; each test fills all of its layers anew."""
    with mock.patch.object(models, "build", functools.cache(models.build)):
        yield
