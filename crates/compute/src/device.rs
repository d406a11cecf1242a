//! The operations that a device offers, over memory that the caller plans.

use crate::error::Error;
use crate::ops::{
    Activate, AdamW, Attention, AttentionBackward, Block, ClipNorm, Contrastive, EmbedPatches,
    EmbedPatchesBackward, EmbedTokens, EmbedTokensBackward, LayerNorm, LayerNormBackward, Linear,
    LinearBackward, Normalize, NormalizeBackward, Pool, PoolBackward, UnfoldPatches,
};
use crate::span::{DType, Span};

/// Memory and operations of one processor.
///
/// Operations run in the order in which they are called, possibly after the call returned; errors
/// surface at [`Device::sync`] and [`Device::read`]. A device may keep weights in a form of its own
/// (packed, transposed) until something writes them. The same calls in the same order give the
/// same bits.
///
/// # Panics
/// Every operation panics when a span is too short, of the wrong type, or both read and written:
/// those are bugs of the caller.
pub trait Device: std::fmt::Debug + Send {
    /// What a person would call it, for the log.
    fn name(&self) -> String;

    /// Type in which activations are kept.
    fn compute_dtype(&self) -> DType;

    /// A new buffer of `len` zeros.
    ///
    /// # Errors
    /// When there is no room.
    fn alloc(&mut self, len: usize, dtype: DType) -> Result<Span, Error>;

    /// Gives a buffer back; its spans mean nothing from then on.
    fn free(&mut self, buffer: Span);

    /// Copies values in.
    fn write(&mut self, to: Span, values: &[f32]);

    /// Copies integers in.
    fn write_ids(&mut self, to: Span, ids: &[u32]);

    /// Waits, and copies values out.
    ///
    /// # Errors
    /// What went wrong in any operation since the last one that reported.
    fn read(&mut self, from: Span, values: &mut [f32]) -> Result<(), Error>;

    /// Waits for everything enqueued.
    ///
    /// # Errors
    /// What went wrong in any operation since the last one that reported.
    fn sync(&mut self) -> Result<(), Error>;

    /// Sets all elements to one value.
    fn fill(&mut self, to: Span, value: f32);

    /// Lowers to `max` what is above it.
    fn clamp_max(&mut self, x: Span, max: f32);

    /// See [`Activate`].
    fn activate(&mut self, op: &Activate);
    /// See [`Linear`].
    fn linear(&mut self, op: &Linear);
    /// See [`LinearBackward`].
    fn linear_backward(&mut self, op: &LinearBackward);
    /// See [`LayerNorm`].
    fn layer_norm(&mut self, op: &LayerNorm);
    /// See [`LayerNormBackward`].
    fn layer_norm_backward(&mut self, op: &LayerNormBackward);
    /// See [`Attention`].
    fn attention(&mut self, op: &Attention);
    /// See [`AttentionBackward`].
    fn attention_backward(&mut self, op: &AttentionBackward);
    /// Whether [`Device::block`] is there, so that blocks of which nothing is kept go through it.
    fn fuses_blocks(&self) -> bool;
    /// See [`Block`].
    ///
    /// # Panics
    /// Where the device does not fuse blocks.
    fn block(&mut self, op: &Block);
    /// See [`EmbedTokens`].
    fn embed_tokens(&mut self, op: &EmbedTokens);
    /// See [`EmbedTokensBackward`].
    fn embed_tokens_backward(&mut self, op: &EmbedTokensBackward);
    /// See [`UnfoldPatches`].
    fn unfold_patches(&mut self, op: &UnfoldPatches);
    /// See [`EmbedPatches`].
    fn embed_patches(&mut self, op: &EmbedPatches);
    /// See [`EmbedPatchesBackward`].
    fn embed_patches_backward(&mut self, op: &EmbedPatchesBackward);
    /// See [`Pool`].
    fn pool(&mut self, op: &Pool);
    /// See [`PoolBackward`].
    fn pool_backward(&mut self, op: &PoolBackward);
    /// See [`Normalize`].
    fn normalize(&mut self, op: &Normalize);
    /// See [`NormalizeBackward`].
    fn normalize_backward(&mut self, op: &NormalizeBackward);
    /// See [`Contrastive`].
    fn contrastive(&mut self, op: &Contrastive);
    /// See [`ClipNorm`].
    fn clip_norm(&mut self, op: &ClipNorm<'_>);
    /// See [`AdamW`].
    fn adamw(&mut self, op: &AdamW);
}
