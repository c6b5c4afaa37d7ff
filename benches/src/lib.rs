//! What ringlink costs beside a bare receive loop, other libraries and `ip`, in the same run on the same kernel.
//!
//! | module | has |
//! |---|---|
//! | [`workload`] | what is measured: one file each, a title, a scene, who takes part |
//! | [`contest`] | rounds: who takes part runs in turn, the order moves on, medians and ratios come out |
//! | [`worker`] | one process for each who takes part, and the lines it talks with its parent |
//! | [`library`] | one file for each library: the same work, done its way |
//! | [`scene`] | namespaces, interfaces, tables, storms of events |
//! | [`object`] | what is read of a message: everybody reads the same, and a sum proves it |
//! | [`capture`] | captured messages, and what the codec does with them without a kernel |
//! | [`measure`] | clocks, allocations, memory, system calls, instructions |
//! | [`costs`] | what does not drift between two runs: the gate's figures |
//! | [`record`] | results as files |
//!
//! All of it runs in network namespaces of its own; it needs root, and for peers the feature `peers`.

pub mod capture;
pub mod contest;
pub mod costs;
pub mod library;
pub mod measure;
pub mod object;
pub mod record;
pub mod scene;
pub mod worker;
pub mod workload;

/// What a step of a bench returns.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
