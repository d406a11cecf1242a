//! The CPU: matrix products in f32 by `gemm`, those of few rows and those in bf16 by our own kernels, everything else plain
//! loops in f32.
//!
//! Work is spread over the current `rayon` pool. Sums are taken in an order that does not depend
//! on timing, so equal calls give equal bits.

mod attention;
mod bf16;
mod ceiling;
mod contrastive;
mod embedding;
mod linear;
mod matmul;
mod memory;
mod norm;
mod optimizer;
mod panels;
mod prepared;
mod simd;

pub use matmul::dot_products;

pub(crate) use bf16::{Factors, tile_registers};
pub(crate) use ceiling::{f32_registers, read_words, vector_integers, vector_pairs};
use rayon::prelude::*;

use crate::device::Device;
use crate::error::Error;
use crate::ops::{
    Activate, AdamW, Attention, AttentionBackward, Block, ClipNorm, Contrastive, EmbedPatches,
    EmbedPatchesBackward, EmbedTokens, EmbedTokensBackward, LayerNorm, LayerNormBackward, Linear,
    LinearBackward, Normalize, NormalizeBackward, Pool, PoolBackward, UnfoldPatches,
};
use crate::span::{DType, Span};
use bf16::{Bf16, Kernel};
use memory::Memory;
use panels::Panels;
use prepared::Prepared;

/// The processor that this program runs on.
#[derive(Debug, Default)]
pub struct Cpu {
    memory: Memory,
    /// Where products are in bf16.
    bf16: Option<Bf16>,
    /// Where they are not: weights for products of few rows.
    panels: Prepared<Panels>,
}

/// What the factors of matrix products are rounded to; sums, weights and everything else are f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Not rounded.
    F32,
    /// To eight bits of mantissa, as in training with "mixed precision".
    Bf16,
    /// As `Bf16`, and to int8 in the linear maps of blocks of which nothing is kept, those of embedding.
    Int8,
}

impl Cpu {
    /// A device without any buffers yet, in f32.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same in some precision. All work on every processor, but are slow where it has no instructions for them.
    pub fn with(precision: Precision) -> Self {
        let int8 = precision == Precision::Int8;
        let bf16 = (precision != Precision::F32).then(|| Bf16::new(Kernel::best(), int8));
        Self { bf16, ..Self::default() }
    }

    /// The precision that is fastest on this processor.
    pub fn fastest() -> Precision {
        if Kernel::best() == Kernel::Plain { Precision::F32 } else { Precision::Bf16 }
    }

    fn kernel(&self) -> Option<Kernel> {
        self.bf16.as_ref().map(|bf16| bf16.kernel)
    }
}

/// Elements that one task copies: enough to be worth it.
const COPIED: usize = 1 << 17;

impl Device for Cpu {
    fn name(&self) -> String {
        let precision = match &self.bf16 {
            None => String::from("f32"),
            Some(bf16) if bf16.int8 => format!("int8 and bf16 by {}", bf16.kernel.name()),
            Some(bf16) => format!("bf16 by {}", bf16.kernel.name()),
        };
        format!("CPU, {} threads, {precision}, {}", rayon::current_num_threads(), instructions())
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
        let to = self.memory.open().write(to);
        assert_eq!(to.len(), values.len(), "values for a span");
        to.par_chunks_mut(COPIED)
            .zip(values.par_chunks(COPIED))
            .for_each(|(to, values)| to.copy_from_slice(values));
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
        self.memory.open().write(to).par_chunks_mut(COPIED).for_each(|to| to.fill(value));
    }

    fn clamp_max(&mut self, x: Span, max: f32) {
        self.memory.open().write(x).iter_mut().for_each(|x| *x = if *x > max { max } else { *x });
    }

    fn activate(&mut self, op: &Activate) {
        linear::activate(&mut self.memory, op);
    }

    fn linear(&mut self, op: &Linear) {
        match &mut self.bf16 {
            Some(bf16) => bf16::forward(&mut self.memory, bf16, op),
            None => linear::forward(&mut self.memory, &mut self.panels, op),
        }
    }

    fn linear_backward(&mut self, op: &LinearBackward) {
        match &mut self.bf16 {
            Some(bf16) => bf16::backward(&mut self.memory, bf16, op),
            None => linear::backward(&mut self.memory, op),
        }
    }

    fn layer_norm(&mut self, op: &LayerNorm) {
        norm::layer_norm(&mut self.memory, op);
    }

    fn layer_norm_backward(&mut self, op: &LayerNormBackward) {
        norm::layer_norm_backward(&mut self.memory, op);
    }

    fn attention(&mut self, op: &Attention) {
        let kernel = self.kernel();
        attention::forward(&mut self.memory, kernel, op);
    }

    fn attention_backward(&mut self, op: &AttentionBackward) {
        let kernel = self.kernel();
        attention::backward(&mut self.memory, kernel, op);
    }

    fn fuses_blocks(&self) -> bool {
        self.bf16.is_some()
    }

    fn block(&mut self, op: &Block) {
        let bf16 = self.bf16.as_mut().expect("blocks are fused in bf16 and int8 only");
        bf16::block(&mut self.memory, bf16, op);
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
