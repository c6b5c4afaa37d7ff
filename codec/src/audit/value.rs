//! Numbers with names (include/uapi/linux/audit.h).

use crate::{flags, values};

// Those of user space from libaudit.h of the audit package, which gives them out.
values! {
    /// What a record tells. From 1100 to 1299 and from 2100 to 2999, and of old under 1005, programs write them, from 1300 to 2099 the kernel.
    pub RecordType(u16), "AUDIT_" {
        USER = 1005,
        LOGIN = 1006,
        USER_AUTH = 1100,
        USER_ACCT = 1101,
        USER_MGMT = 1102,
        CRED_ACQ = 1103,
        CRED_DISP = 1104,
        USER_START = 1105,
        USER_END = 1106,
        USER_AVC = 1107,
        USER_CHAUTHTOK = 1108,
        USER_ERR = 1109,
        CRED_REFR = 1110,
        USYS_CONFIG = 1111,
        USER_LOGIN = 1112,
        USER_LOGOUT = 1113,
        ADD_USER = 1114,
        DEL_USER = 1115,
        ADD_GROUP = 1116,
        DEL_GROUP = 1117,
        DAC_CHECK = 1118,
        CHGRP_ID = 1119,
        TEST = 1120,
        TRUSTED_APP = 1121,
        USER_SELINUX_ERR = 1122,
        USER_CMD = 1123,
        USER_TTY = 1124,
        CHUSER_ID = 1125,
        GRP_AUTH = 1126,
        SYSTEM_BOOT = 1127,
        SYSTEM_SHUTDOWN = 1128,
        SYSTEM_RUNLEVEL = 1129,
        SERVICE_START = 1130,
        SERVICE_STOP = 1131,
        GRP_MGMT = 1132,
        GRP_CHAUTHTOK = 1133,
        MAC_CHECK = 1134,
        ACCT_LOCK = 1135,
        ACCT_UNLOCK = 1136,
        USER_DEVICE = 1137,
        SOFTWARE_UPDATE = 1138,
        DAEMON_START = 1200,
        DAEMON_END = 1201,
        DAEMON_ABORT = 1202,
        DAEMON_CONFIG = 1203,
        DAEMON_RECONFIG = 1204,
        DAEMON_ROTATE = 1205,
        DAEMON_RESUME = 1206,
        DAEMON_ACCEPT = 1207,
        DAEMON_CLOSE = 1208,
        DAEMON_ERR = 1209,
        SYSCALL = 1300,
        PATH = 1302,
        IPC = 1303,
        SOCKETCALL = 1304,
        CONFIG_CHANGE = 1305,
        SOCKADDR = 1306,
        CWD = 1307,
        EXECVE = 1309,
        IPC_SET_PERM = 1311,
        MQ_OPEN = 1312,
        MQ_SENDRECV = 1313,
        MQ_NOTIFY = 1314,
        MQ_GETSETATTR = 1315,
        KERNEL_OTHER = 1316,
        FD_PAIR = 1317,
        OBJ_PID = 1318,
        TTY = 1319,
        EOE = 1320,
        BPRM_FCAPS = 1321,
        CAPSET = 1322,
        MMAP = 1323,
        NETFILTER_PKT = 1324,
        NETFILTER_CFG = 1325,
        SECCOMP = 1326,
        PROCTITLE = 1327,
        FEATURE_CHANGE = 1328,
        REPLACE = 1329,
        KERN_MODULE = 1330,
        FANOTIFY = 1331,
        TIME_INJOFFSET = 1332,
        TIME_ADJNTPVAL = 1333,
        BPF = 1334,
        EVENT_LISTENER = 1335,
        URINGOP = 1336,
        OPENAT2 = 1337,
        DM_CTRL = 1338,
        DM_EVENT = 1339,
        AVC = 1400,
        SELINUX_ERR = 1401,
        AVC_PATH = 1402,
        MAC_POLICY_LOAD = 1403,
        MAC_STATUS = 1404,
        MAC_CONFIG_CHANGE = 1405,
        MAC_UNLBL_ALLOW = 1406,
        MAC_CIPSOV4_ADD = 1407,
        MAC_CIPSOV4_DEL = 1408,
        MAC_MAP_ADD = 1409,
        MAC_MAP_DEL = 1410,
        MAC_IPSEC_ADDSA = 1411,
        MAC_IPSEC_DELSA = 1412,
        MAC_IPSEC_ADDSPD = 1413,
        MAC_IPSEC_DELSPD = 1414,
        MAC_IPSEC_EVENT = 1415,
        MAC_UNLBL_STCADD = 1416,
        MAC_UNLBL_STCDEL = 1417,
        MAC_CALIPSO_ADD = 1418,
        MAC_CALIPSO_DEL = 1419,
        IPE_ACCESS = 1420,
        IPE_CONFIG_CHANGE = 1421,
        IPE_POLICY_LOAD = 1422,
        LANDLOCK_ACCESS = 1423,
        LANDLOCK_DOMAIN = 1424,
        MAC_TASK_CONTEXTS = 1425,
        MAC_OBJ_CONTEXTS = 1426,
        AA = 1500,
        APPARMOR_AUDIT = 1501,
        APPARMOR_ALLOWED = 1502,
        APPARMOR_DENIED = 1503,
        APPARMOR_HINT = 1504,
        APPARMOR_STATUS = 1505,
        APPARMOR_ERROR = 1506,
        APPARMOR_KILL = 1507,
        ANOM_PROMISCUOUS = 1700,
        ANOM_ABEND = 1701,
        ANOM_LINK = 1702,
        ANOM_CREAT = 1703,
        INTEGRITY_DATA = 1800,
        INTEGRITY_METADATA = 1801,
        INTEGRITY_STATUS = 1802,
        INTEGRITY_HASH = 1803,
        INTEGRITY_PCR = 1804,
        INTEGRITY_RULE = 1805,
        INTEGRITY_EVM_XATTR = 1806,
        INTEGRITY_POLICY_RULE = 1807,
        INTEGRITY_USERSPACE = 1808,
        KERNEL = 2000,
        ANOM_LOGIN_FAILURES = 2100,
        ANOM_LOGIN_TIME = 2101,
        ANOM_LOGIN_SESSIONS = 2102,
        ANOM_LOGIN_ACCT = 2103,
        ANOM_LOGIN_LOCATION = 2104,
        ANOM_MAX_DAC = 2105,
        ANOM_MAX_MAC = 2106,
        ANOM_AMTU_FAIL = 2107,
        ANOM_RBAC_FAIL = 2108,
        ANOM_RBAC_INTEGRITY_FAIL = 2109,
        ANOM_CRYPTO_FAIL = 2110,
        ANOM_ACCESS_FS = 2111,
        ANOM_EXEC = 2112,
        ANOM_MK_EXEC = 2113,
        ANOM_ADD_ACCT = 2114,
        ANOM_DEL_ACCT = 2115,
        ANOM_MOD_ACCT = 2116,
        ANOM_ROOT_TRANS = 2117,
        ANOM_LOGIN_SERVICE = 2118,
        ANOM_LOGIN_ROOT = 2119,
        ANOM_ORIGIN_FAILURES = 2120,
        ANOM_SESSION = 2121,
        RESP_ANOMALY = 2200,
        RESP_ALERT = 2201,
        RESP_KILL_PROC = 2202,
        RESP_TERM_ACCESS = 2203,
        RESP_ACCT_REMOTE = 2204,
        RESP_ACCT_LOCK_TIMED = 2205,
        RESP_ACCT_UNLOCK_TIMED = 2206,
        RESP_ACCT_LOCK = 2207,
        RESP_TERM_LOCK = 2208,
        RESP_SEBOOL = 2209,
        RESP_EXEC = 2210,
        RESP_SINGLE = 2211,
        RESP_HALT = 2212,
        RESP_ORIGIN_BLOCK = 2213,
        RESP_ORIGIN_BLOCK_TIMED = 2214,
        RESP_ORIGIN_UNBLOCK_TIMED = 2215,
        USER_ROLE_CHANGE = 2300,
        ROLE_ASSIGN = 2301,
        ROLE_REMOVE = 2302,
        LABEL_OVERRIDE = 2303,
        LABEL_LEVEL_CHANGE = 2304,
        USER_LABELED_EXPORT = 2305,
        USER_UNLABELED_EXPORT = 2306,
        DEV_ALLOC = 2307,
        DEV_DEALLOC = 2308,
        FS_RELABEL = 2309,
        USER_MAC_POLICY_LOAD = 2310,
        ROLE_MODIFY = 2311,
        USER_MAC_CONFIG_CHANGE = 2312,
        USER_MAC_STATUS = 2313,
        CRYPTO_TEST_USER = 2400,
        CRYPTO_PARAM_CHANGE_USER = 2401,
        CRYPTO_LOGIN = 2402,
        CRYPTO_LOGOUT = 2403,
        CRYPTO_KEY_USER = 2404,
        CRYPTO_FAILURE_USER = 2405,
        CRYPTO_REPLAY_USER = 2406,
        CRYPTO_SESSION = 2407,
        CRYPTO_IKE_SA = 2408,
        CRYPTO_IPSEC_SA = 2409,
        VIRT_CONTROL = 2500,
        VIRT_RESOURCE = 2501,
        VIRT_MACHINE_ID = 2502,
        VIRT_INTEGRITY_CHECK = 2503,
        VIRT_CREATE = 2504,
        VIRT_DESTROY = 2505,
        VIRT_MIGRATE_IN = 2506,
        VIRT_MIGRATE_OUT = 2507,
    }
}

impl RecordType {
    /// Whether a program may send it ([`first and last of user space`](super::USER_RECORDS)).
    #[must_use]
    pub fn is_of_programs(self) -> bool {
        super::USER_RECORDS.iter().any(|range| range.contains(&self.0))
    }
}

values! {
    /// When a rule is looked at.
    pub Filter(u32), "AUDIT_FILTER_" {
        /// When a program sends a record.
        USER = 0,
        /// When a task is made.
        TASK = 1,
        /// When a system call begins; refused since Linux 2.6.38.
        ENTRY = 2,
        /// In the kernel's own lists only: when a file is watched.
        WATCH = 3,
        /// When a system call ends.
        EXIT = 4,
        /// Before a record is made, to leave it out.
        EXCLUDE = 5,
        /// When a name in a file system is made or deleted.
        FS = 6,
        /// When an operation of io_uring ends.
        URING_EXIT = 7,
    }
}

impl Filter {
    /// The bit that puts a new rule before the others, not behind them (`AUDIT_FILTER_PREPEND`).
    pub const PREPEND: u32 = 0x10;

    /// When, without that bit.
    #[must_use]
    pub const fn list(self) -> Self {
        Self(self.0 & !Self::PREPEND)
    }
}

values! {
    /// What comes of a rule that fits.
    pub Action(u32), "AUDIT_" {
        /// No record.
        NEVER = 0,
        /// Refused by kernels.
        POSSIBLE = 1,
        /// A record.
        ALWAYS = 2,
    }
}

values! {
    /// What a condition of a rule looks at.
    pub RuleField(u32), "AUDIT_" {
        PID = 0,
        UID = 1,
        EUID = 2,
        SUID = 3,
        FSUID = 4,
        GID = 5,
        EGID = 6,
        SGID = 7,
        FSGID = 8,
        LOGINUID = 9,
        PERS = 10,
        ARCH = 11,
        MSGTYPE = 12,
        SUBJ_USER = 13,
        SUBJ_ROLE = 14,
        SUBJ_TYPE = 15,
        SUBJ_SEN = 16,
        SUBJ_CLR = 17,
        PPID = 18,
        OBJ_USER = 19,
        OBJ_ROLE = 20,
        OBJ_TYPE = 21,
        OBJ_LEV_LOW = 22,
        OBJ_LEV_HIGH = 23,
        LOGINUID_SET = 24,
        SESSIONID = 25,
        FSTYPE = 26,
        DEVMAJOR = 100,
        DEVMINOR = 101,
        INODE = 102,
        EXIT = 103,
        SUCCESS = 104,
        WATCH = 105,
        PERM = 106,
        DIR = 107,
        FILETYPE = 108,
        OBJ_UID = 109,
        OBJ_GID = 110,
        FIELD_COMPARE = 111,
        EXE = 112,
        SADDR_FAM = 113,
        ARG0 = 200,
        ARG1 = 201,
        ARG2 = 202,
        ARG3 = 203,
        FILTERKEY = 210,
    }
}

impl RuleField {
    /// Whether the condition's value is text.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(
            self,
            Self::SUBJ_USER
                | Self::SUBJ_ROLE
                | Self::SUBJ_TYPE
                | Self::SUBJ_SEN
                | Self::SUBJ_CLR
                | Self::OBJ_USER
                | Self::OBJ_ROLE
                | Self::OBJ_TYPE
                | Self::OBJ_LEV_LOW
                | Self::OBJ_LEV_HIGH
                | Self::WATCH
                | Self::DIR
                | Self::EXE
                | Self::FILTERKEY
        )
    }
}

values! {
    /// How a condition compares.
    pub RuleOperator(u32), "AUDIT_" {
        /// A bit of both is set.
        BIT_MASK = 0x0800_0000,
        /// Less.
        LESS_THAN = 0x1000_0000,
        /// Greater.
        GREATER_THAN = 0x2000_0000,
        /// Not the same.
        NOT_EQUAL = 0x3000_0000,
        /// The same.
        EQUAL = 0x4000_0000,
        /// All bits of the value are set.
        BIT_TEST = 0x4800_0000,
        /// Less or the same.
        LESS_THAN_OR_EQUAL = 0x5000_0000,
        /// Greater or the same.
        GREATER_THAN_OR_EQUAL = 0x6000_0000,
    }
}

values! {
    /// Which two ids a condition [`FIELD_COMPARE`](RuleField::FIELD_COMPARE) compares.
    pub Comparison(u32), "AUDIT_COMPARE_" {
        UID_TO_OBJ_UID = 1,
        GID_TO_OBJ_GID = 2,
        EUID_TO_OBJ_UID = 3,
        EGID_TO_OBJ_GID = 4,
        AUID_TO_OBJ_UID = 5,
        SUID_TO_OBJ_UID = 6,
        SGID_TO_OBJ_GID = 7,
        FSUID_TO_OBJ_UID = 8,
        FSGID_TO_OBJ_GID = 9,
        UID_TO_AUID = 10,
        UID_TO_EUID = 11,
        UID_TO_FSUID = 12,
        UID_TO_SUID = 13,
        AUID_TO_FSUID = 14,
        AUID_TO_SUID = 15,
        AUID_TO_EUID = 16,
        EUID_TO_SUID = 17,
        EUID_TO_FSUID = 18,
        SUID_TO_FSUID = 19,
        GID_TO_EGID = 20,
        GID_TO_FSGID = 21,
        GID_TO_SGID = 22,
        EGID_TO_FSGID = 23,
        EGID_TO_SGID = 24,
        SGID_TO_FSGID = 25,
    }
}

flags! {
    /// What a file is opened for, in conditions [`PERM`](RuleField::PERM).
    pub Permissions(u32), "AUDIT_PERM_" {
        /// To be executed.
        EXEC = 1,
        /// To be written.
        WRITE = 2,
        /// To be read.
        READ = 4,
        /// To have its attributes changed.
        ATTR = 8,
    }
}

flags! {
    /// Which members of [`Status`](super::Status) are to be set.
    pub StatusMask(u32), "AUDIT_STATUS_" {
        /// `enabled`.
        ENABLED = 0x1,
        /// `failure`.
        FAILURE = 0x2,
        /// `pid`: who becomes, or ceases to be, the daemon.
        PID = 0x4,
        /// `rate_limit`.
        RATE_LIMIT = 0x8,
        /// `backlog_limit`.
        BACKLOG_LIMIT = 0x10,
        /// `backlog_wait_time`.
        BACKLOG_WAIT_TIME = 0x20,
        /// `lost`, to 0.
        LOST = 0x40,
        /// `backlog_wait_time_actual`, to 0.
        BACKLOG_WAIT_TIME_ACTUAL = 0x80,
    }
}

values! {
    /// What the kernel does where a record cannot be kept.
    pub Failure(u32), "AUDIT_FAIL_" {
        /// Nothing.
        SILENT = 0,
        /// It writes to its own log.
        PRINTK = 1,
        /// It stops the machine.
        PANIC = 2,
    }
}

flags! {
    /// What a kernel's audit can.
    pub FeatureBitmap(u32), "AUDIT_FEATURE_BITMAP_" {
        /// The backlog has a limit that can be set.
        BACKLOG_LIMIT = 0x1,
        /// Its waiting time can be set.
        BACKLOG_WAIT_TIME = 0x2,
        /// Rules know programs by their path.
        EXECUTABLE_PATH = 0x4,
        /// Rules that leave records out know more fields.
        EXCLUDE_EXTEND = 0x8,
        /// Rules know sessions.
        SESSIONID_FILTER = 0x10,
        /// The counter of lost records can be reset.
        LOST_RESET = 0x20,
        /// Rules know file systems.
        FILTER_FS = 0x40,
    }
}

flags! {
    /// What may be switched on, for good where it is locked. In C, bits are named by their numbers.
    pub FeatureMask(u32), "AUDIT_FEATURE_" {
        /// A login id is set once.
        ONLY_UNSET_LOGINUID = 0x1,
        /// A login id stays, even for the privileged.
        LOGINUID_IMMUTABLE = 0x2,
    }
}

values! {
    /// An architecture with a table of system calls of its own.
    pub Architecture(u32), "AUDIT_ARCH_" {
        AARCH64 = 0xc000_00b7,
        ALPHA = 0xc000_9026,
        ARCOMPACT = 0x4000_005d,
        ARCOMPACTBE = 0x0000_005d,
        ARCV2 = 0x4000_00c3,
        ARCV2BE = 0x0000_00c3,
        ARM = 0x4000_0028,
        ARMEB = 0x0000_0028,
        C6X = 0x4000_008c,
        C6XBE = 0x0000_008c,
        CRIS = 0x4000_004c,
        CSKY = 0x4000_00fc,
        FRV = 0x0000_5441,
        H8300 = 0x0000_002e,
        HEXAGON = 0x0000_00a4,
        I386 = 0x4000_0003,
        IA64 = 0xc000_0032,
        M32R = 0x0000_0058,
        M68K = 0x0000_0004,
        MICROBLAZE = 0x0000_00bd,
        MIPS = 0x0000_0008,
        MIPSEL = 0x4000_0008,
        MIPS64 = 0x8000_0008,
        MIPS64N32 = 0xa000_0008,
        MIPSEL64 = 0xc000_0008,
        MIPSEL64N32 = 0xe000_0008,
        NDS32 = 0x4000_00a7,
        NDS32BE = 0x0000_00a7,
        NIOS2 = 0x4000_0071,
        OPENRISC = 0x0000_005c,
        PARISC = 0x0000_000f,
        PARISC64 = 0x8000_000f,
        PPC = 0x0000_0014,
        PPC64 = 0x8000_0015,
        PPC64LE = 0xc000_0015,
        RISCV32 = 0x4000_00f3,
        RISCV64 = 0xc000_00f3,
        S390 = 0x0000_0016,
        S390X = 0x8000_0016,
        SH = 0x0000_002a,
        SHEL = 0x4000_002a,
        SH64 = 0x8000_002a,
        SHEL64 = 0xc000_002a,
        SPARC = 0x0000_0002,
        SPARC64 = 0x8000_002b,
        TILEGX = 0xc000_00bf,
        TILEGX32 = 0x4000_00bf,
        TILEPRO = 0x4000_00bc,
        UNICORE = 0x4000_006e,
        X86_64 = 0xc000_003e,
        XTENSA = 0x0000_005e,
        LOONGARCH32 = 0x4000_0102,
        LOONGARCH64 = 0xc000_0102,
    }
}
