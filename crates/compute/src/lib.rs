//! A dozen operations, forward and backward, on the CPU and on NVIDIA GPUs.
//!
//! CLIP is a fixed graph, so there is no tape: a [`Device`] offers coarse operations, each with its
//! backward written out, over [`Span`]s of memory that the caller planned beforehand. Operations
//! are enqueued and return nothing; a value comes back to the host through [`Device::read`] only.
//!
//! Letters of the shapes: **R** rows, **B** batch, **T** tokens, **C** channels, **H** heads,
//! **D** width of a head or of an embedding. All matrices are row-major; a weight is stored
//! `(outputs, inputs)` as PyTorch does.
//!
//! ```
//! use finelens_compute::{Cpu, DType, Device, Linear};
//!
//! let mut device = Cpu::new();
//! let (x, weight, y) = (
//!     device.alloc(2, DType::F32)?,
//!     device.alloc(2, DType::F32)?,
//!     device.alloc(1, DType::F32)?,
//! );
//! device.write(x, &[1.0, 2.0]);
//! device.write(weight, &[10.0, 100.0]);
//! device.linear(&Linear { rows: 1, inputs: 2, outputs: 1, x, weight, bias: None, activation: None, before_activation: None, training: false, residual: None, y });
//! let mut out = [0.0];
//! device.read(y, &mut out)?;
//! assert_eq!(out, [210.0]);
//! # Ok::<(), finelens_compute::Error>(())
//! ```

pub mod ceiling;
mod cpu;
mod device;
mod error;
mod ops;
pub mod plain;
mod span;

pub use cpu::{Cpu, Precision, dot_products};
pub use device::Device;
pub use error::Error;
pub use ops::{
    Activate, Activated, Activation, AdamW, Affine, Attention, AttentionBackward, Block, ClipNorm,
    Contrastive, EmbedPatches, EmbedPatchesBackward, EmbedTokens, EmbedTokensBackward, LayerNorm,
    LayerNormBackward, Linear, LinearBackward, Normalize, NormalizeBackward, Picked, Pool,
    PoolBackward, ScaleShift, UnfoldPatches, Update,
};
pub use span::{DType, Span};
