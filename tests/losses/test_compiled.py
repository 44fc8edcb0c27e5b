"""What XLA makes of loss and gradient, read from the compiled program itself."""

import re

import pytest
import tensorflow as tf

from facenet_tf.losses import batch_hard_triplet, embedding_health, mean_loss

ROWS, SIZE = 24, 16


@pytest.fixture(scope="module")
def step():
    @tf.function(jit_compile=True)
    def step(rows, labels):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            result = batch_hard_triplet(rows, labels, margin="soft")
            loss = mean_loss(result)
        return loss, tape.gradient(loss, rows), embedding_health(rows, result)

    return step


@pytest.fixture(scope="module")
def batch():
    rows = tf.math.l2_normalize(tf.random.stateless_normal([ROWS, SIZE], [1, 2]), axis=1)
    return rows, tf.range(ROWS, dtype=tf.int64) // 4


@pytest.fixture(scope="module", params=["hlo", "optimized_hlo"])
def program(request, step, batch):
    return step.experimental_get_compiler_ir(*batch)(stage=request.param)


def test_loss_gradient_and_health_are_one_program(program):
    assert program.count("HloModule") == 1
    result = re.search(r"ENTRY .*?->\s*\((.*?)\)\s*\{", program, re.DOTALL)
    assert result, program[:2000]
    shapes = re.findall(r"(\w+\[[\d,]*\])", result.group(1))
    assert sorted(shapes) == sorted([f"f32[{ROWS},{SIZE}]", *["f32[]"] * 6])


def test_mining_is_inside(program):
    assert f"f32[{ROWS},{ROWS}]" in program
    assert f"pred[{ROWS},{ROWS}]" in program
    assert "reduce(" in program


def test_gram_matrix_is_a_matrix_product(step, batch):
    program = step.experimental_get_compiler_ir(*batch)(stage="hlo")
    assert re.search(rf"f32\[{ROWS},{ROWS}\]\S* dot\(", program)


def test_nothing_leaves_the_program(program):
    for instruction in ("infeed", "outfeed", "send(", "recv(", "xla_python", "callback"):
        assert instruction not in program


def test_no_tensor_holds_all_triplets(program):
    assert f"[{ROWS},{ROWS},{ROWS}]" not in program
    assert f"[{ROWS},{ROWS},{SIZE}]" not in program


def test_shapes_are_static(program):
    assert "<=" not in program


def test_result_is_that_of_the_graph(step, batch):
    graph = tf.function(step.python_function)
    for compiled, plain in zip(
        tf.nest.flatten(step(*batch)), tf.nest.flatten(graph(*batch)), strict=True
    ):
        tf.debugging.assert_near(compiled, plain, rtol=1e-5, atol=1e-6)
