"""Several membranes in one tissue."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from heartsim.ionic import (
    Adaptive,
    MitchellSchaeffer,
    Patchwork,
    RushLarsen,
    RushLarsenMidpoint,
    layers,
    ten_tusscher_2006_endo,
    ten_tusscher_2006_epi,
    ten_tusscher_2006_mid,
)

NODES = [np.array([4, 0]), np.array([3, 1, 2])]


@pytest.mark.parametrize(
    "step", [RushLarsen(), RushLarsenMidpoint()], ids=lambda s: type(s).__name__
)
def test_each_node_does_what_its_own_model_does_alone(step):
    models = [MitchellSchaeffer(), ten_tusscher_2006_epi()]
    both = Patchwork(models, NODES)
    V, state = both.initial(5)
    stimulus = jnp.linspace(0.0, 40.0, 5)
    V, state = jax.jit(step)(both, V, state, 0.1, stimulus)
    for model, own, patch in zip(models, NODES, state, strict=True):
        alone, alone_state = jax.jit(step)(model, *model.initial(len(own)), 0.1, stimulus[own])
        np.testing.assert_allclose(V[own], alone, rtol=1e-6)
        for a, b in zip(patch, alone_state, strict=True):
            np.testing.assert_allclose(a[: len(own)], b, rtol=1e-5)  # behind it, padding


def test_adaptive_substeps_serve_patches_too():
    """The patches share their substeps, so they agree with lone models to the tolerance, 0.01."""
    models = [MitchellSchaeffer(), MitchellSchaeffer(tau_in=0.2)]
    both = Patchwork(models, NODES)
    V, _ = Adaptive(0.01)(both, *both.initial(5), 1.0, 60.0)
    for model, own in zip(models, NODES, strict=True):
        alone, _ = Adaptive(0.01)(model, *model.initial(len(own)), 1.0, 60.0)
        np.testing.assert_allclose(V[own], alone, atol=0.01)


def test_nothing_is_scattered():
    both = Patchwork([MitchellSchaeffer(), ten_tusscher_2006_epi()], NODES)
    text = str(jax.make_jaxpr(RushLarsen())(both, *both.initial(5), 0.1))
    assert "gather" in text
    assert "scatter" not in text


def test_gradients_pass_through_the_patches(x64):
    def mean(tau_in):
        both = Patchwork([MitchellSchaeffer(tau_in=tau_in), MitchellSchaeffer()], NODES)
        V, state = both.initial(5)
        return RushLarsenMidpoint()(both, V + 30.0, state, 0.1)[0].mean()

    h = 1e-6
    slope = jax.grad(mean)(jnp.array(0.3))
    assert slope == pytest.approx(float((mean(0.3 + h) - mean(0.3 - h)) / (2 * h)), rel=1e-7)


def test_layers_follow_the_transmural_field():
    three = [ten_tusscher_2006_endo(), ten_tusscher_2006_mid(), ten_tusscher_2006_epi()]
    patches = layers(np.array([0.9, 0.1, 0.5, 0.3, 0.7]), *three, mid_from=0.3, epi_from=0.7)
    own = [np.unique(nodes).tolist() for nodes in patches.nodes]  # padding repeats a node
    assert own == [[1], [2, 3], [0, 4]]
    V, _ = patches.initial(5)
    np.testing.assert_allclose(V, [-85.23, -86.709, -85.423, -85.423, -85.23])
    assert len(layers(np.array([0.0, 1.0]), *three, mid_from=0.5, epi_from=0.5).models) == 2


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda m: Patchwork([m], NODES), "1 models and 2 node sets were given"),
        (lambda m: Patchwork([m, m], [np.array([0, 1]), np.array([1])]), "node 1 is in 2 of"),
        (lambda m: Patchwork([m], [np.array([0, 2])]), "node 1 is in 0 of the node sets"),
        (lambda m: Patchwork([m], [np.array([0, -1])]), "node 1 is in 0 of the node sets"),
        (lambda m: Patchwork([m], [np.array([0])]).initial(2), "holds parameters of 1 nodes"),
        (
            lambda m: layers(np.array([0.0, np.nan]), m, m, m, mid_from=0.3, epi_from=0.7),
            "transmural is nan at node 1",
        ),
        (
            lambda m: layers(np.array([0.0, 1.07, 7.5]), m, m, m, mid_from=0.3, epi_from=0.7),
            r"layers: transmural is 7\.5 at node 2; give 0 to 1 everywhere",
        ),
        (
            lambda m: layers(np.array([0.0]), m, m, m, mid_from=0.7, epi_from=0.3),
            "wanted mid_from <= epi_from",
        ),
    ],
)
def test_bad_input_is_refused_with_its_node(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(MitchellSchaeffer())
