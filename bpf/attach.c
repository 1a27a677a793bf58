// SPDX-License-Identifier: GPL-2.0
/*
 * See attach.h.
 *
 * Only attaching shows for certain what a kernel can attach. So this chooses
 * the best way of each counter that has not failed yet, loads and attaches,
 * excludes the ways that failed, and starts again until all that is chosen is
 * attached.
 */
#include "bpf/attach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/kernel.h"
#include "bpf/programs.h"
#include "bpf/tracer.h"

#define KERNEL_ENOTSUPP	524	/* leaks to user space, which has no name for it */

/* --- libbpf's messages --- */

static char bpf_log[1 << 16];
static size_t bpf_log_len;

static int keep_log(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	int n;

	if (getenv("PTELAB_BPF_DEBUG"))
		return vfprintf(stderr, fmt, ap);
	if (level != LIBBPF_WARN || bpf_log_len + 1 >= sizeof(bpf_log))
		return 0;
	n = vsnprintf(bpf_log + bpf_log_len, sizeof(bpf_log) - bpf_log_len,
		      fmt, ap);
	if (n > 0)
		bpf_log_len += n;
	if (bpf_log_len >= sizeof(bpf_log))
		bpf_log_len = sizeof(bpf_log) - 1;
	return n;
}

static void forget_log(void)
{
	bpf_log_len = 0;
	bpf_log[0] = 0;
}

/* Gets the program that a failed load names: "prog 'NAME': ...". */
static bool blamed_program(char *name, size_t size)
{
	const char *p = strstr(bpf_log, "prog '"), *end;

	if (!p)
		return false;
	p += 6;
	end = strchr(p, '\'');
	if (!end || (size_t)(end - p) >= size)
		return false;
	snprintf(name, size, "%.*s", (int)(end - p), p);
	return true;
}

/* Returns the verifier's last message: the line before its statistics. */
static const char *verifier_words(void)
{
	static char line[160];
	const char *end = strstr(bpf_log, "\nprocessed "), *p;

	if (!end)
		return NULL;
	for (p = end; p > bpf_log && p[-1] != '\n'; p--)
		;
	snprintf(line, sizeof(line), "%.*s", (int)(end - p), p);
	return line;
}

static const char *bpf_strerror(int err)
{
	return err == KERNEL_ENOTSUPP ? "not supported by this kernel" :
					strerror(err);
}

static const char *not_permitted(void)
{
	static char why[300];
	bool all;

	if (geteuid())
		return "not permitted: run as root (CAP_BPF and CAP_PERFMON)";
	if (!why[0])
		snprintf(why, sizeof(why), "not permitted, even as root; %s",
			 kernel_programs(&all));
	return why;
}

/* --- loading --- */

static void set_range(const char *const *names, u64 *start, u64 *end)
{
	struct kernel_symbol sym;

	for (; *names; names++) {
		if (kernel_symbol_find(*names, &sym))
			continue;
		*start = sym.start;
		*end = sym.end;
		return;
	}
}

static void set_gup_ranges(struct tracer *t)
{
	static const char *const fast[] = {
		"gup_fast_fallback", "internal_get_user_pages_fast", NULL
	};
	static const char *const cold[] = {
		"gup_fast_fallback.cold", "internal_get_user_pages_fast.cold",
		NULL
	};
	static const char *const trampoline[] = {
		"arch_rethook_trampoline", "__kretprobe_trampoline",
		"kretprobe_trampoline", NULL
	};
	struct ptelab__rodata *ro = t->skel->rodata;

	if (!program_used(t, "gup_slow_k") &&
	    !program_used(t, "gup_slow_gup_k") &&
	    !program_used(t, "gup_slow_mark_k"))
		return;
	set_range(fast, &ro->gup_fast_start[0], &ro->gup_fast_end[0]);
	set_range(cold, &ro->gup_fast_start[1], &ro->gup_fast_end[1]);
	set_range(trampoline, &ro->trampoline_start, &ro->trampoline_end);
}

static bool follows(const struct tracer *t)
{
	return t->whose == WHOSE_CHILD || t->whose == WHOSE_PID;
}

/* Helper programs do not count, but keep track of whose events do. */
static bool helper_used(const struct tracer *t, const char *prog)
{
	static const char *const trackers[] = {
		"track_me", "follow_fork", "follow_exec", "follow_exit",
	};
	unsigned int i;

	if (!strcmp(prog, "whoami"))
		return t->whose == WHOSE_MINE || t->whose == WHOSE_PID;
	if (!strcmp(prog, "seed_task"))
		return t->whose == WHOSE_PID;
	if (!follows(t))
		return false;
	if (!strcmp(prog, "follow_mm_free"))
		return !t->no_trampolines;
	if (!strcmp(prog, "follow_mm_free_k"))
		return t->no_trampolines && !t->no_kprobes;
	for (i = 0; i < ARRAY_SIZE(trackers); i++)
		if (!strcmp(prog, trackers[i]))
			return true;
	return false;
}

static void choose_maps(struct tracer *t)
{
	const struct { struct bpf_map *map; const char *prog; } only_for[] = {
		{ t->skel->maps.in_slow, "gup_slow_mark_k" },
		{ t->skel->maps.zapped, "s2_refault" },
		{ t->skel->maps.in_start, "s2_unmap_note" },
		{ t->skel->maps.open_ranges, "kvm_end" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(only_for); i++)
		bpf_map__set_autocreate(only_for[i].map,
					program_used(t, only_for[i].prog));
	bpf_map__set_autocreate(t->skel->maps.tracked, follows(t));
	bpf_map__set_autocreate(t->skel->maps.tracked_mm, follows(t));
}

/* Opens the object that checks whose event it is, or the one that does not. */
static int open_skeleton(struct tracer *t)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "ptelab");
	struct bpf_object_skeleton *s;
	int err;

	t->skel = xcalloc(1, sizeof(*t->skel));
	err = ptelab__create_skeleton(t->skel);
	if (err)
		return err;
	s = t->skel->skeleton;
	if (t->whose == WHOSE_ALL)
		s->data = (void *)ptelab_all__elf_bytes(&s->data_sz);
	err = bpf_object__open_skeleton(s, &opts);
	t->obj = t->skel->obj;
	return err;
}

static int open_object(struct tracer *t)
{
	struct bpf_program *prog;
	unsigned int i;
	int err = open_skeleton(t);

	if (err)
		return err;
	bpf_object__for_each_program(prog, t->obj) {
		const char *name = bpf_program__name(prog);

		bpf_program__set_autoload(prog, program_used(t, name) ||
						helper_used(t, name));
	}
	for (i = 0; i < t->nr_attached; i++) {
		const struct attached *a = &t->attached[i];

		if (!is_trampoline(a->kind))
			continue;
		prog = bpf_object__find_program_by_name(t->obj, a->prog);
		err = bpf_program__set_attach_target(prog, 0, a->where);
		if (err)
			return err;
	}
	if (helper_used(t, "follow_mm_free"))
		bpf_program__set_attach_target(t->skel->progs.follow_mm_free,
					       0, "__mmdrop");
	choose_maps(t);
	t->skel->rodata->page_shift = __builtin_ctzl(sysconf(_SC_PAGESIZE));
	t->skel->rodata->filter = follows(t) ? FILTER_SET : FILTER_ONE;
	set_gup_ranges(t);
	return 0;
}

/* The kernel loads no program of this type at all. */
static void no_programs_like(struct tracer *t, const char *prog,
			     const char *why)
{
	struct bpf_program *p = bpf_object__find_program_by_name(t->obj, prog);
	enum bpf_prog_type type = p ? bpf_program__type(p) :
				      BPF_PROG_TYPE_UNSPEC;

	if (type == BPF_PROG_TYPE_TRACING && !t->no_trampolines)
		t->no_trampolines = why;
	else if (type == BPF_PROG_TYPE_KPROBE && !t->no_kprobes)
		t->no_kprobes = why;
	else
		t->no_bpf = why;
}

/* Excludes what made the load fail, so that the next one differs. */
static void load_failed(struct tracer *t, int err)
{
	const char *words = verifier_words(), *why;
	char prog[64] = "";

	blamed_program(prog, sizeof(prog));
	if (err == EPERM && !words) {
		no_programs_like(t, prog, not_permitted());
		return;
	}
	why = tracer_text(t, "the kernel rejects the BPF program: %s",
			words && *words ? words : bpf_strerror(err));
	if (!words && (err == KERNEL_ENOTSUPP || err == ENOSYS ||
		       err == EINVAL)) {
		no_programs_like(t, prog, why);
	} else if (helper_used(t, prog)) {
		t->no_bpf = tracer_text(t, "can't separate events by process: %s",
				      why);
	} else if (program_used(t, prog)) {
		tracer_exclude(t, prog, NULL, why);
	} else {
		t->no_bpf = why;
	}
}

static struct bpf_program *program(struct tracer *t, const char *name)
{
	return bpf_object__find_program_by_name(t->obj, name);
}

static void unload(struct tracer *t)
{
	unsigned int i;

	for (i = 0; i < t->nr_attached; i++) {
		bpf_link__destroy(t->attached[i].link);
		t->attached[i].link = NULL;
	}
	for (i = 0; i < ARRAY_SIZE(t->follow); i++) {
		bpf_link__destroy(t->follow[i]);
		t->follow[i] = NULL;
	}
	ptelab__destroy(t->skel);
	t->skel = NULL;
	t->obj = NULL;
	t->rows = NULL;
}

/* --- attaching --- */

static struct bpf_link *attach_one(struct tracer *t, const struct attached *a)
{
	struct bpf_program *prog = program(t, a->prog);
	LIBBPF_OPTS(bpf_kprobe_opts, opts, .offset = a->offset,
		    .retprobe = a->kind == POINT_KRETPROBE);

	switch (a->kind) {
	case POINT_FENTRY:
	case POINT_FEXIT:
		return bpf_program__attach_trace(prog);
	case POINT_KPROBE:
	case POINT_KRETPROBE:
		return bpf_program__attach_kprobe_opts(prog, a->where, &opts);
	case POINT_TRACEPOINT:
		return bpf_program__attach_raw_tracepoint(prog, a->where);
	default:
		errno = EINVAL;
		return NULL;
	}
}

static const char *attach_error(struct tracer *t, const struct attached *a,
				int err)
{
	char offset[24] = "";

	if (is_trampoline(a->kind) &&
	    (err == KERNEL_ENOTSUPP || err == EOPNOTSUPP)) {
		t->no_trampolines =
			"this kernel can't attach BPF to the entry of functions (fentry)";
		return t->no_trampolines;
	}
	if (err == EPERM || err == EACCES)
		return not_permitted();
	if (a->offset)
		snprintf(offset, sizeof(offset), "+%#llx",
			 (unsigned long long)a->offset);
	return tracer_text(t, "%s can't be attached to %s%s: %s",
			 point_kind_name(a->kind), a->where, offset,
			 bpf_strerror(err));
}

/* Returns how many could not be attached; their ways are excluded. */
static unsigned int attach_all(struct tracer *t)
{
	unsigned int i, bad = 0;

	for (i = 0; i < t->nr_attached; i++) {
		struct attached *a = &t->attached[i];

		if (a->link)
			continue;
		forget_log();
		a->link = attach_one(t, a);
		if (a->link)
			continue;
		tracer_exclude(t, a->prog, a->where, attach_error(t, a, errno));
		bad++;
	}
	return bad;
}

static void attach_follow(struct tracer *t)
{
	static const struct { const char *prog, *where; } list[] = {
		{ "follow_fork", "sched_process_fork" },
		{ "follow_exec", "sched_process_exec" },
		{ "follow_exit", "sched_process_exit" },
	};
	unsigned int i;

	if (!follows(t))
		return;
	for (i = 0; i < ARRAY_SIZE(list); i++) {
		t->follow[i] = bpf_program__attach_raw_tracepoint(
				program(t, list[i].prog), list[i].where);
		if (!t->follow[i])
			t->warning = "can't follow the child processes of the traced one";
	}
	if (helper_used(t, "follow_mm_free"))
		t->follow[i] = bpf_program__attach_trace(
				program(t, "follow_mm_free"));
	else if (helper_used(t, "follow_mm_free_k"))
		t->follow[i] = bpf_program__attach_kprobe(
				program(t, "follow_mm_free_k"), false,
				"__mmdrop");
	if (!t->follow[i] && !t->warning)
		t->warning = "can't see the end of an address space, so a later process may be mistaken for a traced one that ended";
}

/* One round. Returns true if all that is chosen is loaded and attached. */
static bool load_round(struct tracer *t)
{
	unsigned int i;
	int err;

	t->nr_attached = 0;
	for (i = 0; i < bpf_counters_nr; i++)
		choose_way(t, i);
	if (!t->nr_attached)
		return true;
	forget_log();
	err = open_object(t);
	if (!err)
		err = ptelab__load(t->skel);
	if (!err && !t->skel->bss)
		err = -EOPNOTSUPP;	/* no mmap() of maps before 5.5 */
	if (err) {
		load_failed(t, -err);
		unload(t);
		return false;
	}
	t->rows = t->skel->bss->rows;
	if (attach_all(t)) {
		unload(t);
		return false;
	}
	attach_follow(t);
	return true;
}

static struct tracer *load_tracer(const bool want[MAX_COUNTERS],
				  enum whose whose, bool quick)
{
	struct tracer *t = xcalloc(1, sizeof(*t));
	unsigned int i;

	libbpf_set_print(keep_log);
	t->whose = whose;
	t->quick = quick;
	t->no_bpf = kernel_no_btf();
	t->no_kprobes = kernel_no_kprobes();
	t->no_trampolines = kernel_no_fentry();
	for (i = 0; i < bpf_counters_nr; i++) {
		t->c[i].want = want[i];
		t->c[i].way = -1;
		if (!want[i])
			t->c[i].absent = "not requested";
		else
			t->c[i].absent = find_slots(t, &bpf_counters[i],
						    &t->c[i]);
	}
	/* Each round rules out at least one way. */
	while (!load_round(t))
		;
	tracer_zero(t);
	return t;
}

struct tracer *tracer_new(const bool want[MAX_COUNTERS], enum whose whose)
{
	return load_tracer(want, whose, false);
}

struct tracer *tracer_new_quick(const bool want[MAX_COUNTERS],
				enum whose whose)
{
	return load_tracer(want, whose, true);
}

void tracer_attach(struct tracer *t)
{
	unsigned int i;

	if (!t->obj)
		return;
	attach_all(t);
	for (i = 0; i < bpf_counters_nr; i++) {
		struct counter_state *c = &t->c[i];

		if (c->way >= 0 && c->excluded[c->way]) {
			c->absent = c->excluded[c->way];
			c->way = -1;
		}
	}
	tracer_zero(t);
}

void tracer_detach(struct tracer *t)
{
	unsigned int i;

	for (i = 0; i < t->nr_attached; i++) {
		struct attached *a = &t->attached[i];

		if (!a->link)
			continue;
		a->missed += missed_by_link(a);
		bpf_link__destroy(a->link);
		a->link = NULL;
	}
}

void tracer_free(struct tracer *t)
{
	unsigned int i;

	unload(t);
	for (i = 0; i < bpf_counters_nr; i++) {
		software_close(&t->c[i]);
		free(t->c[i].how);
	}
	for (i = 0; i < t->nr_said; i++)
		free(t->said[i]);
	free(t->said);
	free(t);
}

/* --- whose events --- */

static int run_here(struct tracer *t, const char *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(program(t, prog)), &opts);
}

int tracer_only_me(struct tracer *t)
{
	int err;

	if (!t->obj)
		return 0;
	err = run_here(t, "whoami");
	if (err)
		return fail(-err, "the kernel can't run a BPF program on behalf of its caller: %s",
			    bpf_strerror(-err));
	t->skel->bss->one_mm = t->skel->bss->me.mm;
	return 0;
}

int tracer_track_me(struct tracer *t)
{
	return t->obj ? run_here(t, "track_me") : 0;
}

int tracer_track_pid(struct tracer *t, pid_t pid)
{
	struct ptelab__bss *v;
	struct bpf_link *link;
	char buf[64];
	int err, fd;

	if (!t->obj)
		return 0;
	err = run_here(t, "whoami");
	if (err)
		return fail(-err, "the kernel can't run a BPF program on behalf of its caller: %s",
			    bpf_strerror(-err));
	v = t->skel->bss;
	v->seed_pid = pid;
	v->seed_level = v->me.pid_level;
	v->seeded = 0;
	link = bpf_program__attach_iter(program(t, "seed_task"), NULL);
	if (!link)
		return fail(errno, "can't iterate over the processes: %s",
			    bpf_strerror(errno));
	fd = bpf_iter_create(bpf_link__fd(link));
	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return v->seeded ? 0 : -ESRCH;
}

const char *tracer_warning(const struct tracer *t)
{
	return t->warning;
}
