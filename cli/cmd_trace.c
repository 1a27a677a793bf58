// SPDX-License-Identifier: GPL-2.0
/*
 * ptelab trace: counts the mm and KVM events of any program, or of the whole
 * machine, as perf stat counts a CPU's.
 *
 * One file though it is long: how to count and what to print depend on the same
 * options, which no other command has.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bpf/attach.h"
#include "bpf/bt.h"
#include "bpf/retry/retry_sites.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/metric.h"
#include "lib/util.h"

enum { OPT_LIST = 256, OPT_JSON, OPT_EXPLAIN, OPT_VMLINUX, OPT_BPFTRACE,
       OPT_BT, OPT_PERF };

static const struct argp_option options[] = {
	{ "event", 'e', "GLOB[,GLOB...]", 0,
	  "count only these events; may be repeated; default all", 0 },
	{ "pid", 'p', "PID", 0,
	  "count a running process, its threads and its children", 0 },
	{ "all", 'a', NULL, 0,
	  "count the whole machine, even with a command or -p", 0 },
	{ "interval", 'I', "MS", 0, "print the counts of every MS milliseconds", 0 },
	{ "output", 'o', "FILE", 0,
	  "print to FILE, - for standard output; default standard error", 0 },
	{ "bt", OPT_BT, "SCRIPT", 0,
	  "also count with this bpftrace program, or FILE.bt [ARG...]: each number in its maps is a count bt.MAP, or bt.MAP.KEY",
	  0 },
	{ "json", OPT_JSON, NULL, 0,
	  "print one JSON object; with -I, one per line", 0 },
	{ "list", OPT_LIST, NULL, 0,
	  "print each counter and where it attaches here, or why it can't", 0 },
	{ "perf-args", OPT_PERF, NULL, 0,
	  "print the perf commands that count the same, where perf can", 0 },
	{ "explain-retry", OPT_EXPLAIN, NULL, 0,
	  "show where lockless_retries is counted, and why", 0 },
	{ "vmlinux", OPT_VMLINUX, "FILE", 0,
	  "with --explain-retry: read this kernel, not the running one", 0 },
	{ "bpftrace", OPT_BPFTRACE, NULL, 0,
	  "with --explain-retry: print only the arguments of bpf/lockless_retries.bt", 0 },
	{ 0 }
};

static const char doc[] =
	"Counts the mm and KVM events of a command, a process, or the machine.\v"
	"Without a command, -p or -a, the whole machine is counted. Counting ends "
	"when the command or the process ends, or with Ctrl-C. An event belongs to "
	"the process whose memory it concerns, whichever task causes it.\n"
	"\n"
	"Examples:\n"
	"  ptelab trace -- ./my-program --its-option\n"
	"  ptelab trace -e 'gup_*,lockless_*' -p 1234 -I 1000\n"
	"  ptelab trace -e 'notifier_*,kvm_*' --json -o vm.json -p $(pidof qemu-system-aarch64)\n"
	"  ptelab trace --bt 'kprobe:do_wp_page { @wp[comm] = count(); }' -- make\n"
	"  ptelab trace --list\n"
	"  ptelab trace --perf-args -- ./my-program\n"
	"  ptelab trace --explain-retry\n"
	"\n"
	"Exit status: that of the command, or 128 plus the signal that killed it; "
	"2 if nothing could be traced.";

#define MAX_GLOBS	64

static struct {
	const char *globs[MAX_GLOBS];
	unsigned int nr_globs;
	pid_t pid;
	bool all, json, list, perf, explain, bpftrace;
	unsigned long interval_ms;
	const char *output, *vmlinux, *script;
	char **command;		/* NULL: there is none */
} env;

static error_t parse(int key, char *arg, struct argp_state *state)
{
	uint64_t v;
	char *glob;

	switch (key) {
	case 'e':
		for (glob = strtok(arg, ","); glob; glob = strtok(NULL, ",")) {
			if (env.nr_globs == MAX_GLOBS)
				args_error(state, "too many -e");
			env.globs[env.nr_globs++] = glob;
		}
		break;
	case 'p':
		if (parse_u64(arg, &v) || !v || v > INT32_MAX)
			args_error(state, "-p takes the number of a process, not '%s'",
				   arg);
		env.pid = v;
		break;
	case 'a':
		env.all = true;
		break;
	case 'I':
		if (parse_u64(arg, &v) || v < 10 || v > 86400000)
			args_error(state, "-I takes 10 to 86400000 milliseconds, not '%s'",
				   arg);
		env.interval_ms = v;
		break;
	case 'o':
		env.output = arg;
		break;
	case OPT_JSON:
		env.json = true;
		break;
	case OPT_BT:
		env.script = arg;
		break;
	case OPT_LIST:
		env.list = true;
		break;
	case OPT_PERF:
		env.perf = true;
		break;
	case OPT_EXPLAIN:
		env.explain = true;
		break;
	case OPT_VMLINUX:
		env.vmlinux = arg;
		break;
	case OPT_BPFTRACE:
		env.bpftrace = true;
		break;
	case ARGP_KEY_ARG:
		/* The command takes all remaining arguments. */
		env.command = &state->argv[state->next - 1];
		state->next = state->argc;
		break;
	case ARGP_KEY_END:
		if (env.pid && env.command)
			args_error(state, "-p and a command exclude each other");
		if ((env.vmlinux || env.bpftrace) && !env.explain)
			args_error(state, "--vmlinux and --bpftrace go with --explain-retry");
		if (env.script && (env.list || env.perf || env.explain ||
				   env.interval_ms))
			args_error(state, "--bt counts once, at the end: neither -I, --list, --perf-args nor --explain-retry go with it");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* --- which counters --- */

static int no_such_counter(const char *glob)
{
	const char *names[MAX_COUNTERS], *near;
	unsigned int i;

	for (i = 0; i < bpf_counters_nr; i++)
		names[i] = bpf_counters[i].metric;
	near = nearest_name(glob, names, bpf_counters_nr);
	if (near)
		return fail(EINVAL, "no counter '%s'; did you mean %s?", glob,
			    near);
	return fail(EINVAL, "no counter '%s'; see ptelab trace --list", glob);
}

static int select_counters(bool want[MAX_COUNTERS])
{
	unsigned int i, g;

	for (i = 0; i < bpf_counters_nr; i++)
		want[i] = !env.nr_globs;
	for (g = 0; g < env.nr_globs; g++) {
		bool any = false;

		for (i = 0; i < bpf_counters_nr; i++) {
			if (fnmatch(env.globs[g], bpf_counters[i].metric, 0))
				continue;
			want[i] = any = true;
		}
		if (!any)
			return no_such_counter(env.globs[g]);
	}
	return 0;
}

/* --- --bt --- */

static struct {
	struct bt *bt;		/* NULL: there is none */
	json_t *before, *counts;	/* by metric */
	json_t *absent;		/* reasons, by metric */
} script;

/* Without bpftrace, all else is counted. */
static int script_start(pid_t pid)
{
	script.absent = json_object();
	script.counts = json_object();
	if (!env.script)
		return 0;
	script.bt = bt_start(env.script, pid);
	if (!script.bt && errno != ENOENT)
		return -EINVAL;
	if (!script.bt) {
		warn("%s", fail_text());
		json_object_set_new(script.absent, "bt.*",
				    json_string(fail_text()));
		return 0;
	}
	script.before = bt_read(script.bt, script.absent);
	return script.before ? 0 : -EPROTO;
}

static int script_end(void)
{
	json_t *now, *n;
	const char *name;
	void *next;

	if (!script.bt)
		return 0;
	now = bt_read(script.bt, script.absent);
	if (!now)
		return -EPROTO;
	json_decref(script.counts);
	script.counts = bt_since(script.before, now);
	json_decref(now);
	json_object_foreach_safe(script.counts, next, name, n) {
		if (json_integer_value(n) >= 0)
			continue;
		json_object_set_new(script.absent, name, json_string(bt_fell));
		json_object_del(script.counts, name);
	}
	return 0;
}

static void script_free(void)
{
	if (script.bt)
		bt_stop(script.bt);
	json_decref(script.before);
	json_decref(script.counts);
	json_decref(script.absent);
}

/* --- printing --- */

static FILE *out;

static const char *unit_of(unsigned int i)
{
	const struct metric *m = metric_find(bpf_counters[i].metric);

	return m ? m->unit : "";
}

/* Returns the command line as one string; the caller frees. */
static char *words(char **argv)
{
	char *text = xstrdup(""), *more;

	for (; *argv; argv++) {
		more = xasprintf("%s%s%s", text, *text ? " " : "", *argv);
		free(text);
		text = more;
	}
	return text;
}

static char *whose(void)
{
	char *text, *command;

	if (env.pid && !env.all)
		return xasprintf("process %d and its children", env.pid);
	if (!env.command)
		return xstrdup("the whole machine");
	command = words(env.command);
	text = xasprintf("%s'%s'%s", env.all ? "the whole machine during " : "",
			 command, env.all ? "" : " and its children");
	free(command);
	return text;
}

/* Names that a line shows; --verbose shows all. */
#define FEW_NAMES	4

/*
 * Prints the absent counters, those with the same reason on one line, which
 * begins with @what.
 */
static void print_absent(const bool *want, const struct trace_value *v,
			 const char *what)
{
	bool done[MAX_COUNTERS] = { false };
	unsigned int i, k, nr;

	for (i = 0; i < bpf_counters_nr; i++) {
		if (!want[i] || !v[i].absent || done[i])
			continue;
		fprintf(out, "%s%s", what, bpf_counters[i].metric);
		for (nr = 1, k = i + 1; k < bpf_counters_nr; k++) {
			if (!want[k] || !v[k].absent ||
			    strcmp(v[i].absent, v[k].absent))
				continue;
			done[k] = true;
			if (nr++ < FEW_NAMES || args_verbose)
				fprintf(out, ", %s", bpf_counters[k].metric);
		}
		if (nr > FEW_NAMES && !args_verbose)
			fprintf(out, " and %u more", nr - FEW_NAMES);
		fprintf(out, ": %s\n", v[i].absent);
	}
}

static void print_script(void)
{
	const struct metric *m = metric_find("bt.x");
	const char *name;
	json_t *n;

	json_object_foreach(script.counts, name, n)
		fprintf(out, "%16" JSON_INTEGER_FORMAT "  %-28s %s\n",
			json_integer_value(n), name, m->unit);
	if (args_quiet)
		return;
	json_object_foreach(script.absent, name, n)
		fprintf(out, "not counted: %s: %s\n", name,
			json_string_value(n));
}

static void print_table(const bool *want, const struct trace_value *v,
			double seconds)
{
	/* also print zeroes of events that were named */
	bool all = args_verbose || env.nr_globs;
	char *who = whose(), zeros[256] = "";
	unsigned int i, nr_zeros = 0;

	fprintf(out, "\nEvents of %s, %.3f s:\n\n", who, seconds);
	free(who);
	for (i = 0; i < bpf_counters_nr; i++) {
		const char *name = bpf_counters[i].metric;
		size_t len = strlen(zeros);

		if (!want[i] || v[i].absent)
			continue;
		if (!v[i].count && !v[i].missed && !all) {
			if (++nr_zeros <= FEW_NAMES)
				snprintf(zeros + len, sizeof(zeros) - len,
					 "%s%s", len ? ", " : "", name);
			continue;
		}
		fprintf(out, "%16" PRIu64 "  %-28s %s", v[i].count, name,
			unit_of(i));
		if (v[i].missed)
			fprintf(out, ", %" PRIu64 " more hits were lost",
				v[i].missed);
		fputc('\n', out);
	}
	if (nr_zeros > FEW_NAMES)
		fprintf(out, "%16d  %s and %u more\n", 0, zeros,
			nr_zeros - FEW_NAMES);
	else if (nr_zeros)
		fprintf(out, "%16d  %s\n", 0, zeros);
	print_script();
	if (!args_quiet) {
		fputc('\n', out);
		print_absent(want, v, "not counted: ");
	}
}

static json_t *values_json(const struct tracer *t, const bool *want,
			   const struct trace_value *v)
{
	json_t *counters = json_object(), *absent = json_object(), *c;
	const char *name;
	unsigned int i;

	for (i = 0; i < bpf_counters_nr; i++) {
		const char *metric = bpf_counters[i].metric;

		if (!want[i])
			continue;
		if (v[i].absent) {
			json_object_set_new(absent, metric,
					    json_string(v[i].absent));
			continue;
		}
		c = json_pack("{s:I, s:s, s:s}",
			      "count", (json_int_t)v[i].count,
			      "unit", unit_of(i),
			      "attached", tracer_how(t, i));
		if (v[i].missed)
			json_object_set_new(c, "missed", json_integer(
						    (json_int_t)v[i].missed));
		json_object_set_new(counters, metric, c);
	}
	json_object_foreach(script.counts, name, c)
		json_object_set_new(counters, name, json_pack(
				"{s:O, s:s, s:s}", "count", c, "unit",
				metric_find(name)->unit, "attached",
				"bpftrace"));
	json_object_update(absent, script.absent);
	return json_pack("{s:o, s:o}", "counters", counters, "absent", absent);
}

static void print_json(json_t *o)
{
	json_dumpf(o, out, JSON_COMPACT);
	fputc('\n', out);
	fflush(out);
	json_decref(o);
}

static void print_end(const struct tracer *t, const bool *want,
		      const struct trace_value *v, double seconds)
{
	json_t *o, *list;
	char **word;

	if (!env.json) {
		print_table(want, v, seconds);
		return;
	}
	o = values_json(t, want, v);
	json_object_set_new(o, "schema", json_string("ptelab-trace-1"));
	json_object_set_new(o, "seconds", json_real(seconds));
	if (env.pid)
		json_object_set_new(o, "pid", json_integer(env.pid));
	if (env.command) {
		list = json_array();
		for (word = env.command; *word; word++)
			json_array_append_new(list, json_string(*word));
		json_object_set_new(o, "command", list);
	}
	if (tracer_warning(t))
		json_object_set_new(o, "warning",
				    json_string(tracer_warning(t)));
	print_json(o);
}

/* Prints the events since @last; omits events that did not happen. */
static void print_interval(const bool *want, const struct trace_value *last,
			   const struct trace_value *v, double at)
{
	json_t *counts = json_object();
	unsigned int i;

	if (!env.json && !at)
		fprintf(out, "%12s %16s  %s\n", "seconds", "count", "event");
	for (i = 0; i < bpf_counters_nr && at; i++) {
		uint64_t n = v[i].count - last[i].count;

		if (!want[i] || v[i].absent || v[i].count <= last[i].count)
			continue;
		if (env.json)
			json_object_set_new(counts, bpf_counters[i].metric,
					    json_integer((json_int_t)n));
		else
			fprintf(out, "%12.3f %16" PRIu64 "  %s\n", at, n,
				bpf_counters[i].metric);
	}
	if (env.json && at)
		print_json(json_pack("{s:f, s:O}", "at", at, "counts", counts));
	json_decref(counts);
	fflush(out);
}

/* --- the traced command --- */

struct child {
	pid_t pid;
	int go;		/* closed when the tracer is ready: exec now */
	int failed;	/* carries errno if exec failed */
};

static int open_pipe(int fd[2])
{
	if (pipe2(fd, O_CLOEXEC))
		return fail(errno, "can't make a pipe: %s", strerror(errno));
	return 0;
}

static void child_main(struct tracer *t, int go, int failed,
		       const sigset_t *mask)
{
	char c;
	int err;

	while (read(go, &c, 1) < 0 && errno == EINTR)
		;
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (!env.all) {
		err = -tracer_track_me(t);
		if (err)
			goto tell;
	}
	execvp(env.command[0], env.command);
	err = errno;
tell:
	while (write(failed, &err, sizeof(err)) < 0 && errno == EINTR)
		;
	_exit(127);
}

static int start_child(struct tracer *t, struct child *c, const sigset_t *mask)
{
	int go[2], failed[2], ret;

	ret = open_pipe(go);
	if (ret)
		return ret;
	ret = open_pipe(failed);
	if (ret)
		return ret;
	fflush(NULL);
	c->pid = fork();
	if (c->pid < 0)
		return fail(errno, "can't start another process: %s",
			    strerror(errno));
	if (!c->pid) {
		close(go[1]);
		close(failed[0]);
		child_main(t, go[0], failed[1], mask);
	}
	close(go[0]);
	close(failed[1]);
	c->go = go[1];
	c->failed = failed[0];
	return 0;
}

/* Lets the child exec the command; returns -errno if that fails. */
static int run_child(struct child *c)
{
	int err;
	ssize_t n;

	close(c->go);
	do {
		n = read(c->failed, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	close(c->failed);
	if (n != sizeof(err))
		return 0;
	waitpid(c->pid, NULL, 0);
	return fail(err, "%s: %s", env.command[0],
		    err == ENOENT ? "no such program" : strerror(err));
}

/* --- the run --- */

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/*
 * Waits for a signal, the end of the process or the end of the interval. Returns
 * 1 if counting is over, 0 if an interval has passed.
 */
static int wait_event(int sig_fd, int pid_fd, double until, pid_t child,
		      int *status)
{
	struct pollfd p[2] = {
		{ .fd = sig_fd, .events = POLLIN },
		{ .fd = pid_fd, .events = POLLIN },
	};
	static bool asked;
	struct signalfd_siginfo si;
	struct timespec ts, *timeout = NULL;

	for (;;) {
		if (until > 0) {
			double left = until - now_s();

			if (left <= 0)
				return 0;
			ts.tv_sec = left;
			ts.tv_nsec = (left - ts.tv_sec) * 1e9;
			timeout = &ts;
		}
		if (ppoll(p, 2, timeout, NULL) < 0 && errno != EINTR)
			return 1;
		if (p[1].revents)
			return 1;
		if (!(p[0].revents & POLLIN) ||
		    read(sig_fd, &si, sizeof(si)) != sizeof(si))
			continue;
		if (si.ssi_signo == SIGCHLD) {
			if (child && waitpid(child, status, WNOHANG) == child)
				return 1;
			continue;
		}
		/*
		 * Pass the first signal on and wait for the command, so that
		 * its last events count. Stop at the second signal.
		 */
		if (!child || asked) {
			*status = si.ssi_signo;
			return 1;
		}
		asked = true;
		kill(child, si.ssi_signo);
	}
}

static int open_output(void)
{
	out = stderr;
	if (!env.output)
		return 0;
	out = strcmp(env.output, "-") ? fopen(env.output, "we") : stdout;
	if (!out)
		return fail(errno, "%s: %s", env.output, strerror(errno));
	return 0;
}

/* Returns NULL if something is counted, otherwise the reason why not. */
static const char *nothing_counted(const bool *want,
				   const struct trace_value *v)
{
	const char *why = NULL;
	unsigned int i;

	for (i = 0; i < bpf_counters_nr; i++) {
		if (!want[i])
			continue;
		if (!v[i].absent)
			return NULL;
		why = v[i].absent;
	}
	return why;
}

/* Adds a signal unless it is ignored, as by nohup or a shell's "&". */
static void add_unless_ignored(sigset_t *set, int sig)
{
	struct sigaction sa;

	if (sigaction(sig, NULL, &sa) || sa.sa_handler != SIG_IGN)
		sigaddset(set, sig);
}

static int trace(struct tracer *t, const bool *want, int *status)
{
	struct trace_value v[MAX_COUNTERS], last[MAX_COUNTERS] = { 0 };
	int sig_fd, pid_fd = -1, ret, over = 0;
	struct child child = { 0 };
	sigset_t mask, old;
	double start, until = 0;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	add_unless_ignored(&mask, SIGINT);
	add_unless_ignored(&mask, SIGTERM);
	add_unless_ignored(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, &old);
	sig_fd = signalfd(-1, &mask, SFD_CLOEXEC);

	if (env.command) {
		ret = start_child(t, &child, &old);
		if (ret)
			return ret;
	}
	if (env.pid) {
		pid_fd = syscall(SYS_pidfd_open, env.pid, 0);
		if (pid_fd < 0 && errno == ESRCH)
			return fail(ESRCH, "no process %d", env.pid);
	}
	if (env.pid && !env.all) {
		ret = tracer_track_pid(t, env.pid);
		if (ret == -ESRCH)
			return fail(ESRCH, "no process %d", env.pid);
		if (ret)
			return ret;
	}
	if (env.all || (!env.pid && !env.command))
		tracer_software(t, 0, false);
	else
		tracer_software(t, env.pid ? env.pid : child.pid, !env.pid);
	ret = script_start(env.pid ? env.pid : child.pid);
	tracer_zero(t);
	start = now_s();
	tracer_read(t, v);
	if (!ret && !script.bt && nothing_counted(want, v))
		ret = fail(ENOTSUP, "nothing to count: %s",
			   nothing_counted(want, v));
	if (ret) {
		if (child.pid) {
			kill(child.pid, SIGKILL);
			waitpid(child.pid, NULL, 0);
		}
		return ret;
	}
	if (child.pid) {
		ret = run_child(&child);
		if (ret)
			return ret;
	}
	if (env.interval_ms)
		print_interval(want, last, v, 0);
	while (!over) {
		if (env.interval_ms)
			until = (until ? until : start) + env.interval_ms / 1e3;
		over = wait_event(sig_fd, pid_fd, until, child.pid, status);
		tracer_read(t, v);
		if (env.interval_ms)
			print_interval(want, last, v, now_s() - start);
		memcpy(last, v, sizeof(last));
	}
	if (script_end())
		return -EPROTO;
	print_end(t, want, v, now_s() - start);
	if (tracer_warning(t))
		warn("%s", tracer_warning(t));
	return 0;
}

/* --- --list, --perf-args and --explain-retry --- */

static int list(void)
{
	bool want[MAX_COUNTERS] = { false };
	struct trace_value v[MAX_COUNTERS];
	struct tracer *t;
	unsigned int i;
	int ret;

	ret = select_counters(want);
	if (ret)
		return ret;
	t = tracer_new(want, WHOSE_ALL);
	tracer_software(t, 0, false);
	tracer_read(t, v);
	out = stdout;
	if (env.json) {
		json_t *o = values_json(t, want, v), *c;
		const char *metric;

		/* nothing was counted, so drop the counts */
		json_object_foreach(json_object_get(o, "counters"), metric, c)
			json_object_del(c, "count");
		print_json(o);
	}
	for (i = 0; i < bpf_counters_nr && !env.json; i++) {
		if (!want[i])
			continue;
		if (args_quiet)
			puts(bpf_counters[i].metric);
		else if (!v[i].absent || args_verbose)
			printf("%-28s %s%s\n", bpf_counters[i].metric,
			       v[i].absent ? "- " : "",
			       v[i].absent ? v[i].absent : tracer_how(t, i));
	}
	if (!env.json && !args_quiet && !args_verbose)
		print_absent(want, v, "- ");
	tracer_free(t);
	return 0;
}

/*
 * The event that counts the same in perf; NULL: there is none here. For a function
 * prints the command that makes it. The caller frees.
 */
static char *perf_event(const struct tracer *t, unsigned int i)
{
	const struct bpf_counter *c = &bpf_counters[i];
	const char *how = tracer_how(t, i), *where = strchr(how, ' ');
	char *name, *pattern, *event = NULL, *dot;
	glob_t g;

	if (c->way[0].point[0].kind == POINT_SOFTWARE)
		return xstrdup(!strcmp(c->metric, "faults.minor") ?
			       "minor-faults" : "major-faults");
	where = where ? where + 1 : "";
	if (!strncmp(how, "tracepoint ", 11)) {
		pattern = xasprintf("/sys/kernel/tracing/events/*/%s", where);
		if (!glob(pattern, 0, NULL, &g)) {
			name = strrchr(g.gl_pathv[0], '/');
			*name = 0;
			event = xasprintf("%s:%s", strrchr(g.gl_pathv[0], '/') +
					  1, where);
			globfree(&g);
		}
		free(pattern);
		return event;
	}
	name = xasprintf("ptelab_%s", c->metric);
	for (dot = name; (dot = strchr(dot, '.')); )
		*dot = '_';
	printf("perf probe -q -a '%s=%s'\n", name, where);
	event = xasprintf("probe:%s", name);
	free(name);
	return event;
}

static void print_perf_command(const char *events)
{
	char **word, *quoted;

	printf("perf stat -e %s", events);
	if (env.all || (!env.pid && !env.command))
		printf(" -a");
	else if (env.pid)
		printf(" -p %d", env.pid);
	if (env.command)
		printf(" --");
	for (word = env.command; word && *word; word++) {
		quoted = shell_word(*word);
		printf(" %s", quoted);
		free(quoted);
	}
	putchar('\n');
}

static int perf_args(void)
{
	char *events = xstrdup(""), *not = xstrdup(""), *event;
	bool want[MAX_COUNTERS] = { false };
	struct trace_value v[MAX_COUNTERS];
	unsigned int i, nr_not = 0;
	struct tracer *t;

	if (select_counters(want))
		return -EINVAL;
	t = tracer_new(want, WHOSE_ALL);
	tracer_software(t, 0, false);
	tracer_read(t, v);
	for (i = 0; i < bpf_counters_nr; i++) {
		if (!want[i])
			continue;
		event = bpf_counters[i].plain && !v[i].absent ?
			perf_event(t, i) : NULL;
		if (event)
			append_text(&events, ",", "%s", event);
		else if (nr_not++ < FEW_NAMES || args_verbose)
			append_text(&not, ", ", "%s", bpf_counters[i].metric);
		free(event);
	}
	tracer_free(t);
	if (*events)
		print_perf_command(events);
	if (strstr(events, "probe:"))
		puts("perf probe -q -d 'ptelab_*'");
	if (nr_not > FEW_NAMES && !args_verbose)
		append_text(&not, "", " and %u more", nr_not - FEW_NAMES);
	if (*not && !args_quiet)
		printf("# no event of perf: %s\n", not);
	i = !*events;
	free(events);
	free(not);
	return i ? fail(ENOTSUP, "perf can count none of these here; ptelab trace --list has the reasons") : 0;
}

static const char retry_function[] = "contpte_ptep_get_lockless";

static int explain_retries(void)
{
	struct retry_sites sites;
	FILE *to = env.bpftrace ? NULL : stdout;
	int ret;

#ifndef __aarch64__
	if (!env.vmlinux)
		return fail(ENOTSUP, "only arm64 kernels have contpte; to look into one from this machine, give its --vmlinux");
#endif
	if (env.vmlinux)
		ret = retry_sites_elf(env.vmlinux, retry_function, &sites, to);
	else
		ret = retry_sites_running(retry_function, &sites, to);
	if (ret)
		return fail(-ret, "%s", sites.why_not);
	if (env.bpftrace && sites.first_counts)
		return fail(ENOTSUP, "in this kernel the first try passes the same instruction as a retry, so bpftrace would also count the calls");
	/* The script takes two; 0 stands for none. */
	if (env.bpftrace && sites.nr > 2)
		return fail(E2BIG, "this kernel has %u places where a try starts; bpf/lockless_retries.bt takes at most two",
			    sites.nr);
	if (env.bpftrace)
		printf("%" PRIu64 " %" PRIu64 "\n", sites.offset[0],
		       sites.nr > 1 ? sites.offset[1] : 0);
	return 0;
}

int cmd_trace(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "[COMMAND [ARG...]]",
					  doc, NULL, NULL, NULL };
	bool want[MAX_COUNTERS] = { false };
	int ret, status = 0;
	enum whose whose;
	struct tracer *t;

	args_parse(&argp, argc, argv, ARGP_IN_ORDER);
	if (env.list || env.perf || env.explain)
		return (env.list ? list() : env.perf ? perf_args() :
			explain_retries()) ? EXIT_COULD_NOT : EXIT_DONE;
	ret = select_counters(want);
	if (!ret)
		ret = open_output();
	if (ret)
		return EXIT_COULD_NOT;
	if (env.all || (!env.pid && !env.command))
		whose = WHOSE_ALL;
	else
		whose = env.pid ? WHOSE_PID : WHOSE_CHILD;
	t = tracer_new(want, whose);
	ret = trace(t, want, &status);
	script_free();
	tracer_free(t);
	if (ret)
		return EXIT_COULD_NOT;
	if (out != stderr && (fflush(out) || ferror(out))) {
		fail(EIO, "%s: not all could be written: %s", env.output,
		     strerror(errno));
		return EXIT_COULD_NOT;
	}
	if (!env.command)
		return EXIT_DONE;
	/* Exit here: if the command returns 2, main() must not print an error. */
	exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				   WEXITSTATUS(status));
}
