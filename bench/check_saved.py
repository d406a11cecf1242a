"""Do `transformers` and `open_clip` see the same model in what finelens saved and exported?

    python bench/check_saved.py MODEL OPEN_CLIP [--tolerance 1e-4]

MODEL is a Hugging Face directory that finelens saved, OPEN_CLIP what `finelens export --to open-clip`
made of it. Both embed the same random pixels and token ids; where both directories hold a
`tokenizer.json`, both also cut the same sentences into tokens. Exit 1 if any value differs by more than
the tolerance, or if a tensor is missing, left over, or changed on the way.
"""

import argparse
import sys
from pathlib import Path

import open_clip
import torch
from open_clip.factory import _find_checkpoint_in_dir, load_state_dict
from transformers import AutoTokenizer, CLIPModel

SENTENCES = [
    "many planes are parked next to a long building in an airport .",
    "A piece of farmland with a River.",
    "naïve café, 12 storage tanks; x-ray!",
    "",
    "several boats " * 60,
]


def main():
    arguments = parse()
    torch.manual_seed(arguments.seed)
    theirs, loading = CLIPModel.from_pretrained(arguments.model, output_loading_info=True)
    other = open_clip.create_model(f"local-dir:{arguments.open_clip}")
    faults = loading_faults(loading) + strict_faults(other, arguments.open_clip)
    pixels, ids = inputs(theirs.config, arguments.batch)
    with torch.no_grad():
        output = theirs.eval()(input_ids=ids, pixel_values=pixels)
        image, text, scale = other.eval()(pixels, ids)[:3]
    print("features                max |difference|   lowest cosine")
    faults += compare("image", output.image_embeds, image, arguments.tolerance)
    faults += compare("text", output.text_embeds, text, arguments.tolerance)
    faults += compare("logit scale", theirs.logit_scale.exp().reshape(1, 1), scale.reshape(1, 1), arguments.tolerance)
    faults += token_faults(arguments.model, arguments.open_clip, other)
    for fault in faults:
        print(f"fault: {fault}")
    print("different" if faults else "the same model in both")
    sys.exit(1 if faults else 0)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("open_clip", type=Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    return parser.parse_args()


def loading_faults(loading):
    """What transformers says it had to invent or leave out."""
    return [f"transformers: {kind}: {sorted(names)[:3]}" for kind, names in loading.items() if names]


def strict_faults(model, directory):
    """open_clip resizes position embeddings without a word, so the stored tensors are compared too."""
    stored = load_state_dict(_find_checkpoint_in_dir(directory))
    loaded = model.state_dict()
    faults = [f"open_clip: only in one of file and model: {name}" for name in sorted(stored.keys() ^ loaded.keys())]
    changed = [name for name in stored.keys() & loaded.keys() if not torch.equal(stored[name], loaded[name])]
    return faults + [f"open_clip: changed while loading: {name}" for name in sorted(changed)]


def inputs(config, batch):
    """Random pixels, and random ids that end at different places; the rest is filled with the end token."""
    text, vision = config.text_config, config.vision_config
    pixels = torch.randn(batch, 3, vision.image_size, vision.image_size)
    # The legacy value 2 means "the highest id".
    end = text.vocab_size - 1 if text.eos_token_id == 2 else text.eos_token_id
    ids = torch.randint(0, text.vocab_size - 1, (batch, text.max_position_embeddings))
    ids[ids == end] = 0
    for row, length in enumerate(torch.linspace(1, text.max_position_embeddings - 1, batch).long()):
        ids[row, length:] = end
    return pixels, ids


def compare(name, left, right, tolerance):
    difference = (left - right).abs().max().item()
    cosine = torch.nn.functional.cosine_similarity(left, right).min().item()
    print(f"{name:<20} {difference:>19.2e} {cosine:>15.8f}")
    close = difference <= tolerance
    return [] if close else [f"{name}: {difference:.2e} apart, {tolerance:.0e} allowed"]


def token_faults(model, exported, other):
    if not all((directory / "tokenizer.json").exists() for directory in (model, exported)):
        print("tokens: not compared, one directory has no tokenizer.json")
        return []
    length = other.context_length
    options = {"max_length": length, "padding": "max_length", "truncation": True, "return_tensors": "pt"}
    expected = AutoTokenizer.from_pretrained(model)(SENTENCES, **options).input_ids
    found = open_clip.get_tokenizer(f"local-dir:{exported}")(SENTENCES)
    wrong = [sentence for row, sentence in enumerate(SENTENCES) if not torch.equal(expected[row], found[row])]
    print(f"tokens: {len(SENTENCES) - len(wrong)} of {len(SENTENCES)} sentences alike")
    return [f"tokens differ: {sentence[:40]!r}" for sentence in wrong]


if __name__ == "__main__":
    main()
