//! `finelens export`: a model in the layout of another program.

use finelens_clip::open_clip;

use crate::Verdict;
use crate::cli::{Export, Target};
use crate::model::{load, must_be_empty};
use crate::printer::Printer;

/// Runs the command.
pub(crate) fn run(words: &Export, printer: &Printer) -> anyhow::Result<Verdict> {
    must_be_empty(&words.out)?;
    let checkpoint = load(&words.model, printer)?;
    let out = words.out.display();
    match words.to {
        Target::HuggingFace => {
            checkpoint.save(&words.out)?;
            printer.say(format_args!("in Python: transformers.CLIPModel.from_pretrained({out:?})"));
        }
        Target::OpenClip => {
            let preprocess = checkpoint.preprocess.open_clip()?;
            fs_err::create_dir_all(&words.out)?;
            open_clip::export(&words.out, &checkpoint.config, &checkpoint.tensors, &preprocess)?;
            checkpoint.tokenizer.save(&words.out)?;
            // open_clip passes it over; with it the folder can be read here again.
            checkpoint.preprocess.save(&words.out)?;
            printer.say(format_args!(
                "in Python: open_clip.create_model_and_transforms(\"local-dir:{out}\")"
            ));
        }
    }
    printer.data(out)?;
    Ok(Verdict::Done)
}
