"""Writes the towers of a ViT-B/32 with random weights as ONNX files, in f32 and dynamically quantised to int8.

    python bench/onnx_export.py OUT

Makes OUT/image.onnx, OUT/text.onnx (32 tokens) and the same with `8` in the name: weights in int8, a scale per channel,
activations quantised while it runs. Needs `onnx` and `onnxruntime` beside PyTorch. What int8 does to the vectors is
not looked at here.
"""

import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import CLIPConfig, CLIPModel

TOKENS = 32


class Tower(torch.nn.Module):
    """One half of the model, to unit vectors."""

    def __init__(self, tower: torch.nn.Module, projection: torch.nn.Module) -> None:
        super().__init__()
        self.tower, self.projection = tower, projection

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(self.projection(self.tower(x).pooler_output))


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = CLIPModel(CLIPConfig()).eval()
    ids = torch.randint(3, 49000, (2, TOKENS))
    ids[:, -1] = model.config.text_config.eos_token_id
    towers = {
        "image": (Tower(model.vision_model, model.visual_projection), torch.randn(2, 3, 224, 224)),
        "text": (Tower(model.text_model, model.text_projection), ids),
    }
    for name, (tower, x) in towers.items():
        path = str(out / f"{name}.onnx")
        with torch.no_grad():
            torch.onnx.export(
                tower, (x,), path, dynamo=False, opset_version=17, input_names=["x"], dynamic_axes={"x": {0: "batch"}}
            )
        quantize_dynamic(path, str(out / f"{name}8.onnx"), weight_type=QuantType.QInt8, per_channel=True)


if __name__ == "__main__":
    main()
