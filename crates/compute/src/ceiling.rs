//! What the processor can do at most: multiplications in registers and reading of memory, to be timed by the caller.
//!
//! The loops have no use but to be timed: rates of matrix products are told as shares of theirs. The clock is the caller's.

use crate::cpu::{f32_registers, read_words, tile_registers, vector_integers, vector_pairs};

/// A loop of multiplications that leaves the registers of one core for nothing.
#[derive(Debug, Clone, Copy)]
pub struct Registers {
    /// What multiplies, as people call it.
    pub instructions: &'static str,
    /// Multiplications and additions in a round.
    pub operations: u64,
    pub(crate) run: fn(u64),
}

impl Registers {
    /// f32, on every processor.
    pub fn f32() -> Self {
        f32_registers()
    }

    /// bf16 with sums in f32, where the processor has instructions for it.
    pub fn bf16() -> Option<Self> {
        tile_registers(crate::cpu::Factors::Bf16).or_else(vector_pairs)
    }

    /// Integers of eight bits with sums of 32, where the processor has instructions for it.
    pub fn int8() -> Option<Self> {
        tile_registers(crate::cpu::Factors::Int8).or_else(vector_integers)
    }

    /// Works on the calling thread.
    pub fn run(self, rounds: u64) {
        (self.run)(rounds);
    }
}

/// Reads all of `words` on the calling thread and returns something that depends on each of them.
pub fn read(words: &[u64]) -> u64 {
    read_words(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loop_that_is_offered_runs() {
        let all = [Some(Registers::f32()), Registers::bf16(), Registers::int8()];
        for registers in all.into_iter().flatten() {
            registers.run(1000);
            assert!(registers.operations > 0, "{}", registers.instructions);
        }
    }

    #[test]
    fn every_word_is_read() {
        for len in [0, 1, 7, 1000] {
            let words: Vec<u64> = (0..len).collect();
            assert_eq!(read(&words), words.iter().sum::<u64>());
        }
    }
}
