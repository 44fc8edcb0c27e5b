import pytest


@pytest.fixture(params=[False, True], ids=["graph", "jit"])
def jit(request):
    return request.param
