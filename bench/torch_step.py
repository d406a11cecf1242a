"""Times PyTorch: a full training step, or the embedding of images or texts, in f32 or bf16.

    python bench/torch_step.py --mode step --batch 16 --tokens 32
    python bench/torch_step.py --mode image --batch 64 --precision bf16 --compile
    python bench/torch_step.py --mode text --batch 64 --tokens 32 --precision bf16 --package open_clip

Weights and inputs are random: nothing is downloaded, and the time does not depend on them. Prints one JSON
line per repeat, {"what", "batch", "tokens", "seconds", "per_second", "peak_rss_mib"}; warm-up is not printed.
A step is forward, backward, clipping and AdamW; decoding of pictures is not in it. `autocast` keeps f32 weights
and multiplies in bf16, as finelens does; `bf16` turns the weights themselves into bf16 (for a step: without masters).
`--compile` hands the model to `torch.compile` for these shapes; it compiles during warm-up. open_clip's model takes texts
of one length only, so it is built with that length instead of 77.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from torch_recipe import Recipe, adamw, contrastive_loss, soft_targets, train_step
from transformers import CLIPConfig, CLIPModel
from transformers.models.clip.modeling_clip import CLIPOutput


class OpenClip(torch.nn.Module):
    """open_clip's ViT-B/32, asked as `CLIPModel` is; its features are unit vectors already."""

    def __init__(self, tokens: int) -> None:
        import open_clip

        super().__init__()
        self.clip = open_clip.create_model("ViT-B-32-quickgelu", force_context_length=tokens)

    @property
    def logit_scale(self) -> torch.nn.Parameter:
        return self.clip.logit_scale

    def forward(self, input_ids: torch.Tensor, pixel_values: torch.Tensor) -> CLIPOutput:
        images, texts, scale = self.clip(pixel_values, input_ids)
        return CLIPOutput(logits_per_image=scale * images @ texts.T)

    def image(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.clip.encode_image(pixels, normalize=True)

    def text(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.clip.encode_text(tokens, normalize=True)


class Transformers(CLIPModel):
    """The same of transformers."""

    def image(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(self.get_image_features(pixels).pooler_output)

    def text(self, tokens: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(self.get_text_features(tokens).pooler_output)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=("step", "image", "text"), default="step")
    parser.add_argument("--batch", type=int, default=16, help="pairs, images or texts")
    parser.add_argument("--tokens", type=int, default=77, help="length of every text")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1, help="repeats before the first that counts")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="PyTorch threads (default: all cores)")
    parser.add_argument("--precision", choices=("f32", "autocast", "bf16"), default="f32")
    parser.add_argument("--package", choices=("transformers", "open_clip"), default="transformers")
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    parser.add_argument("--preset", type=Path, help="directory with a config.json for transformers (default: ViT-B/32)")
    return parser.parse_args()


def inputs(config: CLIPConfig, batch: int, tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random pixels (B, 3, S, S) and token ids (B, T), every text as long as the batch's longest."""
    side, text = config.vision_config.image_size, config.text_config
    ids = torch.randint(3, text.vocab_size - 2, (batch, tokens))
    ids[:, -1] = text.vocab_size - 1 if text.eos_token_id == 2 else text.eos_token_id
    return torch.randn(batch, 3, side, side), ids


def full_step(
    model: torch.nn.Module, pixels: torch.Tensor, tokens: torch.Tensor, compiled: bool
) -> Callable[[], object]:
    """A training step, ready to be called; its state lives as long as the function."""
    model.train()
    if compiled:
        model.compile(dynamic=False)
    recipe = Recipe()
    optimizer = adamw(model, recipe, learning_rate=1e-5)
    targets = soft_targets(torch.arange(len(pixels)))

    def step() -> float:
        loss, _ = train_step(
            model, optimizer, lambda logits: contrastive_loss(logits, targets), pixels, tokens, recipe.clip_norm
        )
        return loss.item()

    return step


def embedding(
    features: Callable[[torch.Tensor], torch.Tensor], values: torch.Tensor, compiled: bool
) -> Callable[[], object]:
    """Unit features of a batch, ready to be called."""
    features = torch.compile(features, dynamic=False) if compiled else features

    @torch.inference_mode()
    def embed() -> torch.Tensor:
        return features(values)

    return embed


def work(given: argparse.Namespace) -> Callable[[], object]:
    """What is timed."""
    config = CLIPConfig.from_pretrained(given.preset) if given.preset else CLIPConfig()
    torch.manual_seed(0)
    model = (Transformers(config) if given.package == "transformers" else OpenClip(given.tokens)).eval()
    pixels, tokens = inputs(config, given.batch, given.tokens)
    if given.precision == "bf16":
        model, pixels = model.to(torch.bfloat16), pixels.to(torch.bfloat16)
    match given.mode:
        case "image":
            run = embedding(model.image, pixels, given.compile)
        case "text":
            run = embedding(model.text, tokens, given.compile)
        case _:
            run = full_step(model, pixels, tokens, given.compile)
    return autocast(run) if given.precision == "autocast" else run


def autocast(run: Callable[[], object]) -> Callable[[], object]:
    """The same with matrix products in bf16."""

    def cast() -> object:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return run()

    return cast


def timed(run: Callable[[], object]) -> float:
    """Seconds of wall clock that one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak_rss_mib() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    given = arguments()
    torch.set_num_threads(given.threads)
    run = work(given)
    for _ in range(given.warmup):
        run()
    for _ in range(given.repeats):
        seconds = timed(run)
        record = {"what": given.mode, "batch": given.batch, "tokens": given.tokens, "seconds": round(seconds, 6)}
        record |= {"per_second": round(given.batch / seconds, 3), "peak_rss_mib": round(peak_rss_mib(), 1)}
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
