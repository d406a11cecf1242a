"""Batches for the reference training loop: replayed from finelens, or drawn from captioned images.

Replayed batches hold the very pixels and tokens that finelens trained on. The drawn ones share no code with
it: Pillow, torchvision and the tokenizer of `transformers` do what finelens does, in their own way.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageOps
from safetensors import safe_open
from torchvision.transforms import v2 as transforms
from transformers import CLIPImageProcessorPil, CLIPTokenizer


@dataclass(frozen=True)
class Batch:
    """What one step needs. Shapes: pixels (B, 3, S, S), tokens (B, T), groups (B,)."""

    step: int
    pixels: torch.Tensor
    tokens: torch.Tensor
    groups: torch.Tensor
    learning_rate: float


def replayed(directory: Path) -> Iterator[Batch]:
    """The dumped batches `batch_*.safetensors` of a directory, in the order of their names."""
    files = sorted(directory.glob("batch_*.safetensors"))
    if not files:
        raise SystemExit(f"{directory}: no batch_*.safetensors here")
    return (read_batch(file, index) for index, file in enumerate(files))


def read_batch(file: Path, index: int) -> Batch:
    """One dumped batch; `step` and `learning_rate` are tensors of one number, or text in the metadata."""
    with safe_open(file, "pt") as stored:
        numbers = dict(stored.metadata() or {})
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}
    numbers |= {name: value.item() for name, value in tensors.items() if value.numel() == 1 and value.ndim < 2}
    if "learning_rate" not in numbers:
        raise SystemExit(f"{file}: expected `learning_rate` as a tensor or in the metadata, found {sorted(tensors)}")
    step, rate = int(numbers.get("step", index)), float(numbers["learning_rate"])
    return Batch(step, tensors["pixels"], tensors["tokens"].long(), tensors["groups"].reshape(-1).long(), rate)


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a training image; each is off at its neutral value."""

    crop_scale: tuple[float, float]
    crop_ratio: tuple[float, float]
    flip_horizontal: float
    flip_vertical: float
    jitter: tuple[float, float, float, float]

    def transform(self, side: int) -> transforms.Transform:
        """Crop, flips and colour jitter, in this order. Without a crop the model's own resize and crop stay."""
        steps: list[torch.nn.Module] = []
        if self.crop_scale != (1.0, 1.0):
            bicubic = transforms.InterpolationMode.BICUBIC
            steps.append(transforms.RandomResizedCrop(side, self.crop_scale, self.crop_ratio, bicubic))
        steps.append(transforms.RandomHorizontalFlip(self.flip_horizontal))
        steps.append(transforms.RandomVerticalFlip(self.flip_vertical))
        brightness, contrast, saturation, hue = self.jitter
        return transforms.Compose([*steps, transforms.ColorJitter(brightness, contrast, saturation, hue)])


class Pairs(torch.utils.data.Dataset):
    """Captioned images; every visit decodes the image anew and draws one of its captions."""

    def __init__(self, rows: Path, model: Path, augmentation: Augmentation):
        lines = rows.read_text(encoding="utf-8").splitlines()
        self.rows = [json.loads(line) for line in lines if line.strip()]
        self.root = rows.parent
        self.processor = CLIPImageProcessorPil.from_pretrained(model)
        self.transform = augmentation.transform(self.processor.crop_size["height"])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, str]:
        row = self.rows[index]
        with Image.open(self.root / row["image"]) as stored:
            image = ImageOps.exif_transpose(stored).convert("RGB")
        pixels = self.processor(self.transform(image), return_tensors="pt")["pixel_values"][0]
        caption = row["captions"][int(torch.randint(len(row["captions"]), ()))]
        return pixels, caption


class Collate:
    """Stacks pairs into (pixels, tokens, groups); texts are padded with the end token to a multiple of 8."""

    def __init__(self, model: Path):
        self.context = json.loads((model / "config.json").read_text())["text_config"].get("max_position_embeddings", 77)
        self.tokenizer = CLIPTokenizer.from_pretrained(model)

    def __call__(self, pairs: list[tuple[torch.Tensor, str]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        texts = self.tokenizer([text for _, text in pairs], truncation=True, max_length=self.context)["input_ids"]
        width = min(self.context, math.ceil(max(map(len, texts)) / 8) * 8)
        end = self.tokenizer.eos_token_id
        tokens = torch.tensor([ids + [end] * (width - len(ids)) for ids in texts])
        # An epoch visits an image once, so within a batch only equal captions make a group.
        first_seen: dict[tuple[int, ...], int] = {}
        groups = torch.tensor([first_seen.setdefault(tuple(ids), row) for row, ids in enumerate(texts)])
        return torch.stack([pixels for pixels, _ in pairs]), tokens, groups


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up to `peak`, then a cosine to zero over the rest of `total` steps."""

    peak: float
    warmup: int
    total: int

    def learning_rate(self, step: int) -> float:
        """The rate of a step, counted from 0. Source: open_clip's `cosine_lr`."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.total - self.warmup)
        return 0.5 * self.peak * (1 + math.cos(math.pi * done))


def loader(pairs: Pairs, collate: Collate, batch_size: int, workers: int) -> torch.utils.data.DataLoader:
    """Every image once per epoch, in random order; what does not fill a batch waits for the next epoch's shuffle."""
    if len(pairs) < batch_size:
        raise SystemExit(f"{len(pairs)} images do not fill one batch of {batch_size}")
    return torch.utils.data.DataLoader(
        pairs, batch_size, shuffle=True, drop_last=True, collate_fn=collate, num_workers=workers
    )


def drawn(source: torch.utils.data.DataLoader, epochs: int, peak: float, warmup: int) -> Iterator[Batch]:
    """The batches of all epochs, each with the learning rate of its step."""
    schedule = Schedule(peak, warmup, total=epochs * len(source))
    batches = (batch for _ in range(epochs) for batch in source)
    return (Batch(step, *batch, schedule.learning_rate(step)) for step, batch in enumerate(batches))
