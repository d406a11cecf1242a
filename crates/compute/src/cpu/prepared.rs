//! Weights laid out for products, kept until something writes them.

use std::collections::HashMap;

use super::memory::Memory;
use crate::span::Span;

/// From which use on, since the weight last changed, its layout is kept. A step uses a weight once each way,
/// or twice with recomputed blocks, so training lays out into shared room, which stays in the cache.
const KEEP_FROM: u32 = 3;

/// How a weight is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// For `x weightᵀ`.
    Forward,
    /// For `d_y weight`.
    Backward,
    /// For `x weightᵀ` in int8.
    Int8,
}

#[derive(Debug, Default)]
struct Entry<L> {
    /// Since the last change, up to [`KEEP_FROM`]: from then on it is laid out in `kept`.
    uses: u32,
    kept: Option<L>,
}

/// All weights that were used, laid out as `L`, and room for those that are not kept.
#[derive(Debug, Default)]
pub(super) struct Prepared<L> {
    entries: HashMap<(Span, Form), Entry<L>>,
    shared: L,
}

impl<L: Default> Prepared<L> {
    /// Forgets what was written since the last call.
    ///
    /// `weight` will be asked for next: from now on the memory notes changes of its buffer.
    pub(super) fn follow(&mut self, memory: &mut Memory, weight: Span) {
        for written in memory.take_changes() {
            // Room is kept: what is written once is mostly written again.
            for ((span, _), entry) in &mut self.entries {
                if span.overlaps(written) {
                    entry.uses = 0;
                }
            }
        }
        for freed in memory.take_freed() {
            self.entries.retain(|(span, _), _| span.buffer != freed);
        }
        memory.watch(weight.buffer);
    }

    /// The weight at `span`, laid out by `lay_out` if it is not kept.
    pub(super) fn get(&mut self, span: Span, form: Form, lay_out: impl FnOnce(&mut L)) -> &L {
        let entry = self.entries.entry((span, form)).or_default();
        if entry.uses + 1 >= KEEP_FROM {
            return self.keep(span, form, lay_out);
        }
        entry.uses += 1;
        lay_out(&mut self.shared);
        &self.shared
    }

    /// The same, kept from the first use on: for passes that change no weight.
    pub(super) fn keep(&mut self, span: Span, form: Form, lay_out: impl FnOnce(&mut L)) -> &L {
        let entry = self.entries.entry((span, form)).or_default();
        let fresh = entry.uses < KEEP_FROM;
        entry.uses = KEEP_FROM;
        let kept = entry.kept.get_or_insert_default();
        if fresh {
            lay_out(kept);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::DType;

    #[test]
    fn a_weight_is_laid_out_again_after_a_change_and_kept_when_it_rests() {
        let mut memory = Memory::default();
        let weight = memory.alloc(8, DType::F32).unwrap();
        let mut prepared = Prepared::<Vec<f32>>::default();
        let mut times = 0;
        let mut uses = |prepared: &mut Prepared<Vec<f32>>, memory: &mut Memory, n: usize| {
            for _ in 0..n {
                prepared.follow(memory, weight.part(0, 4));
                prepared.get(weight.part(0, 4), Form::Forward, |_| times += 1);
            }
            times
        };
        assert_eq!(uses(&mut prepared, &mut memory, 10), 3);
        memory.open().write(weight.part(4, 4));
        assert_eq!(uses(&mut prepared, &mut memory, 1), 3);
        memory.open().write(weight.part(3, 2));
        assert_eq!(uses(&mut prepared, &mut memory, 1), 4);
        memory.free(weight);
        prepared.follow(&mut memory, weight);
        assert!(prepared.entries.is_empty());
    }
}
