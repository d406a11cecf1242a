//! The text tower with its stem: tokens and their positions.

use finelens_compute::{EmbedTokens, EmbedTokensBackward, Picked, Span};

use super::Run;
use super::arena::Plan;
use super::block::Shape;
use super::layout::Places;
use super::tower::{Activations, Gradients, Keep, Tower};
use crate::config::Config;

/// What the text tower has on one batch.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) activations: Activations,
    /// Planned where there is a backward pass.
    pub(super) gradients: Option<Gradients>,
}

impl Text {
    /// `(batch, tokens)` is the shape of the token batch.
    pub(super) fn plan(
        plan: &mut Plan,
        config: &Config,
        (batch, tokens): (usize, usize),
        keep: Keep,
        backward: bool,
    ) -> Self {
        let tower = &config.text.tower;
        let shape = Shape::new(tower, batch, tokens, true);
        Self {
            activations: Activations::plan(
                plan,
                shape,
                tower.layers,
                config.embed_dim,
                keep,
                backward,
            ),
            gradients: backward.then(|| Gradients::plan(plan, &shape, config.embed_dim)),
        }
    }

    /// `ids` `(B, T)`; `picked`: the row of each sequence that stands for it.
    pub(super) fn forward(&self, run: &mut Run<'_>, ids: Span, picked: Picked) {
        let Shape { batch, tokens, width, .. } = self.activations.shape;
        let (table, positions) =
            (run.places.tokens.of(run.weights), run.places.text_positions.of(run.weights));
        let x = self.activations.input();
        run.device.embed_tokens(&EmbedTokens { batch, tokens, width, ids, table, positions, x });
        self.tower(run.places, run.weights, picked).forward(run.device);
    }

    pub(super) fn backward(&self, run: &mut Run<'_>, ids: Span, picked: Picked, gradients: Span) {
        let Shape { batch, tokens, width, .. } = self.activations.shape;
        let d = self.gradients.as_ref().expect("planned for a backward pass");
        self.tower(run.places, run.weights, picked).backward(run.device, gradients, d);
        let (d_table, d_positions) =
            (run.places.tokens.of(gradients), run.places.text_positions.of(gradients));
        let d_x = d.d_stream;
        let embed = EmbedTokensBackward { batch, tokens, width, ids, d_x, d_table, d_positions };
        run.device.embed_tokens_backward(&embed);
    }

    fn tower<'a>(&'a self, places: &'a Places, weights: Span, picked: Picked) -> Tower<'a> {
        Tower { places: &places.text, weights, picked, activations: &self.activations }
    }
}
