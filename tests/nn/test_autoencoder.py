"""The networks are those of the papers, with their gradients; the stored form says the same without torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from matinee.contract import Queries
from matinee.models.dae import DAE
from matinee.models.multi_dae import MultiDAE
from matinee.models.multi_vae import MultiVAE
from matinee.models.rec_vae import RecVAE
from matinee.models.vae import VAE
from matinee.nn.autoencoder import AutoencoderNet, Layout, Pass, seeded
from matinee.nn.composite_prior import from_composite
from matinee.nn.output import output_loss
from matinee.nn.reconstruction import Autoencoding, from_standard_normal
from matinee.scoring.autoencoder import Autoencoder, inputs
from tests.numerics.logs import random_log
from tests.reference import autoencoders as reference

I = 37
LOG = random_log(6, 60, I, 500, weighted=True)
"""Users without a history among them."""

Twin = Callable[[reference.Arrays, reference.Numbers], reference.Numbers]
LAYOUTS: dict[str, tuple[Layout, Twin]] = {
    "dae": (DAE(dim=5).layout(I, variational=False, scale="none"),
            partial(reference.shallow, activation="tanh")),
    "multi_dae": (MultiDAE(dim=5, activation="sigmoid").layout(I, variational=False, scale="l2"),
                  partial(reference.shallow, activation="sigmoid")),
    "multi_dae, a layer": (MultiDAE(dim=5, hidden=(9,), activation="relu").layout(I, variational=False, scale="l2"),
                           partial(reference.mirrored, activation="relu")),
    "vae": (VAE(dim=5).layout(I, variational=True, scale="l2"), reference.linear_code),
    "multi_vae": (MultiVAE(dim=5, hidden=(9,), activation="tanh").layout(I, variational=True, scale="l2"),
                  partial(reference.mirrored, activation="tanh")),
    "rec_vae": (RecVAE(dim=5, hidden=(9,) * 5).deep_layout(I), reference.five_layers),
}


def shaken(layout: Layout) -> AutoencoderNet:
    """With biases, gains and shifts that are not the 0 and 1 they start with."""
    net, generator = AutoencoderNet(layout, seeded(3)), seeded(4)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return net


def arrays(form: Autoencoder) -> dict[str, reference.Numbers]:
    named = {"table": form.table, "output": form.output, "bias": form.bias, **form.layers}
    return {name: array.astype(np.float64) for name, array in named.items()}


def histories(scale: str) -> NDArray[np.float64]:
    """(U, I) what goes into the twin."""
    had = (LOG.matrix().toarray() > 0).astype(np.float64)
    return np.array([reference.one_long(x) for x in had]) if scale == "l2" else had


@pytest.mark.parametrize("name", LAYOUTS)
def test_network_stored_form_and_slow_twin_agree(name: str) -> None:
    layout, twin = LAYOUTS[name]
    net = shaken(layout)
    form = net.scorer()
    stored = form.score(Queries.of(LOG))
    want = np.array([twin(arrays(form), x) for x in histories(layout.scale)])
    with torch.no_grad():
        passed = net(inputs(LOG.matrix(), layout.scale), None)
        asked = passed.hidden @ net.output.T + net.output_bias
    np.testing.assert_allclose(stored, want, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(asked.numpy(), want, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(form.vectors(Queries.of(LOG)), passed.mean.numpy() * (LOG.counts > 0)[:, None],
                               rtol=1e-5, atol=1e-5)


def plain(part: dict[str, Tensor], layout: Layout, x: Tensor, noise: Tensor | None) -> tuple[Tensor, Pass]:
    """Scores (B, I) by dense tensors, left to autograd; and the pass."""
    functions = {"none": lambda t: t, "swish": lambda t: t * torch.sigmoid(t), "tanh": torch.tanh,
                 "relu": torch.relu, "sigmoid": torch.sigmoid}
    outputs: list[Tensor] = []
    passed = None
    for n, activation in enumerate(layout.activations):
        t = x @ part["table"] if n == 0 else outputs[-1] @ part[f"weights.{n - 1}"].T
        t = functions[activation](t + part[f"biases.{n}"] + (sum(outputs) if 0 < n <= layout.skips else 0))
        if n < layout.norms:
            t = functional.layer_norm(t, t.shape[1:], part[f"gains.{n}"], part[f"shifts.{n}"], 0.1)
        if n == layout.code and noise is not None:
            mean, log_variance = t[:, : layout.widths[n]], t[:, layout.widths[n] :]
            t = mean + noise * torch.exp(log_variance / 2)
            passed = Pass(t, mean, log_variance, t)
        outputs.append(t)
    return outputs[-1] @ part["output"].T + part["output_bias"], passed or Pass(outputs[-1], outputs[layout.code])


@pytest.mark.parametrize("name", LAYOUTS)
def test_gradients_of_a_whole_step_are_those_of_autograd_on_dense_tensors(name: str) -> None:
    layout, _ = LAYOUTS[name]
    net, observed = shaken(layout), LOG.matrix()
    passed = net(inputs(observed, layout.scale), seeded(8))
    loss = output_loss(passed.hidden, net.output, net.output_bias, observed, "multinomial", 60)
    noise, old = None, Pass(torch.zeros(1), torch.full((60, 5), 0.2), torch.full((60, 5), -0.4))
    if layout.variational:
        distance = from_composite(passed, old) if layout.norms else from_standard_normal(passed)
        loss = loss + 0.3 * distance.mean()
        noise = torch.randn((60, 5), generator=seeded(8)).double()
    loss.backward()
    part = {name: parameter.detach().double().requires_grad_() for name, parameter in net.named_parameters()}
    scores, other = plain(part, layout, torch.from_numpy(histories(layout.scale)), noise)
    want = -(torch.from_numpy(observed.toarray()).double() * functional.log_softmax(scores, 1)).sum() / 60
    if layout.variational:
        want = want + 0.3 * (from_composite(other, old) if layout.norms else from_standard_normal(other)).mean()
    want.backward()
    assert float(loss.detach()) == pytest.approx(float(want.detach()), rel=1e-5)
    for place, parameter in net.named_parameters():
        gradient = part[place].grad
        assert gradient.abs().sum() > 0, place  # type: ignore[union-attr]
        torch.testing.assert_close(parameter.grad.double(), gradient, rtol=1e-3, atol=1e-5, msg=place)


def test_the_distance_from_the_normal_distribution_is_the_integral() -> None:
    mean, log_variance = torch.tensor([[0.0, 0.0], [1.5, -0.3], [0.2, 3.0]]), torch.tensor([[0, 0], [0.4, -2], [1, -1]])
    got = from_standard_normal(Pass(mean, mean, log_variance))
    assert float(got[0]) == 0
    want = [reference.from_standard_normal(*rows) for rows in zip(mean.double().numpy(), log_variance.double().numpy(),
                                                                  strict=True)]
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


def composite(seed: int, n: int) -> tuple[Pass, Pass]:
    mean, log_variance, old, old_log_variance, noise = torch.randn((5, n, 4), generator=seeded(seed))
    z = mean + noise * torch.exp(log_variance / 2)
    return Pass(z, mean, log_variance, z), Pass(old, old, old_log_variance)


def test_the_distance_from_the_composite_prior_is_that_of_the_slow_twin() -> None:
    passed, before = composite(5, 6)
    parts = passed.drawn, passed.mean, passed.log_variance, before.mean, before.log_variance
    rows = zip(*(part.double().numpy() for part in parts if part is not None), strict=True)
    np.testing.assert_allclose(from_composite(passed, before), [reference.from_composite(*row) for row in rows],
                               rtol=1e-4, atol=1e-5)


def test_a_code_far_from_everything_has_a_distance() -> None:
    far = Pass(torch.zeros(1), torch.full((1, 4), 1e3), torch.full((1, 4), -9.0), torch.full((1, 4), 1e3))
    near = Pass(torch.zeros(1), torch.zeros((1, 4)), torch.full((1, 4), -9.0))
    assert bool(torch.isfinite(from_composite(far, near)).all())


def test_a_drawn_code_has_the_mean_and_the_variance_that_the_layer_says() -> None:
    layout, _ = LAYOUTS["vae"]
    net, one = shaken(layout), inputs(LOG.matrix()[np.full(20_000, np.argmax(LOG.counts))], "l2")
    with torch.no_grad():
        passed = net(one, seeded(1))
    assert passed.drawn is not None
    assert passed.log_variance is not None
    spread = torch.exp(passed.log_variance[0] / 2)
    assert bool(((passed.drawn.mean(0) - passed.mean[0]).abs() < 4 * spread / 20_000**0.5).all())
    torch.testing.assert_close(passed.drawn.std(0), spread, rtol=0.03, atol=0)
    with torch.no_grad():
        assert torch.equal(net(one, seeded(1)).hidden, passed.drawn)  # the output reads what was drawn
        assert torch.equal(net(one, None).hidden, passed.mean)


@pytest.mark.parametrize("recipe", [DAE(), MultiDAE(hidden=(300,)), MultiVAE(), VAE()], ids=lambda r: type(r).__name__)
def test_the_layers_before_the_code_are_mirrored_after_it(recipe: Autoencoding) -> None:
    layout = recipe.layout(I, variational=False, scale="l2")
    assert layout.widths == layout.widths[::-1]
    assert layout.widths[layout.code] == recipe.dim
    assert {layout.activations[n] for n in range(len(layout.widths)) if n != layout.code} <= {recipe.activation}
