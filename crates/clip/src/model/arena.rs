//! Activations side by side in one buffer, planned anew for each shape of batch.

use finelens_compute::{DType, Device, Error, Span};

/// Hands out spans of one buffer from front to back; the first pass only measures.
#[derive(Debug)]
pub(super) struct Plan {
    buffer: Span,
    used: usize,
}

impl Plan {
    /// The next `len` elements.
    pub(super) fn take(&mut self, len: usize) -> Span {
        let span = self.buffer.part(self.used, len);
        self.used += len;
        span
    }
}

/// One buffer that grows to the largest batch seen and is used again for each.
#[derive(Debug)]
pub(super) struct Arena {
    buffer: Option<Span>,
    dtype: DType,
}

impl Arena {
    pub(super) fn new(dtype: DType) -> Self {
        Self { buffer: None, dtype }
    }

    /// Lays out what `plan` takes; what an earlier plan laid out means nothing any more.
    pub(super) fn lay_out<T>(
        &mut self,
        device: &mut dyn Device,
        plan: impl Fn(&mut Plan) -> T,
    ) -> Result<T, Error> {
        let mut measure = Plan { buffer: Span::whole(usize::MAX, usize::MAX, self.dtype), used: 0 };
        plan(&mut measure);
        let buffer = self.room(device, measure.used)?;
        Ok(plan(&mut Plan { buffer, used: 0 }))
    }

    fn room(&mut self, device: &mut dyn Device, len: usize) -> Result<Span, Error> {
        if let Some(buffer) = self.buffer {
            if buffer.len() >= len {
                return Ok(buffer);
            }
            device.free(buffer);
            self.buffer = None;
        }
        Ok(*self.buffer.insert(device.alloc(len, self.dtype)?))
    }
}

#[cfg(test)]
mod tests {
    use finelens_compute::Cpu;

    use super::*;

    #[test]
    fn spans_follow_each_other_and_the_buffer_is_used_again() {
        let mut device = Cpu::new();
        let mut arena = Arena::new(DType::F32);
        let (a, b) = arena.lay_out(&mut device, |plan| (plan.take(3), plan.take(4))).unwrap();
        assert_eq!((a.len(), b.len()), (3, 4));
        let again = arena.lay_out(&mut device, |plan| plan.take(7)).unwrap();
        assert_eq!(again.part(0, 3), a);
        assert_eq!(arena.lay_out(&mut device, |plan| plan.take(100)).unwrap().len(), 100);
    }
}
