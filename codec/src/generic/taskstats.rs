//! What a task used and waited for, and what the tasks of a control group are doing (include/uapi/linux/taskstats.h,
//! include/uapi/linux/cgroupstats.h; kernel/taskstats.c).
//!
//! Tasks that end are told to whoever registered for their processors with
//! [`Question::REGISTER_CPUMASK`]; the messages come to that socket alone.

use super::{Family, GenericHeader, Timespec};
use crate::table::{Chars, Nest, Pad, Str};
use crate::{commands, record, space};

/// The family.
pub const TASKSTATS: Family = Family {
    name: "TASKSTATS",
    id: 0,
    version: 1,
    requests: Request::OPERATIONS,
    answers: Request::OPERATIONS,
    events: Request::OPERATIONS,
};

// The numbers of one family, with names of two.
commands! {
    /// Commands of the family; they take `CAP_NET_ADMIN` in the initial user namespace.
    pub Request, "", of TASKSTATS {
        /// Tell about a task or a thread group, or tell of tasks that end.
        TASKSTATS_CMD_GET: get (GenericHeader, Question) => 2 (GenericHeader, Report) = 1,
        /// About a task; or: it ended.
        TASKSTATS_CMD_NEW: new (GenericHeader, Report) = 2,
        /// Numbered, but not sent.
        CGROUPSTATS_CMD_UNSPEC: act (GenericHeader, GroupReport) = 3,
        /// Tell about a control group.
        CGROUPSTATS_CMD_GET: get (GenericHeader, GroupQuestion) => 5 (GenericHeader, GroupReport) = 4,
        /// About a control group.
        CGROUPSTATS_CMD_NEW: new (GenericHeader, GroupReport) = 5,
    }
}

space! {
    /// About what is asked.
    pub Question, "TASKSTATS_CMD_ATTR_" {
        /// About this task.
        PID: u32 = 1,
        /// About the thread group of this task.
        TGID: u32 = 2,
        /// Tell of tasks that end on these processors (`0-3,7`).
        REGISTER_CPUMASK: Str = 3,
        /// Tell of them no more.
        DEREGISTER_CPUMASK: Str = 4,
    }
}

space! {
    /// What is told.
    pub Report, "TASKSTATS_TYPE_" {
        /// Which task.
        PID: u32 = 1,
        /// Which thread group.
        TGID: u32 = 2,
        /// What it used and waited for.
        STATS: Taskstats = 3,
        /// About a task: `PID` and `STATS`.
        AGGR_PID: Nest<Report> = 4,
        /// About a thread group: `TGID` and `STATS`.
        AGGR_TGID: Nest<Report> = 5,
        /// Aligns what follows.
        NULL: Pad = 6,
    }
}

record! {
    /// What a task used and waited for. Waits are counted where that is switched on (sysctl `kernel.task_delayacct`).
    pub Taskstats, "taskstats", "" {
        /// Version of the struct; what it does not have is zero.
        version: u16,
        /// Nothing.
        pad_version: u16,
        /// Exit status.
        ac_exitcode: u32,
        /// Flags of accounting (`AFORK` and others of include/uapi/linux/acct.h).
        ac_flag: u8,
        /// Nice value; C has it unsigned.
        ac_nice: i8,
        /// Nothing.
        pad_nice: [u8; 6],
        /// How often it waited for a processor.
        cpu_count: u64,
        /// How long in all, in nanoseconds.
        cpu_delay_total: u64,
        /// How often it waited for disks.
        blkio_count: u64,
        /// How long in all, in nanoseconds.
        blkio_delay_total: u64,
        /// How often it waited for pages from swap.
        swapin_count: u64,
        /// How long in all, in nanoseconds.
        swapin_delay_total: u64,
        /// Time on a processor, in nanoseconds.
        cpu_run_real_total: u64,
        /// The same as the machine sees it, without what a hypervisor took.
        cpu_run_virtual_total: u64,
        /// Name of the program.
        ac_comm: Chars<32>,
        /// Scheduling policy.
        ac_sched: u8,
        /// Nothing.
        pad_sched: [u8; 7],
        /// User id.
        ac_uid: u32,
        /// Group id.
        ac_gid: u32,
        /// Process id.
        ac_pid: u32,
        /// Process id of the parent.
        ac_ppid: u32,
        /// When it began, in seconds since 1970.
        ac_btime: u32,
        /// Nothing.
        pad_btime: u32,
        /// How long it runs, in microseconds.
        ac_etime: u64,
        /// Processor time in user mode, in microseconds.
        ac_utime: u64,
        /// Processor time in the kernel, in microseconds.
        ac_stime: u64,
        /// Page faults without input.
        ac_minflt: u64,
        /// Page faults with input.
        ac_majflt: u64,
        /// Memory in use, summed over time: megabytes times microseconds.
        coremem: u64,
        /// Address space, summed over time: megabytes times microseconds.
        virtmem: u64,
        /// Most memory it had, in kilobytes.
        hiwater_rss: u64,
        /// Most address space it had, in kilobytes.
        hiwater_vm: u64,
        /// Bytes read, from anything.
        read_char: u64,
        /// Bytes written, to anything.
        write_char: u64,
        /// Calls that read.
        read_syscalls: u64,
        /// Calls that write.
        write_syscalls: u64,
        /// Bytes read from disks.
        read_bytes: u64,
        /// Bytes written to disks.
        write_bytes: u64,
        /// Bytes that were to be written and were thrown away.
        cancelled_write_bytes: u64,
        /// How often it gave the processor up.
        nvcsw: u64,
        /// How often the processor was taken from it.
        nivcsw: u64,
        /// User time, scaled by the processor's speed.
        ac_utimescaled: u64,
        /// Kernel time, scaled by the processor's speed.
        ac_stimescaled: u64,
        /// Time on a processor, scaled by its speed.
        cpu_scaled_run_real_total: u64,
        /// How often it waited for memory to become free.
        freepages_count: u64,
        /// How long in all, in nanoseconds.
        freepages_delay_total: u64,
        /// How often it waited for pages that had just been taken from it.
        thrashing_count: u64,
        /// How long in all, in nanoseconds.
        thrashing_delay_total: u64,
        /// When it began, in seconds since 1970, wider (version 10).
        ac_btime64: u64,
        /// How often it waited for memory to be compacted (version 11).
        compact_count: u64,
        /// How long in all, in nanoseconds.
        compact_delay_total: u64,
        /// Process id of the thread group (version 12).
        ac_tgid: u32,
        /// Nothing.
        pad_tgid: u32,
        /// How long the thread group runs, in microseconds.
        ac_tgetime: u64,
        /// Device of the program's file.
        ac_exe_dev: u64,
        /// Inode of the program's file.
        ac_exe_inode: u64,
        /// How often it waited for a page to be copied (version 13).
        wpcopy_count: u64,
        /// How long in all, in nanoseconds.
        wpcopy_delay_total: u64,
        /// How often it waited for interrupts (version 14).
        irq_count: u64,
        /// How long in all, in nanoseconds.
        irq_delay_total: u64,
        /// Longest wait counted in `cpu_count`, in nanoseconds (this and those to follow: version 16).
        cpu_delay_max: u64,
        /// Shortest.
        cpu_delay_min: u64,
        /// Longest wait counted in `blkio_count`, in nanoseconds.
        blkio_delay_max: u64,
        /// Shortest.
        blkio_delay_min: u64,
        /// Longest wait counted in `swapin_count`, in nanoseconds.
        swapin_delay_max: u64,
        /// Shortest.
        swapin_delay_min: u64,
        /// Longest wait counted in `freepages_count`, in nanoseconds.
        freepages_delay_max: u64,
        /// Shortest.
        freepages_delay_min: u64,
        /// Longest wait counted in `thrashing_count`, in nanoseconds.
        thrashing_delay_max: u64,
        /// Shortest.
        thrashing_delay_min: u64,
        /// Longest wait counted in `compact_count`, in nanoseconds.
        compact_delay_max: u64,
        /// Shortest.
        compact_delay_min: u64,
        /// Longest wait counted in `wpcopy_count`, in nanoseconds.
        wpcopy_delay_max: u64,
        /// Shortest.
        wpcopy_delay_min: u64,
        /// Longest wait counted in `irq_count`, in nanoseconds.
        irq_delay_max: u64,
        /// Shortest.
        irq_delay_min: u64,
        /// When `cpu_delay_max` was (this and those to follow: version 17).
        cpu_delay_max_ts: Timespec,
        /// When `blkio_delay_max` was.
        blkio_delay_max_ts: Timespec,
        /// When `swapin_delay_max` was.
        swapin_delay_max_ts: Timespec,
        /// When `freepages_delay_max` was.
        freepages_delay_max_ts: Timespec,
        /// When `thrashing_delay_max` was.
        thrashing_delay_max_ts: Timespec,
        /// When `compact_delay_max` was.
        compact_delay_max_ts: Timespec,
        /// When `wpcopy_delay_max` was.
        wpcopy_delay_max_ts: Timespec,
        /// When `irq_delay_max` was.
        irq_delay_max_ts: Timespec,
    }
}

space! {
    /// About which control group is asked.
    pub GroupQuestion, "CGROUPSTATS_CMD_ATTR_" {
        /// Descriptor of its folder.
        FD: u32 = 1,
    }
}

space! {
    /// What is told of a control group.
    pub GroupReport, "CGROUPSTATS_TYPE_" {
        /// How many tasks do what.
        CGROUP_STATS: Cgroupstats = 1,
    }
}

record! {
    /// How many tasks of a control group do what.
    pub Cgroupstats, "cgroupstats", "" {
        /// Sleep.
        nr_sleeping: u64,
        /// Run, or could.
        nr_running: u64,
        /// Are stopped.
        nr_stopped: u64,
        /// Sleep and cannot be woken by a signal.
        nr_uninterruptible: u64,
        /// Wait for disks.
        nr_io_wait: u64,
    }
}
