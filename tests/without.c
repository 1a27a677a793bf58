// SPDX-License-Identifier: GPL-2.0
/*
 * without MODE -- COMMAND [ARG]...: runs a command on a machine that lacks
 * something, so that tests stay green there, also when they are run where
 * everything is. Uses namespaces, seccomp and cgroups, and changes nothing
 * that anybody else sees.
 *
 * kvm          a /dev of its own that has no kvm. Needs root.
 * breakpoints  perf events on breakpoints open but never fire, as in many VMs:
 *              perf_event_open() is watched from outside, and whoever asks for
 *              a breakpoint gets a dummy software event in its place.
 * perf         perf_event_open() is ENOSYS: a kernel without CONFIG_PERF_EVENTS.
 * modules      loading and removing kernel modules is EPERM.
 * bpf          bpf() is EPERM.
 * container    what Docker leaves by default: its capabilities; no BPF, perf
 *              events or modules; no /dev/kvm, and /proc/kcore is empty; /sys
 *              and /proc/sys read-only; no debugfs or tracefs. Needs root.
 * memory       a cgroup of 4 GiB. Needs root.
 * cores        one CPU.
 * busy         on each CPU that the command may use, another process spins.
 * clock        the wall clock jumps back and forth by hours. A process reads it
 *              in the vDSO, without a system call, so each is traced, and the
 *              vDSO taken out of what exec tells it; the calls that then come
 *              are answered with another time. The machine's clock is not
 *              touched. The command can't be traced by others.
 *
 * Exits with the command's status, or 128 + the signal that killed it; with 77
 * and one line on standard error if the mode can't be had here; 2: bad usage.
 *
 * One file though it is long: a program by itself, and each mode is some lines of
 * it.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* sys/mount.h and linux/mount.h can't both be had. */
int mount(const char *from, const char *to, const char *type,
	  unsigned long flags, const void *data);

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define CANT		77

#if defined(__aarch64__)
#define ARCH		AUDIT_ARCH_AARCH64
#else
#define ARCH		AUDIT_ARCH_X86_64
#endif

static const char *mode_name;
/* Where the child reports its listener; < 0: it could not have one. */
static int report_to = -1;

static void __attribute__((noreturn, format(printf, 1, 2)))
cant(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "without: %s: ", mode_name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	if (report_to >= 0 && write(report_to, &(int){ -1 }, sizeof(int)) < 0)
		perror("without");
	exit(CANT);
}

/* Names the call that failed, and why. */
static void must(const char *what, long ret)
{
	if (ret < 0)
		cant("%s: %s", what, strerror(errno));
}

/* --- what is hidden --- */

/*
 * A mount namespace in which what is mounted on @dir, a mount point, is not
 * seen outside. A chroot's root is no mount point and can't be made private.
 */
static void apart(const char *dir)
{
	static bool done;

	if (!done)
		must("unshare", unshare(CLONE_NEWNS));
	done = true;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		must(dir, mount(NULL, dir, NULL, MS_REC | MS_PRIVATE, NULL));
}

/* A /dev of the same devices, less kvm; they are bound from below it. */
static void no_kvm(void)
{
	char from[320], to[320];
	struct dirent *e;
	struct stat st;
	ssize_t n;
	DIR *d;

	apart("/dev");
	d = opendir("/dev");
	must("/dev", d ? mount("none", "/dev", "tmpfs", 0, "mode=755") : -1);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "kvm"))
			continue;
		snprintf(from, sizeof(from), "/proc/self/fd/%d/%s", dirfd(d),
			 e->d_name);
		snprintf(to, sizeof(to), "/dev/%s", e->d_name);
		if (lstat(from, &st))
			continue;
		if (S_ISLNK(st.st_mode)) {
			char target[256];

			n = readlink(from, target, sizeof(target) - 1);
			target[n < 0 ? 0 : n] = '\0';
			must(to, symlink(target, to));
			continue;
		}
		if (S_ISDIR(st.st_mode))
			must(to, mkdir(to, 0755));
		else
			must(to, close(open(to, O_CREAT | O_WRONLY, 0644)));
		must(to, mount(from, to, NULL, MS_BIND | MS_REC, NULL));
	}
	closedir(d);
}

static void read_only(const char *dir)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	must(dir, syscall(SYS_mount_setattr, AT_FDCWD, dir, AT_RECURSIVE,
			  &attr, sizeof(attr)));
}

static void contain(void)
{
	static const char *const hidden[] = {
		"/sys/kernel/debug", "/sys/kernel/tracing",
	};
	size_t i;

	no_kvm();
	apart("/sys");
	apart("/proc");
	for (i = 0; i < ARRAY_SIZE(hidden); i++)
		if (!access(hidden[i], F_OK))
			must(hidden[i], mount("none", hidden[i], "tmpfs",
					      MS_RDONLY, NULL));
	must("/proc/sys", mount("/proc/sys", "/proc/sys", NULL,
				MS_BIND | MS_REC, NULL));
	read_only("/proc/sys");
	read_only("/sys");
	if (!access("/proc/kcore", F_OK))
		must("/proc/kcore", mount("/dev/null", "/proc/kcore", NULL,
					  MS_BIND, NULL));
}

/* After the filter is there: what the command has when it is executed. */
static void drop_capabilities(void)
{
	static const int kept[] = {
		CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL,
		CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_NET_BIND_SERVICE,
		CAP_NET_RAW, CAP_SYS_CHROOT, CAP_MKNOD, CAP_AUDIT_WRITE,
		CAP_SETFCAP,
	};
	uint64_t keep = 0;
	size_t i;
	int cap;

	for (i = 0; i < ARRAY_SIZE(kept); i++)
		keep |= 1ULL << kept[i];
	for (cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(keep >> cap & 1))
			must("capabilities", prctl(PR_CAPBSET_DROP, cap));
}

static void one_core(void)
{
	cpu_set_t set;
	int cpu;

	must("affinity", sched_getaffinity(0, sizeof(set), &set));
	for (cpu = 0; !CPU_ISSET(cpu, &set); cpu++)
		;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must("affinity", sched_setaffinity(0, sizeof(set), &set));
}

/* --- a cgroup of little memory --- */

#define LIMIT	"4294967296"

static char cgroup[320];

static bool write_file(const char *dir, const char *name, const char *text)
{
	char path[400];
	int fd;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Where this process is in version 1's hierarchy; false: there is none. */
static bool version_1(char *path, size_t size)
{
	FILE *f = fopen("/proc/self/cgroup", "r");
	char line[256], *at;
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		at = strstr(line, ":memory:");
		if (!at)
			continue;
		at[strcspn(at, "\n")] = '\0';
		snprintf(path, size, "/sys/fs/cgroup/memory%s", at + 8);
		found = !access(path, F_OK);
	}
	if (f)
		fclose(f);
	return found;
}

static void little_memory(void)
{
	char parent[256] = "/sys/fs/cgroup", pid[16];
	const char *limit = version_1(parent, sizeof(parent)) ?
			    "memory.limit_in_bytes" : "memory.max";

	/* Version 2 has limits only below a group that hands out the
	 * controller, and such a group holds no processes: the root. */
	snprintf(cgroup, sizeof(cgroup), "%s/ptelab-without-%d", parent,
		 (int)getpid());
	must(cgroup, mkdir(cgroup, 0755));
	if (!write_file(cgroup, limit, LIMIT)) {
		int err = errno;

		rmdir(cgroup);
		cant("%s/%s: %s", cgroup, limit, strerror(err));
	}
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (!write_file(cgroup, "cgroup.procs", pid))
		cant("%s/cgroup.procs: %s", cgroup, strerror(errno));
}

/* Goes back to where it came from first: a group with processes stays. */
static void leave_cgroup(void)
{
	char *name = strrchr(cgroup, '/'), pid[16];
	int i;

	if (!name)
		return;
	*name = '\0';
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	write_file(cgroup, "cgroup.procs", pid);
	*name = '/';
	/* What the command left behind may still be about to end. */
	for (i = 0; rmdir(cgroup) && errno == EBUSY && i < 100; i++)
		usleep(10000);
}

/* --- neighbours --- */

static pid_t spinner[CPU_SETSIZE];

static void be_busy(void)
{
	pid_t parent = getpid();
	cpu_set_t set, one;
	int cpu;

	must("affinity", sched_getaffinity(0, sizeof(set), &set));
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		spinner[cpu] = fork();
		must("fork", spinner[cpu]);
		if (spinner[cpu])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		while (getppid() == parent)
			for (volatile int i = 0; i < 100000000; i++)
				;
		_exit(0);
	}
}

static void be_quiet(void)
{
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (spinner[cpu] > 0)
			kill(spinner[cpu], SIGKILL);
}

/* --- system calls --- */

/* What becomes of a call; only if its first argument is @first, unless -1. */
struct rule {
	int nr;
	int first;
	uint32_t action;
};

#define MAX_RULES	16
#define REFUSE(err)	(SECCOMP_RET_ERRNO | (err))

/* Returns the listener if some action is SECCOMP_RET_USER_NOTIF, else 0. */
static int filter(const struct rule *rules)
{
	struct sock_filter code[4 * MAX_RULES + 5];
	struct sock_fprog prog = { .filter = code };
	bool watched = false;
	unsigned int n = 0;

#define DATA(field)	offsetof(struct seccomp_data, field)
#define LOAD(at)	(struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define SKIP_UNLESS(v, by) \
	(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v, 0, by)
#define RETURN(v)	(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, v)
	code[n++] = LOAD(DATA(arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						 ARCH, 1, 0);
	code[n++] = RETURN(SECCOMP_RET_ALLOW);
	for (; rules->action; rules++) {
		code[n++] = LOAD(DATA(nr));
		code[n++] = SKIP_UNLESS(rules->nr, rules->first < 0 ? 1 : 3);
		if (rules->first >= 0) {
			code[n++] = LOAD(DATA(args[0]));
			code[n++] = SKIP_UNLESS(rules->first, 1);
		}
		code[n++] = RETURN(rules->action);
		watched |= rules->action == SECCOMP_RET_USER_NOTIF;
	}
	code[n++] = RETURN(SECCOMP_RET_ALLOW);
	prog.len = n;
	if (geteuid())
		must("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	n = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, watched ?
		    SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &prog);
	if ((int)n < 0 && errno == EBUSY)
		cant("a program already watches the system calls here");
	must("seccomp", (int)n);
	return n;
}

static bool target_memory(pid_t pid, uint64_t at, void *data, size_t size,
			  bool write)
{
	struct iovec here = { data, size }, there = { (void *)at, size };

	return (write ? process_vm_writev(pid, &here, 1, &there, 1, 0) :
			process_vm_readv(pid, &here, 1, &there, 1, 0)) ==
	       (ssize_t)size;
}

/* A breakpoint becomes an event that nothing ever raises. */
static void answer_perf(int listener, const struct seccomp_notif *call,
			struct seccomp_notif_resp *resp)
{
	struct perf_event_attr attr = { 0 };
	struct seccomp_notif_addfd add = { .id = call->id };
	int fd;

	resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (!target_memory(call->pid, call->data.args[0], &attr,
			   PERF_ATTR_SIZE_VER0, false) ||
	    attr.type != PERF_TYPE_BREAKPOINT)
		return;
	/* The rest is as it was asked for, as far as it was read. */
	attr.type = PERF_TYPE_SOFTWARE;
	attr.config = PERF_COUNT_SW_DUMMY;
	attr.bp_type = attr.bp_addr = 0;
	attr.size = PERF_ATTR_SIZE_VER0;
	fd = syscall(SYS_perf_event_open, &attr, (int)call->data.args[1] ?
		     (int)call->data.args[1] : (int)call->pid,
		     (int)call->data.args[2], -1, PERF_FLAG_FD_CLOEXEC);
	resp->flags = 0;
	if (fd < 0) {
		resp->error = -errno;
		return;
	}
	add.srcfd = fd;
	add.newfd_flags = call->data.args[4] & PERF_FLAG_FD_CLOEXEC ?
			  O_CLOEXEC : 0;
	resp->val = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	if (resp->val < 0) {
		resp->error = -errno;
		resp->val = 0;
	}
	close(fd);
}

/* Each second of real time the clock is somewhere else. */
static int64_t jumped(int64_t seconds)
{
	static const int hours[] = { 0, 5, -7, 24, -1, 2, -48 };

	return seconds + 3600 * hours[seconds % ARRAY_SIZE(hours)];
}

static void answer_clock(int listener, const struct seccomp_notif *call,
			 struct seccomp_notif_resp *resp)
{
	const struct seccomp_data *d = &call->data;
	struct timespec now;
	int64_t two[2];
	uint64_t to = d->args[0];

	(void)listener;
	clock_gettime(CLOCK_REALTIME, &now);
	two[0] = jumped(now.tv_sec);
	two[1] = now.tv_nsec;
	if (d->nr == SYS_clock_gettime)
		to = d->args[1];
	if (d->nr == SYS_gettimeofday)
		two[1] /= 1000;
#ifdef SYS_time
	if (d->nr == SYS_time) {
		resp->val = two[0];
		if (to && !target_memory(call->pid, to, two, 8, true))
			resp->error = -EFAULT;
		return;
	}
#endif
	if (to && !target_memory(call->pid, to, two, sizeof(two), true))
		resp->error = -EFAULT;
}

typedef void answer_fn(int listener, const struct seccomp_notif *call,
		       struct seccomp_notif_resp *resp);

static void answer_one(int listener, answer_fn *answer)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp resp = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return;		/* the caller was killed */
	resp.id = call.id;
	answer(listener, &call, &resp);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

/* --- programs that don't know the vDSO --- */

/* At exec: [sp] is argc, then argv, 0, the environment, 0, the auxv. */
static void hide_vdso(pid_t pid)
{
	uint64_t at, word, skip = 2, pair[2];
	struct { uint64_t reg[64]; } regs;
	struct iovec v = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v))
		return;
#if defined(__aarch64__)
	at = regs.reg[31];
#else
	at = regs.reg[19];
#endif
	while (skip) {
		at += 8;
		if (!target_memory(pid, at, &word, 8, false))
			return;
		skip -= !word;
	}
	for (at += 8; target_memory(pid, at, pair, sizeof(pair), false);
	     at += sizeof(pair)) {
		if (pair[0] == AT_NULL)
			return;
		if (pair[0] != AT_SYSINFO_EHDR)
			continue;
		pair[0] = AT_IGNORE;
		target_memory(pid, at, pair, 8, true);
	}
}

/* A tracee's stop: everything goes on as it would without us. */
static void resume(pid_t pid, int status)
{
	int event = status >> 16, sig = WSTOPSIG(status);

	if (event == PTRACE_EVENT_EXEC)
		hide_vdso(pid);
	if (event == PTRACE_EVENT_STOP &&
	    (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN ||
	     sig == SIGTTOU))
		ptrace(PTRACE_LISTEN, pid, NULL, NULL);
	else
		ptrace(PTRACE_CONT, pid, NULL, event ? 0L : (long)sig);
}

/* --- modes --- */

struct mode {
	const char *name, *what;
	void (*prepare)(void);	/* in the parent, whose children inherit it */
	void (*last)(void);	/* in the child, once the filter is there */
	struct rule rules[MAX_RULES];
	answer_fn *answer;
	bool traced;
};

#define NO_MODULES \
	{ SYS_init_module, -1, REFUSE(EPERM) }, \
	{ SYS_finit_module, -1, REFUSE(EPERM) }, \
	{ SYS_delete_module, -1, REFUSE(EPERM) }

static const struct mode modes[] = {
	{ .name = "kvm", .what = "no /dev/kvm", .prepare = no_kvm },
	{ .name = "breakpoints", .answer = answer_perf,
	  .what = "hardware breakpoints open but never fire",
	  .rules = { { SYS_perf_event_open, -1, SECCOMP_RET_USER_NOTIF } } },
	{ .name = "perf", .what = "no perf events",
	  .rules = { { SYS_perf_event_open, -1, REFUSE(ENOSYS) } } },
	{ .name = "modules", .what = "no kernel modules",
	  .rules = { NO_MODULES } },
	{ .name = "bpf", .what = "no BPF",
	  .rules = { { SYS_bpf, -1, REFUSE(EPERM) } } },
	{ .name = "container", .prepare = contain, .last = drop_capabilities,
	  .what = "Docker's defaults: few capabilities, no KVM, BPF or perf, read-only /sys",
	  .rules = { NO_MODULES, { SYS_bpf, -1, REFUSE(EPERM) },
		     { SYS_perf_event_open, -1, REFUSE(EPERM) } } },
	{ .name = "memory", .what = "4 GiB of memory",
	  .prepare = little_memory },
	{ .name = "cores", .what = "one CPU", .prepare = one_core },
	{ .name = "busy", .what = "a busy neighbour on each CPU",
	  .prepare = be_busy },
	{ .name = "clock", .answer = answer_clock, .traced = true,
	  .what = "a wall clock that jumps by hours",
	  .rules = {
		{ SYS_clock_gettime, CLOCK_REALTIME, SECCOMP_RET_USER_NOTIF },
		{ SYS_clock_gettime, CLOCK_REALTIME_COARSE,
		  SECCOMP_RET_USER_NOTIF },
#ifdef SYS_time
		{ SYS_time, -1, SECCOMP_RET_USER_NOTIF },
#endif
		{ SYS_gettimeofday, -1, SECCOMP_RET_USER_NOTIF },
	  } },
};

/* --- the command --- */

static void __attribute__((noreturn))
child(const struct mode *m, char **argv, int go)
{
	int listener = 0;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Not before it is traced. */
	if (read(go, &c, 1) != 1)
		_exit(CANT);
	if (m->rules[0].action)
		listener = filter(m->rules);
	if (m->last)
		m->last();
	if (write(report_to, &listener, sizeof(listener)) != sizeof(listener))
		_exit(CANT);
	execvp(argv[0], argv);
	fprintf(stderr, "without: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static volatile sig_atomic_t got_signal;

static void on_signal(int sig)
{
	if (sig != SIGCHLD)
		got_signal = sig;
}

/* Until the command has ended; the status of its end. @mask: for waiting. */
static int watch(const struct mode *m, pid_t pid, int listener,
		 const sigset_t *mask)
{
	struct pollfd poll_fd = { .fd = listener > 0 ? listener : -1,
				  .events = POLLIN };
	int status;
	pid_t p;

	for (;;) {
		while ((p = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
			if (WIFSTOPPED(status))
				resume(p, status);
			else if (p == pid)
				return status;
		}
		if (got_signal) {
			kill(pid, got_signal);
			got_signal = 0;
		}
		if (ppoll(&poll_fd, 1, NULL, mask) > 0) {
			if (poll_fd.revents & POLLIN)
				answer_one(listener, m->answer);
			else
				poll_fd.fd = -1;	/* nobody has the filter */
		}
	}
}

static int run(const struct mode *m, char **argv)
{
	static const int handled[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	struct sigaction sa = { .sa_handler = on_signal };
	int go[2], told[2], listener = 0, status;
	sigset_t mine, before;
	size_t i;
	pid_t pid;

	if (m->prepare)
		m->prepare();
	if (pipe2(go, O_CLOEXEC) || pipe2(told, O_CLOEXEC))
		cant("pipe: %s", strerror(errno));
	/* One table of files until exec, so that the listener is here, too. */
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	must("clone", pid);
	if (!pid) {
		report_to = told[1];
		child(m, argv, go[0]);
	}
	/* Delivered while watch() waits, and at no other time. */
	sigemptyset(&mine);
	for (i = 0; i < ARRAY_SIZE(handled); i++) {
		sigaction(handled[i], &sa, NULL);
		sigaddset(&mine, handled[i]);
	}
	sigprocmask(SIG_BLOCK, &mine, &before);
	if (m->traced)
		must("ptrace", ptrace(PTRACE_SEIZE, pid, NULL,
				      PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK |
				      PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE));
	if (write(go[1], "", 1) != 1 ||
	    read(told[0], &listener, sizeof(listener)) != sizeof(listener))
		listener = 0;
	status = watch(m, pid, listener, &before);
	be_quiet();
	leave_cgroup();
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < ARRAY_SIZE(modes); i++)
			printf("%-12s %s\n", modes[i].name, modes[i].what);
		return 0;
	}
	if (argc < 4 || strcmp(argv[2], "--")) {
		fputs("usage: without MODE -- COMMAND [ARG]...; without --list: the modes\n",
		      stderr);
		return 2;
	}
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(modes[i].name, argv[1]))
			continue;
		mode_name = modes[i].name;
		return run(&modes[i], argv + 3);
	}
	fprintf(stderr, "without: no mode '%s'; without --list names them\n",
		argv[1]);
	return 2;
}
