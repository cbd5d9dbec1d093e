"""A model whose weights are divided among several processes, by torch's `fully_shard`, and tensors of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evoengine.rl._scoring import packed, scored_as_a_whole


def shard(model: Any, mesh: Any) -> None:
    """Divides a model of transformers among the processes of a mesh, each of which calls this with the same weights.

    Its layers are gathered one at a time where they are needed, so that only they and what belongs to no layer (the
    embeddings and the last layer) are ever whole on a device. Nothing stays gathered between two calls: it would be
    what the weights were before a step of the optimizer.
    """
    from torch.distributed.fsdp import fully_shard

    layers = set(getattr(model, "_no_split_modules", None) or ())
    for module in list(model.modules()):
        if type(module).__name__ in layers:
            fully_shard(module, mesh=mesh, reshard_after_forward=True)
    fully_shard(model, mesh=mesh, reshard_after_forward=True)
    scored_as_a_whole(model)


def undivided(tensor: Any) -> Any:
    """The whole of a tensor that may be divided; then all processes have to ask for it together."""
    from torch.distributed.tensor import DTensor

    return tensor.detach().full_tensor() if isinstance(tensor, DTensor) else tensor.detach()


def own(tensor: Any) -> Any:
    """The part of a tensor that this process holds, sharing its memory: all of it where it is not divided."""
    from torch.distributed.tensor import DTensor

    return tensor.detach().to_local() if isinstance(tensor, DTensor) else tensor.detach()


def divided(tensor: Any, like: Any) -> Any:
    """A whole tensor as `like` is divided, where that is so and the two have one shape."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(like, DTensor) or tensor.shape != like.shape:
        return tensor
    return distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)


def put_back(part: Any, like: Any) -> Any:
    """What `own` gave of a tensor with the shape of `like`, as such a tensor again; others (numbers) as they are."""
    import torch

    if part.shape != own(like).shape:
        return part
    found = torch.empty_like(like)
    own(found).copy_(part)
    return found


def portioned(lengths: Sequence[int], most: int, processes: int) -> list[list[list[int]]]:
    """Of each process, its micro-batches of a batch, by index: as many for everyone, as their gradients are added up.

    Micro-batches are halved until their number can be divided by that of the processes; where there are too few
    sequences for that some micro-batches are empty, and whoever has one has to take part all the same.
    """
    every = packed(lengths, most)
    while len(every) % processes:
        largest = max(range(len(every)), key=lambda at: (len(every[at]) > 1, lengths[every[at][0]] * len(every[at])))
        some = every[largest]
        if len(some) == 1:
            every += [[] for _ in range(-len(every) % processes)]
            break
        every[largest : largest + 1] = [some[: len(some) // 2], some[len(some) // 2 :]]
    return [every[at::processes] for at in range(processes)]
