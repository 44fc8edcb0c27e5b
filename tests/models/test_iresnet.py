"""ArcFace's networks, layer by layer, against insightface's."""

import pytest

from facenet_tf import models
from facenet_tf.models.iresnet import REDUCTION
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import parameters, shapes, weights, zeros

# Of IR-50, with its norms and slopes: per block 2·in + 9·in·out + 2·out + out + 9·out² + 2·out, and
# where the map is halved in·out + 2·out for the shortcut.
PARTS = {
    "stem": 1_728 + 128 + 64,
    "stage1": 226_752,
    "stage2": 1_117_824,
    "stage3": 16_278_272,
    "stage4": 13_118_464,
    "flatten": 1_024,
    "bottleneck": 25_088 * 512 + 512 + 2 * 512,
}
SHAPES = {
    "stem_conv_prelu": (112, 112, 64),
    "stage1_block1_conv1_prelu": (112, 112, 64),
    "stage1_block3_sum": (56, 56, 64),
    "stage2_block1_conv1_prelu": (56, 56, 128),
    "stage2_block4_sum": (28, 28, 128),
    "stage3_block14_sum": (14, 14, 256),
    "stage4_block3_sum": (7, 7, 512),
    "flatten_norm": (7, 7, 512),
    "flatten": (25_088,),
    "bottleneck": (512,),
    "bottleneck_norm": (512,),
}
FILTERS = (64, 64, 128, 256, 512)


def build(name, size=112, **options):
    with zeros():
        return models.build(name, preprocessing=Preprocessing(size=size), **options)


@pytest.fixture(scope="module")
def ir50():
    return build("ir50")


def test_parameters_that_insightface_counts_of_ir50(ir50):
    assert sum(PARTS.values()) == 43_590_848
    assert parameters(ir50.trainable_variables) == 43_590_848


def test_parameters_of_each_stage(ir50):
    counted = dict.fromkeys(PARTS, 0)
    for layer in ir50.layers:
        if layer.trainable_variables:
            counted[layer.name.split("_")[0]] += parameters(layer.trainable_variables)
    assert counted == PARTS


def test_weights_of_each_layer(ir50):
    expected = {"stem_conv": 27 * 64, "bottleneck": 25_088 * 512}
    for stage, blocks in enumerate((3, 4, 14, 3), start=1):
        width, filters = FILTERS[stage - 1], FILTERS[stage]
        expected[f"stage{stage}_block1_shortcut"] = width * filters
        for block in range(1, blocks + 1):
            name = f"stage{stage}_block{block}"
            expected[f"{name}_conv1"] = 9 * (width if block == 1 else filters) * filters
            expected[f"{name}_conv2"] = 9 * filters * filters
    assert weights(ir50) == expected


def test_shapes_of_each_layer(ir50):
    """The second convolution of a stage's first block halves the side, and its shortcut does."""
    expected = {"stem_conv": (112, 64), "stem_conv_norm": (112, 64), "stem_conv_prelu": (112, 64)}
    for stage, blocks in enumerate((3, 4, 14, 3), start=1):
        width, filters, side = FILTERS[stage - 1], FILTERS[stage], 112 >> stage
        for block in range(1, blocks + 1):
            name, before = f"stage{stage}_block{block}", 2 * side if block == 1 else side
            expected[f"{name}_norm"] = (before, width if block == 1 else filters)
            for part in ("conv1", "conv1_norm", "conv1_prelu"):
                expected[f"{name}_{part}"] = (before, filters)
            shortcut = ("shortcut", "shortcut_norm") if block == 1 else ()
            for part in ("conv2", "conv2_norm", "sum", *shortcut):
                expected[f"{name}_{part}"] = (side, filters)
    found = {
        name: shape
        for name, shape in shapes(ir50).items()
        if name.startswith(("stem", "stage")) and not name.endswith("_pad")
    }
    assert found == {name: (side, side, filters) for name, (side, filters) in expected.items()}


def test_shapes(ir50):
    found = shapes(ir50)
    assert {name: found[name] for name in SHAPES} == SHAPES


def test_order_within_a_block(ir50):
    names = [layer.name for layer in ir50.layers if layer.name.startswith("stage3_block7_")]
    assert [name.removeprefix("stage3_block7_") for name in names] == [
        "norm",
        "conv1",
        "conv1_norm",
        "conv1_prelu",
        "conv2",
        "conv2_norm",
        "sum",
    ]


def test_ends_as_the_reference(ir50):
    names = [layer.name for layer in ir50.layers]
    ending = ["flatten_norm", "flatten", "dropout", "bottleneck", "bottleneck_norm", "embedding"]
    assert names[-6:] == ending
    last = ir50.get_layer("bottleneck_norm")
    assert last.center and last.scale
    assert ir50.get_layer("bottleneck").use_bias


@pytest.mark.parametrize(
    ("name", "counted", "blocks"),
    [
        ("ir18", 24_025_600, (2, 2, 2, 2)),
        ("ir34", 34_139_328, (3, 4, 6, 3)),
        pytest.param("ir100", 65_156_160, (3, 13, 30, 3), marks=pytest.mark.slow),
    ],
)
def test_parameters_that_insightface_counts(name, counted, blocks):
    model = build(name)
    assert parameters(model.trainable_variables) == counted
    found = shapes(model)
    for stage, count in enumerate(blocks, start=1):
        assert f"stage{stage}_block{count}_sum" in found
        assert f"stage{stage}_block{count + 1}_sum" not in found


def test_attention_is_all_that_ir_se50_has_besides(ir50):
    attentive = build("ir_se50")
    more = parameters(attentive.trainable_variables) - parameters(ir50.trainable_variables)
    # Two convolutions with biases, and the slopes in between.
    each = {
        filters: 2 * filters * filters // 16 + filters + 2 * filters // 16 for filters in FILTERS
    }
    assert more == 3 * each[64] + 4 * each[128] + 14 * each[256] + 3 * each[512]
    assert REDUCTION == 16
    names = [layer.name for layer in attentive.layers if layer.name.startswith("stage1_block2_")]
    before = names.index("stage1_block2_conv2_norm")
    assert names[before + 1] == "stage1_block2_attention_pool"
    assert names[-2:] == ["stage1_block2_attention_scale", "stage1_block2_sum"]


@pytest.mark.parametrize(("head", "features"), [("gap", 512), ("depthwise", 512), ("dense", 8192)])
def test_heads_and_smaller_crops(head, features):
    model = build("ir18", 64, head=head, embedding_size=64)
    assert model.get_layer("bottleneck").kernel.shape == (features, 64)
