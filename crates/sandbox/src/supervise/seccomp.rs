//! Which system calls a sandbox may make.
//!
//! Unknown ones answer ENOSYS, so that a libc falls back to older ones, and so does `clone3`, whose
//! flags a filter cannot see. Those that are known and refused answer EPERM.

use libcontainer::oci_spec::OciSpecError;
use libcontainer::oci_spec::runtime::{
    LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder, LinuxSeccompBuilder,
    LinuxSeccompOperator, LinuxSyscall, LinuxSyscallBuilder,
};

/// Files, memory, processes, time, signals, and sockets once they are made.
const ALLOWED: &str = "
_llseek _newselect accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset
chdir chmod chown chown32 clock_getres clock_gettime clock_nanosleep close close_range connect
copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat
faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32
fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_wait
futex_waitv futex_wake futimesat get_mempolicy get_robust_list get_thread_area getcpu getcwd
getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32
getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32
getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid
getuid32 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
io_destroy io_getevents io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set kill
landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link
linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack
membarrier memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect
mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal msgctl msgget
msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat open openat openat2 pause
pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64
preadv preadv2 prlimit64 process_madvise process_mrelease pselect6 pwrite64 pwritev pwritev2 read
readahead readlink readlinkat readv recv recvfrom recvmmsg recvmsg remap_file_pages removexattr
rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask
rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max
sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
seccomp select semctl semget semop semtimedop send sendfile sendfile64 sendmmsg sendmsg sendto
set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid
setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid
setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32
setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigreturn socketcall
socketpair splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs
sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime
timerfd_create timerfd_gettime timerfd_settime times tkill truncate truncate64 ugetrlimit umask
uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid waitpid write writev
";

/// Known, and not for a sandbox: they reach other processes, the kernel's configuration, or much
/// of its code that nothing else guards.
const REFUSED: &str = "
acct add_key bpf chroot clock_adjtime clock_settime delete_module fanotify_init fanotify_mark
finit_module fsconfig fsmount fsopen fspick init_module io_uring_enter io_uring_register
io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind
migrate_pages modify_ldt mount mount_setattr move_mount move_pages name_to_handle_at
open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_vm_readv
process_vm_writev ptrace quotactl quotactl_fd reboot request_key set_mempolicy setdomainname
sethostname setns settimeofday stime swapoff swapon syslog umount umount2 unshare userfaultfd ustat
vhangup
";

/// Flags of `clone` that make namespaces. Source: clone(2).
const NAMESPACE_FLAGS: u64 = 0x7E02_0000;
/// Unix, IPv4 and IPv6. Source: socket(2).
const FAMILIES: [u64; 3] = [1, 2, 10];
/// Netlink, and its protocol for routes, which `getifaddrs` speaks.
const NETLINK: u64 = 16;
const NETLINK_ROUTE: u64 = 0;
/// Ordinary Linux, and the question which one is set. Source: personality(2).
const PERSONALITIES: [u64; 2] = [0, 0xffff_ffff];

/// The filter.
pub(super) fn profile() -> Result<LinuxSeccomp, OciSpecError> {
    let mut rules = vec![
        rule(ALLOWED, LinuxSeccompAction::ScmpActAllow, Vec::new())?,
        refusal(REFUSED, libc::EPERM)?,
        allow(
            "clone",
            vec![compare(
                0,
                LinuxSeccompOperator::ScmpCmpMaskedEq,
                NAMESPACE_FLAGS,
                0,
            )?],
        )?,
    ];
    for family in FAMILIES {
        rules.push(allow("socket", vec![equal(0, family)?])?);
    }
    let route = vec![equal(0, NETLINK)?, equal(2, NETLINK_ROUTE)?];
    rules.push(allow("socket", route)?);
    for personality in PERSONALITIES {
        rules.push(allow("personality", vec![equal(0, personality)?])?);
    }
    LinuxSeccompBuilder::default()
        .default_action(LinuxSeccompAction::ScmpActErrno)
        .default_errno_ret(libc::ENOSYS as u32)
        .syscalls(rules)
        .build()
}

fn rule(
    names: &str,
    action: LinuxSeccompAction,
    args: Vec<LinuxSeccompArg>,
) -> Result<LinuxSyscall, OciSpecError> {
    let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
    let rule = LinuxSyscallBuilder::default().names(names).action(action);
    match args.is_empty() {
        true => rule.build(),
        false => rule.args(args).build(),
    }
}

fn allow(name: &str, args: Vec<LinuxSeccompArg>) -> Result<LinuxSyscall, OciSpecError> {
    rule(name, LinuxSeccompAction::ScmpActAllow, args)
}

fn refusal(names: &str, errno: i32) -> Result<LinuxSyscall, OciSpecError> {
    let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
    LinuxSyscallBuilder::default()
        .names(names)
        .action(LinuxSeccompAction::ScmpActErrno)
        .errno_ret(errno as u32)
        .build()
}

fn equal(index: usize, value: u64) -> Result<LinuxSeccompArg, OciSpecError> {
    compare(index, LinuxSeccompOperator::ScmpCmpEq, value, 0)
}

/// For `ScmpCmpMaskedEq`, `value` is the mask and `masked` what must be left: libcontainer takes the
/// mask from the second value, unlike the runtime specification.
fn compare(
    index: usize,
    op: LinuxSeccompOperator,
    value: u64,
    masked: u64,
) -> Result<LinuxSeccompArg, OciSpecError> {
    let arg = LinuxSeccompArgBuilder::default().index(index).op(op);
    match op {
        LinuxSeccompOperator::ScmpCmpMaskedEq => arg.value(masked).value_two(value).build(),
        _ => arg.value(value).build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_both_allowed_and_refused() {
        let allowed: Vec<_> = ALLOWED.split_whitespace().collect();
        for name in REFUSED.split_whitespace() {
            assert!(!allowed.contains(&name), "{name}");
        }
        for name in ["clone", "clone3", "socket", "personality"] {
            assert!(
                !allowed.contains(&name),
                "{name} is allowed by its arguments only"
            );
        }
    }
}
