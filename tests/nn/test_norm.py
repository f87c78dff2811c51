"""A normalised layer has torch's values and gradients, at any number of threads."""

from __future__ import annotations

import torch
from torch.nn import functional

from matinee.nn.norm import layer_norm
from matinee.nn.threads import torch_threads


def gradients(values: torch.Tensor, threads: int) -> list[torch.Tensor]:
    dim = values.shape[-1]
    parts = [values.clone().requires_grad_(), torch.linspace(0.5, 2, dim).requires_grad_(),
             torch.linspace(-1, 1, dim).requires_grad_()]
    with torch_threads(threads):
        out = layer_norm(*parts, 1e-5)
        (out * torch.sin(torch.arange(out.numel()).reshape(out.shape))).sum().backward()
    return [out.detach(), *(part.grad for part in parts if part.grad is not None)]


def test_values_and_gradients_are_those_of_torch() -> None:
    values = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    gain, shift = torch.rand(8, dtype=torch.float64) + 0.5, torch.rand(8, dtype=torch.float64)
    parts = [part.clone().requires_grad_() for part in (values, gain, shift)]
    assert torch.equal(layer_norm(*parts, 1e-5), functional.layer_norm(values, (8,), gain, shift, 1e-5))
    assert torch.autograd.gradcheck(lambda *three: layer_norm(*three, 1e-5), parts)


def test_threads_change_no_bit() -> None:
    values = torch.randn(40, 50, 64, generator=torch.Generator().manual_seed(1))
    for one, two in zip(gradients(values, 1), gradients(values, 2), strict=True):
        assert torch.equal(one, two)
