//! Buffers in main memory, and views of several spans at once that are checked not to collide.
#![expect(
    unsafe_code,
    reason = "one operation needs views of several spans of one buffer at a time"
)]

use std::marker::PhantomData;

use crate::error::Error;
use crate::span::{DType, Span};

#[derive(Debug)]
enum Buffer {
    F32(Vec<f32>),
    U32(Vec<u32>),
    Free,
}

/// All buffers of one device.
#[derive(Debug, Default)]
pub(super) struct Memory {
    buffers: Vec<Buffer>,
    /// Buffers that something is derived from.
    watched: Vec<usize>,
    /// What was written of them, not yet taken.
    changes: Vec<Span>,
    /// Those of them that were freed, not yet taken.
    freed: Vec<usize>,
}

impl Memory {
    pub(super) fn alloc(&mut self, len: usize, dtype: DType) -> Result<Span, Error> {
        let buffer = match dtype {
            DType::F32 => Buffer::F32(zeros(len)?),
            DType::U32 => Buffer::U32(zeros(len)?),
        };
        let place = self.buffers.iter().position(|b| matches!(b, Buffer::Free));
        let number = place.unwrap_or(self.buffers.len());
        if place.is_some() {
            self.buffers[number] = buffer;
        } else {
            self.buffers.push(buffer);
        }
        Ok(Span::whole(number, len, dtype))
    }

    pub(super) fn free(&mut self, span: Span) {
        self.buffers[span.buffer] = Buffer::Free;
        if let Some(place) = self.watched.iter().position(|buffer| *buffer == span.buffer) {
            self.freed.push(self.watched.swap_remove(place));
        }
    }

    /// From now on, changes of this buffer are noted.
    pub(super) fn watch(&mut self, buffer: usize) {
        if !self.watched.contains(&buffer) {
            self.watched.push(buffer);
        }
    }

    /// What was written of watched buffers since the last call.
    pub(super) fn take_changes(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.changes)
    }

    /// Which watched buffers were freed since the last call.
    pub(super) fn take_freed(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.freed)
    }

    /// Opens the memory for one operation.
    pub(super) fn open(&mut self) -> Access<'_> {
        Access {
            memory: self,
            read: Vec::with_capacity(8),
            written: Vec::with_capacity(4),
            life: PhantomData,
        }
    }

    fn floats(&mut self, span: Span) -> *mut f32 {
        match &mut self.buffers[span.buffer] {
            Buffer::F32(values) => values[span.start..span.start + span.len()].as_mut_ptr(),
            other => panic!("a span of floats was expected, this is {other:?}"),
        }
    }

    fn integers(&mut self, span: Span) -> *mut u32 {
        match &mut self.buffers[span.buffer] {
            Buffer::U32(values) => values[span.start..span.start + span.len()].as_mut_ptr(),
            other => panic!("a span of integers was expected, this is {other:?}"),
        }
    }
}

/// `vec![0; len]` keeps the system's lazily zeroed pages but aborts when memory is short; asking first does not.
fn zeros<T: Clone + Default>(len: usize) -> Result<Vec<T>, Error> {
    let mut probe = Vec::<T>::new();
    probe
        .try_reserve_exact(len)
        .map_err(|_| Error::OutOfMemory { needed_bytes: len.saturating_mul(4) })?;
    drop(probe);
    Ok(vec![T::default(); len])
}

/// The views that one operation takes: any number for reading, and such for writing that nothing else touches.
pub(super) struct Access<'a> {
    memory: &'a mut Memory,
    read: Vec<Span>,
    written: Vec<Span>,
    life: PhantomData<&'a mut f32>,
}

impl<'a> Access<'a> {
    /// Values to read.
    pub(super) fn read(&mut self, span: Span) -> &'a [f32] {
        self.note_read(span);
        let pointer = self.memory.floats(span);
        // SAFETY: `floats` checked the bounds and the type. The memory is borrowed for 'a, so no buffer is
        // freed or moved meanwhile, and `note_read` made sure that no view for writing overlaps.
        unsafe { std::slice::from_raw_parts(pointer, span.len()) }
    }

    /// Integers to read.
    pub(super) fn read_ids(&mut self, span: Span) -> &'a [u32] {
        self.note_read(span);
        let pointer = self.memory.integers(span);
        // SAFETY: as in `read`.
        unsafe { std::slice::from_raw_parts(pointer, span.len()) }
    }

    /// Values to write.
    pub(super) fn write(&mut self, span: Span) -> &'a mut [f32] {
        self.note_written(span);
        let pointer = self.memory.floats(span);
        // SAFETY: as in `read`, and `note_written` made sure that no other view overlaps.
        unsafe { std::slice::from_raw_parts_mut(pointer, span.len()) }
    }

    /// Integers to write.
    pub(super) fn write_ids(&mut self, span: Span) -> &'a mut [u32] {
        self.note_written(span);
        let pointer = self.memory.integers(span);
        // SAFETY: as in `write`.
        unsafe { std::slice::from_raw_parts_mut(pointer, span.len()) }
    }

    fn note_read(&mut self, span: Span) {
        assert!(!self.written.iter().any(|w| w.overlaps(span)), "{span:?} is read and written");
        self.read.push(span);
    }

    fn note_written(&mut self, span: Span) {
        let mut taken = self.written.iter().chain(&self.read);
        assert!(!taken.any(|other| other.overlaps(span)), "{span:?} is written and used otherwise");
        self.written.push(span);
        if self.memory.watched.contains(&span.buffer) {
            self.memory.changes.push(span);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_buffer_are_viewed_together() {
        let mut memory = Memory::default();
        let whole = memory.alloc(4, DType::F32).unwrap();
        let mut open = memory.open();
        let (left, right) = (open.write(whole.part(0, 2)), open.read(whole.part(2, 2)));
        left[0] = right[1] + 1.0;
        assert_eq!(memory.open().read(whole), [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    #[should_panic(expected = "is written and used otherwise")]
    fn what_is_read_is_not_written() {
        let mut memory = Memory::default();
        let whole = memory.alloc(4, DType::F32).unwrap();
        let mut open = memory.open();
        open.read(whole);
        open.write(whole.part(3, 1));
    }

    #[test]
    fn a_freed_place_is_used_again() {
        let mut memory = Memory::default();
        let first = memory.alloc(4, DType::F32).unwrap();
        memory.free(first);
        assert_eq!(memory.alloc(2, DType::U32).unwrap().buffer, first.buffer);
    }

    #[test]
    fn too_much_memory_is_an_error() {
        let error = Memory::default().alloc(usize::MAX / 8, DType::F32).unwrap_err();
        assert!(error.to_string().starts_with("out of memory"));
    }
}
