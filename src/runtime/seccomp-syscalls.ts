// SPDX-License-Identifier: Apache-2.0
// System calls that the default profile lets every container make, by theme. A name that a kernel or libseccomp does not
// know is skipped by the runtimes. Left out on purpose (besides everything under a capability in seccomp.ts): io_uring_*,
// userfaultfd, keyctl and its kin, kexec_*, swapon/off, nfsservctl, ustat, vm86, mount API, `socketcall` (its arguments
// lie behind a pointer that a filter cannot read, so it would be a way around the refused socket families).

const FILES =
  "access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 " +
  "fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync " +
  "flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 " +
  "inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown lchown32 link linkat _llseek lseek lstat " +
  "lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 " +
  "pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile sendfile64 " +
  "splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask " +
  "unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev listmount statmount file_getattr file_setattr";

const XATTRS =
  "fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr lremovexattr " +
  "lsetxattr removexattr removexattrat setxattr setxattrat";

const MEMORY =
  "brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 " +
  "mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease " +
  "remap_file_pages";

const PROCESSES =
  "capget capset execve execveat exit exit_group fork getcpu getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups " +
  "getgroups32 getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit " +
  "get_robust_list getrusage getsid get_thread_area gettid getuid getuid32 ioprio_get ioprio_set kill landlock_add_rule " +
  "landlock_create_ruleset landlock_restrict_self pidfd_open pidfd_send_signal prctl prlimit64 rseq sched_getaffinity " +
  "sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval " +
  "sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp " +
  "setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setpgid setpriority setregid setregid32 " +
  "setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit set_robust_list setsid set_thread_area " +
  "set_tid_address setuid setuid32 sysinfo tgkill times tkill ugetrlimit uname uretprobe vfork wait4 waitid " +
  "waitpid riscv_hwprobe";

const SIGNALS =
  "pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend " +
  "rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn";

const EVENTS =
  "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 " +
  "futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake io_cancel io_destroy io_getevents io_pgetevents " +
  "io_pgetevents_time64 io_setup io_submit _newselect poll ppoll ppoll_time64 pselect6 pselect6_time64 select";

const SOCKETS =
  "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg " +
  "send sendmmsg sendmsg sendto setsockopt shutdown socketpair";

const SYSTEM_V_AND_QUEUES =
  "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink " +
  "msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget";

const TIME =
  "adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 " +
  "clock_nanosleep clock_nanosleep_time64 getitimer getrandom gettimeofday nanosleep setitimer time timer_create " +
  "timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create " +
  "timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64";

// Safe since Linux 4.8 closed the way around seccomp by ptrace; older kernels are not supported.
const DEBUGGING = "process_vm_readv process_vm_writev ptrace";

/** Names allowed whatever the capabilities and arguments. */
export const ALWAYS_ALLOWED: readonly string[] = [
  ...new Set(
    [FILES, XATTRS, MEMORY, PROCESSES, SIGNALS, EVENTS, SOCKETS, SYSTEM_V_AND_QUEUES, TIME, DEBUGGING]
      .join(" ")
      .split(" "),
  ),
];

/** Names allowed with any one of the capabilities of their row. */
export const ALLOWED_WITH: readonly (readonly [capability: string, names: string])[] = [
  ["CAP_DAC_READ_SEARCH", "open_by_handle_at"],
  [
    "CAP_SYS_ADMIN",
    "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules " +
      "lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname " +
      "sethostname setns syslog umount umount2 unshare",
  ],
  ["CAP_SYS_BOOT", "reboot"],
  ["CAP_SYS_CHROOT", "chroot"],
  ["CAP_SYS_MODULE", "delete_module finit_module init_module"],
  ["CAP_SYS_PACCT", "acct"],
  ["CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise"],
  ["CAP_SYS_RAWIO", "ioperm iopl"],
  ["CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime"],
  ["CAP_SYS_TTY_CONFIG", "vhangup"],
  ["CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"],
  ["CAP_SYSLOG", "syslog"],
  ["CAP_BPF", "bpf"],
  ["CAP_PERFMON", "perf_event_open"],
];

/** Names that exist on some processors only. */
export const ALLOWED_ON: Readonly<Record<string, string>> = {
  amd64: "arch_prctl modify_ldt",
  arm64: "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
  riscv64: "riscv_flush_icache",
};
