//! The CPU: f32 throughout, matrix products by `gemm`, everything else plain loops.
//!
//! Work is spread over the current `rayon` pool. Sums are taken in an order that does not depend
//! on timing, so equal calls give equal bits.

mod attention;
mod contrastive;
mod embedding;
mod linear;
mod matmul;
mod memory;
mod norm;
mod optimizer;
mod simd;

pub use matmul::dot_products;

use crate::device::Device;
use crate::error::Error;
use crate::ops::{
    AdamW, Attention, AttentionBackward, ClipNorm, Contrastive, EmbedPatches, EmbedPatchesBackward,
    EmbedTokens, EmbedTokensBackward, LayerNorm, LayerNormBackward, Linear, LinearBackward,
    Normalize, NormalizeBackward, Pool, PoolBackward, UnfoldPatches,
};
use crate::span::{DType, Span};
use memory::Memory;

/// The processor that this program runs on.
#[derive(Debug, Default)]
pub struct Cpu {
    memory: Memory,
}

impl Cpu {
    /// A device without any buffers yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Device for Cpu {
    fn name(&self) -> String {
        format!("CPU, {} threads, f32, {}", rayon::current_num_threads(), instructions())
    }

    fn compute_dtype(&self) -> DType {
        DType::F32
    }

    fn alloc(&mut self, len: usize, dtype: DType) -> Result<Span, Error> {
        self.memory.alloc(len, dtype)
    }

    fn free(&mut self, buffer: Span) {
        self.memory.free(buffer);
    }

    fn write(&mut self, to: Span, values: &[f32]) {
        self.memory.open().write(to).copy_from_slice(values);
    }

    fn write_ids(&mut self, to: Span, ids: &[u32]) {
        self.memory.open().write_ids(to).copy_from_slice(ids);
    }

    fn read(&mut self, from: Span, values: &mut [f32]) -> Result<(), Error> {
        values.copy_from_slice(self.memory.open().read(from));
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn fill(&mut self, to: Span, value: f32) {
        self.memory.open().write(to).fill(value);
    }

    fn clamp_max(&mut self, x: Span, max: f32) {
        self.memory.open().write(x).iter_mut().for_each(|x| *x = if *x > max { max } else { *x });
    }

    fn linear(&mut self, op: &Linear) {
        linear::forward(&mut self.memory, op);
    }

    fn linear_backward(&mut self, op: &LinearBackward) {
        linear::backward(&mut self.memory, op);
    }

    fn layer_norm(&mut self, op: &LayerNorm) {
        norm::layer_norm(&mut self.memory, op);
    }

    fn layer_norm_backward(&mut self, op: &LayerNormBackward) {
        norm::layer_norm_backward(&mut self.memory, op);
    }

    fn attention(&mut self, op: &Attention) {
        attention::forward(&mut self.memory, op);
    }

    fn attention_backward(&mut self, op: &AttentionBackward) {
        attention::backward(&mut self.memory, op);
    }

    fn embed_tokens(&mut self, op: &EmbedTokens) {
        embedding::embed_tokens(&mut self.memory, op);
    }

    fn embed_tokens_backward(&mut self, op: &EmbedTokensBackward) {
        embedding::embed_tokens_backward(&mut self.memory, op);
    }

    fn unfold_patches(&mut self, op: &UnfoldPatches) {
        embedding::unfold_patches(&mut self.memory, op);
    }

    fn embed_patches(&mut self, op: &EmbedPatches) {
        embedding::embed_patches(&mut self.memory, op);
    }

    fn embed_patches_backward(&mut self, op: &EmbedPatchesBackward) {
        embedding::embed_patches_backward(&mut self.memory, op);
    }

    fn pool(&mut self, op: &Pool) {
        embedding::pool(&mut self.memory, op);
    }

    fn pool_backward(&mut self, op: &PoolBackward) {
        embedding::pool_backward(&mut self.memory, op);
    }

    fn normalize(&mut self, op: &Normalize) {
        norm::normalize(&mut self.memory, op);
    }

    fn normalize_backward(&mut self, op: &NormalizeBackward) {
        norm::normalize_backward(&mut self.memory, op);
    }

    fn contrastive(&mut self, op: &Contrastive) {
        contrastive::contrastive(&mut self.memory, op);
    }

    fn clip_norm(&mut self, op: &ClipNorm<'_>) {
        optimizer::clip_norm(&mut self.memory, op);
    }

    fn adamw(&mut self, op: &AdamW) {
        optimizer::adamw(&mut self.memory, op);
    }
}

/// What the loops are compiled for here.
fn instructions() -> &'static str {
    match simd::level() {
        simd::Level::Avx512 => "AVX-512",
        simd::Level::Avx2 => "AVX2",
        simd::Level::Plain if cfg!(target_arch = "aarch64") => "NEON",
        simd::Level::Plain => "plain",
    }
}
