"""The training recipe in PyTorch: loss, optimizer and one step.

The golden values, the reference training loop and the timing of a step all use these functions,
so that there is one PyTorch recipe to compare with. No data and no files are touched here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import log_softmax
from transformers import CLIPModel

MAX_LOGIT_SCALE = math.log(100.0)


@dataclass(frozen=True)
class Recipe:
    """AdamW and clipping. Source of the defaults: open_clip's for ViT, weight decay of clip-rsicd."""

    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-6
    weight_decay: float = 0.1
    clip_norm: float = 1.0


def soft_targets(groups: torch.Tensor) -> torch.Tensor:
    """Target distribution of every row, (B,) group ids -> (B, B): uniform over the row's own group.

    Two pairs of one group (the same image, or word-identical captions) are positives of each other.
    """
    same = (groups[:, None] == groups[None, :]).float()
    return same / same.sum(dim=1, keepdim=True)


def contrastive_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Symmetric cross-entropy of (B, B) logits with soft targets.

    loss = (mean_i -sum_j P_ij log softmax_j(z_ij) + mean_j -sum_i P_ij log softmax_i(z_ij)) / 2.
    P is symmetric, and with distinct groups it is the identity: then this is CLIP's own loss.
    """
    by_row = -(targets * log_softmax(logits, dim=1)).sum(dim=1).mean()
    by_column = -(targets * log_softmax(logits, dim=0)).sum(dim=0).mean()
    return (by_row + by_column) / 2


def adamw(model: CLIPModel, recipe: Recipe, learning_rate: float, fused: bool = True) -> torch.optim.AdamW:
    """AdamW that decays only what has two dimensions or more: no biases, norms, class embedding, logit scale."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    betas = (recipe.beta1, recipe.beta2)
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, eps=recipe.epsilon, fused=fused)


def train_step(
    model: CLIPModel,
    optimizer: torch.optim.AdamW,
    loss_of: Callable[[torch.Tensor], torch.Tensor],
    pixels: torch.Tensor,
    tokens: torch.Tensor,
    clip_norm: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step; returns the loss and the gradient norm, both from before the update.

    `loss_of` turns the (B, B) logits, images in rows, into the loss. Tokens need no mask: attention is
    causal and the text is read at its end token, so what pads behind it changes nothing.
    """
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of(model(input_ids=tokens, pixel_values=pixels).logits_per_image)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()
    with torch.no_grad():
        model.logit_scale.clamp_(max=MAX_LOGIT_SCALE)
    return loss.detach(), norm
