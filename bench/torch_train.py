"""The reference training loop: PyTorch and transformers, with the recipe of `finelens train`.

    python bench/torch_train.py --model BASE --batches DUMP --out OUT        the same batches, step by step
    python bench/torch_train.py --model BASE --data train.jsonl --out OUT    the same recipe, its own batches

DUMP is written by finelens: batch_00000.safetensors and so on, each with pixels (B, 3, S, S) f32, tokens
(B, T) padded with the end token, groups (B,), step and learning_rate. train.jsonl has one image a line,
{"image": path from this file's folder, "captions": [...]}. OUT becomes a model directory with losses.jsonl in
it, a line {"step", "loss", "learning_rate", "gradient_norm"} per step; the loss is that before the update.

No evaluation happens here: `finelens eval` reads OUT.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from torch_data import Augmentation, Batch, Collate, Pairs, drawn, loader, replayed
from torch_recipe import Recipe, adamw, contrastive_loss, soft_targets, train_step
from transformers import CLIPModel

WEIGHTS = (".safetensors", ".bin", ".index.json")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="Hugging Face CLIP directory to start from")
    parser.add_argument("--out", type=Path, required=True, help="directory for the trained model and losses.jsonl")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--batches", type=Path, help="directory of dumped batches to replay")
    source.add_argument("--data", type=Path, help="JSONL of images and captions to draw batches from")
    parser.add_argument("--steps", type=int, help="stop after so many steps (default: all)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="PyTorch threads (default: all cores)")
    optimizer_arguments(parser.add_argument_group("optimizer"))
    drawing_arguments(parser.add_argument_group("only with --data"))
    return parser.parse_args()


def optimizer_arguments(group: argparse._ArgumentGroup) -> None:
    """AdamW and clipping; the learning rate comes with the batches."""
    default = Recipe()
    group.add_argument("--beta1", type=float, default=default.beta1)
    group.add_argument("--beta2", type=float, default=default.beta2)
    group.add_argument("--epsilon", type=float, default=default.epsilon)
    group.add_argument("--weight-decay", type=float, default=default.weight_decay, help="of matrices and embeddings")
    group.add_argument("--clip-norm", type=float, default=default.clip_norm, help="global gradient norm")


def drawing_arguments(group: argparse._ArgumentGroup) -> None:
    """Sampler, schedule and augmentation."""
    group.add_argument("--batch", type=int, default=64)
    group.add_argument("--epochs", type=int, default=1)
    group.add_argument("--learning-rate", type=float, default=1e-4, help="peak of the schedule")
    group.add_argument("--warmup", type=int, default=50, help="steps of linear warm-up before the cosine")
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--workers", type=int, default=2, help="decoding processes; 0 decodes between steps")
    group.add_argument("--crop-scale", type=float, nargs=2, default=(1.0, 1.0), help="random crop's share of area")
    group.add_argument("--crop-ratio", type=float, nargs=2, default=(3 / 4, 4 / 3), help="its width to height")
    group.add_argument("--flip-horizontal", type=float, default=0.0, help="probability")
    group.add_argument("--flip-vertical", type=float, default=0.0, help="probability")
    names = ("BRIGHTNESS", "CONTRAST", "SATURATION", "HUE")
    group.add_argument("--jitter", type=float, nargs=4, default=(0.0,) * 4, metavar=names, help="as in torchvision")


def batches(given: argparse.Namespace) -> Iterator[Batch]:
    """The batches that the command line asks for."""
    if given.batches:
        return replayed(given.batches)
    torch.manual_seed(given.seed)
    augmentation = Augmentation(
        crop_scale=tuple(given.crop_scale),
        crop_ratio=tuple(given.crop_ratio),
        flip_horizontal=given.flip_horizontal,
        flip_vertical=given.flip_vertical,
        jitter=tuple(given.jitter),
    )
    pairs = Pairs(given.data, given.model, augmentation)
    source = loader(pairs, Collate(given.model), given.batch, given.workers)
    return drawn(source, given.epochs, given.learning_rate, given.warmup)


def train(model: CLIPModel, steps: Iterator[Batch], recipe: Recipe) -> Iterator[dict]:
    """Trains on every batch, at the batch's learning rate, and yields a record per step."""
    model.train()
    optimizer = adamw(model, recipe, learning_rate=0.0)
    for batch in steps:
        for group in optimizer.param_groups:
            group["lr"] = batch.learning_rate
        targets = soft_targets(batch.groups)
        loss, norm = train_step(
            model,
            optimizer,
            lambda logits: contrastive_loss(logits, targets),
            batch.pixels,
            batch.tokens,
            recipe.clip_norm,
        )
        numbers = {"loss": loss.item(), "learning_rate": batch.learning_rate, "gradient_norm": norm.item()}
        yield {"step": batch.step} | numbers


def save(model: CLIPModel, start: Path, out: Path) -> None:
    """Saves the model beside the tokenizer and preprocessor files of the model that it started from."""
    for file in start.iterdir():
        if file.is_file() and not file.name.endswith(WEIGHTS):
            shutil.copy(file, out / file.name)
    model.save_pretrained(out)


def main() -> None:
    given = arguments()
    torch.set_num_threads(given.threads)
    recipe = Recipe(given.beta1, given.beta2, given.epsilon, given.weight_decay, given.clip_norm)
    model = CLIPModel.from_pretrained(given.model, dtype=torch.float32)
    given.out.mkdir(parents=True, exist_ok=True)
    with open(given.out / "losses.jsonl", "w", encoding="utf-8") as log:
        for done, record in enumerate(train(model, batches(given), recipe), start=1):
            print(json.dumps(record), file=log, flush=True)
            if done % 20 == 1:
                print(f"step {record['step']}  loss {record['loss']:.4f}", file=sys.stderr)
            if done == given.steps:
                break
    save(model, given.model, given.out)


if __name__ == "__main__":
    main()
