//! A dozen operations, forward and backward, on the CPU and on NVIDIA GPUs.
