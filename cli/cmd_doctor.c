// SPDX-License-Identifier: GPL-2.0
/*
 * ptelab doctor: reports what this machine can measure and what adds noise. It
 * changes nothing, but prints the command that would.
 */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/harness/runner.h"
#include "bench/kit/clock.h"
#include "bench/kit/mm.h"
#include "bpf/kernel.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/env.h"
#include "lib/kmod.h"
#include "lib/tune.h"
#include "lib/util.h"

enum fitness { GOOD, NOTE, NOISE, MISSING };

static const char *const state_name[] = { "ok", "note", "noise", "missing" };

static struct {
	bool json;
	json_t *list;
	unsigned int nr[4];
} env;

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "print JSON", 0 },
	{ 0 }
};

static const char doc[] =
	"Reports what this machine can measure and what adds noise.\v"
	"ok: nothing to do; note: good to know; noise: adds variance or bias to "
	"timed results; missing: some metrics or benchmarks are unavailable.\n"
	"doctor finds out by doing, but changes nothing; it prints the command that removes the noise. "
	"ptelab run --tune does so for the duration of a run.\n\n"
	"Examples:\n"
	"  sudo ptelab doctor\n"
	"  ptelab doctor --json | jq '.[] | select(.state == \"noise\")'\n\n"
	"Exit status: 0, even if something is noisy or missing.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (key == 'j')
		env.json = true;
	else if (key == ARGP_KEY_ARG)
		args_error(state, "takes no arguments, not '%s'", arg);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

/*
 * Prints or records one line. @fix: the command that removes the cause; NULL if
 * there is none.
 */
static void __printf(4, 5) tell(enum fitness state, const char *what,
				const char *fix, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	env.nr[state]++;
	if (env.json) {
		json_array_append_new(env.list, json_pack(
				"{s:s, s:s, s:s, s:s*}", "state",
				state_name[state], "what", what, "text", text,
				"fix", fix));
		return;
	}
	if (args_quiet && (state == GOOD || state == NOTE))
		return;
	printf("%-8s %-14s %s\n", state_name[state], what, text);
	if (fix)
		printf("%-23s -> %s\n", "", fix);
}

static void check_machine(void)
{
	const struct machine *m = machine_get();
	const struct clock_info *c = clock_measure();

	if (m->clock_emulated)
		tell(NOTE, "machine", NULL,
		     "emulated (%s): counts only, no time%s", m->detail,
		     m->icount ? "; instruction counts are exact" : "");
	else if (m->kind == MACHINE_VIRTUAL)
		tell(NOISE, "machine", NULL,
		     "virtual (%s): other tenants' load and the host's paging add noise that is invisible from here",
		     m->detail);
	else
		tell(GOOD, "machine", NULL, "no hypervisor seen");
	tell(GOOD, "clock", NULL,
	     "%s, %.3g MHz, granularity %.3g ns, %.3g ns per read",
	     c->source, c->frequency_hz / 1e6, c->granularity_ns, c->cost_ns);
	if (geteuid())
		tell(MISSING, "root", "sudo ptelab ...",
		     "not root: can't set THP sizes or verify page frames");
	else
		tell(GOOD, "root", NULL, "yes");
}

/* Returns whether an earlier metric in @absent has the same reason. */
static bool told_before(json_t *absent, const char *metric, json_t *why)
{
	const char *m;
	json_t *w;

	json_object_foreach(absent, m, w) {
		if (!strcmp(m, metric))
			return false;
		if (json_equal(w, why))
			return true;
	}
	return false;
}

/*
 * Reports the metrics that are unavailable: one entry each in JSON and for
 * --verbose, else one line for each reason with the first few names.
 */
static void check_pmu(struct runner *r)
{
	json_t *header = json_pack("{s:{}}", "cpu"), *absent, *why, *w;
	const char *metric, *m;
	char names[320], what[32];	/* room for four names of up to 64 characters */
	size_t nr, len;

	runner_describe(r, header);
	absent = json_object_get(header, "absent");
	json_object_foreach(absent, metric, why) {
		if (env.json || args_verbose) {
			tell(MISSING, metric, NULL, "%s", json_string_value(why));
			continue;
		}
		if (told_before(absent, metric, why))
			continue;
		nr = 0;
		len = 0;
		json_object_foreach(absent, m, w) {
			if (!json_equal(w, why))
				continue;
			if (nr++ < 4)
				len += snprintf(names + len, sizeof(names) - len, "%s%s",
						nr > 1 ? ", " : "", m);
		}
		snprintf(what, sizeof(what), "%zu metric%s", nr, nr > 1 ? "s" : "");
		tell(MISSING, what, NULL, "%s: %s%s", json_string_value(why), names,
		     nr > 4 ? ", ..." : "");
	}
	if (!json_object_size(absent))
		tell(GOOD, "PMU", NULL, "instructions and cycles, user and kernel apart");
	json_decref(header);
}

static void check_file(const char *what, const char *path, const char *need)
{
	if (!access(path, F_OK))
		tell(GOOD, what, NULL, "%s", path);
	else
		tell(MISSING, what, NULL, "no %s: %s", path, need);
}

/* PCI extended capabilities that a device needs to share a process's page table */
#define CAP_ATS		0x0f
#define CAP_PRI		0x13
#define CAP_PASID	0x1b

/* Returns whether a device has all of them; false without root. */
static bool shares_page_tables(const char *dir)
{
	char path[320];
	uint32_t word, found = 0;
	unsigned int at = 0x100, i;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* A linked list. An entry takes at least 8 bytes, which bounds its length. */
	for (i = 0; at >= 0x100 && i < (4096 - 0x100) / 8; i++) {
		if (pread(fd, &word, sizeof(word), at) != sizeof(word))
			break;
		found |= (word & 0xffff) == CAP_ATS ? 1 : 0;
		found |= (word & 0xffff) == CAP_PRI ? 2 : 0;
		found |= (word & 0xffff) == CAP_PASID ? 4 : 0;
		at = word >> 20 & ~3U;
	}
	close(fd);
	return found == 7;
}

static unsigned int count_entries(const char *path, bool (*counts)(const char *))
{
	DIR *dir = opendir(path);
	unsigned int nr = 0;
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && (!counts || counts(e->d_name)))
			nr++;
	if (dir)
		closedir(dir);
	return nr;
}

/* Reports real secondary TLBs that follow a process's page table. */
static void check_sva(void)
{
	unsigned int pci, uacce = count_entries("/sys/class/uacce", NULL);

	if (geteuid())
		return;
	pci = count_entries("/sys/bus/pci/devices", shares_page_tables);
	if (pci + uacce)
		tell(NOTE, "SVA", NULL,
		     "%u device%s can share a process's page table; ptelab does not drive such devices, it finds stale entries with the module's shadow TLB",
		     pci + uacce, pci + uacce == 1 ? "" : "s");
	else
		tell(NOTE, "SVA", NULL,
		     "no device can share a process's page table (PCI with ATS, PRI and PASID, or uacce); ptelab finds stale entries with the module's shadow TLB");
}

/* Arms a hardware breakpoint on a variable of this process, and writes to it. */
static void check_breakpoints(void)
{
	static const char needs[] =
		"ptelab.ko can't watch the kernel's reads of an entry (lockless.recheck)";
	static uint64_t watched;
	struct perf_event_attr attr = {
		.type		= PERF_TYPE_BREAKPOINT,
		.size		= sizeof(attr),
		.bp_addr	= (uintptr_t)&watched,
		.bp_type	= HW_BREAKPOINT_W,
		.bp_len		= HW_BREAKPOINT_LEN_8,
		.exclude_kernel	= 1,
		.exclude_hv	= 1,
	};
	uint64_t hits = 0;
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			 PERF_FLAG_FD_CLOEXEC);

	if (fd < 0) {
		tell(MISSING, "breakpoints", NULL, "can't be armed: %s; %s",
		     strerror(errno), needs);
		return;
	}
	__atomic_store_n(&watched, 1, __ATOMIC_SEQ_CST);
	if (read(fd, &hits, sizeof(hits)) != sizeof(hits))
		hits = 0;
	close(fd);
	if (hits)
		tell(GOOD, "breakpoints", NULL, "a hardware breakpoint fires");
	else
		tell(MISSING, "breakpoints", NULL,
		     "this machine delivers no hardware breakpoints: one can be armed, but never fires; %s",
		     needs);
}

static bool says_one(const char *path)
{
	char *text = read_line("%s", path);
	bool one = text && !strcmp(text, "1");

	free(text);
	return one;
}

/*
 * Returns why no module can be loaded, else NULL. Tries with zeroes, which the
 * kernel rejects as not a module (ENOEXEC) only if it may load one.
 */
static const char *modules_refused(void)
{
	static const char nothing[4096];
	static char why[160];

	if (access("/proc/modules", F_OK))
		return "this kernel has no modules (CONFIG_MODULES)";
	syscall(SYS_init_module, nothing, sizeof(nothing), "");
	switch (errno) {
	case ENOEXEC:
		return NULL;
	case EKEYREJECTED:
		return "this kernel loads signed modules only";
	case EPERM:
		if (geteuid())
			return "root may load modules";
		if (says_one("/proc/sys/kernel/modules_disabled"))
			return "no module loads until the next boot (kernel.modules_disabled)";
		return "no module may be loaded, even by root: lockdown, or no CAP_SYS_MODULE";
	}
	snprintf(why, sizeof(why), "no module can be loaded: %s",
		 strerror(errno));
	return why;
}

static void check_module(void)
{
	static const char without[] =
		"gup.driver, the lockless benchmarks and secondary=module can't run";
	const char *why = kmod_unavailable(0), *refused = NULL;
	bool loaded = !access(PTELAB_DEVICE, F_OK);

	if (!loaded)
		refused = modules_refused();
	if (refused)
		tell(MISSING, "module", NULL, "%s: %s", refused, without);
	else if (why)
		tell(MISSING, "module", NULL, "%s: %s", why, without);
	else
		tell(GOOD, "module", NULL, "%s",
		     loaded ? PTELAB_DEVICE : kmod_file());
}

static void check_facilities(void)
{
	const char *why, *how;
	char path[128], size[24];
	bool all;

	check_file("gup_test", "/sys/kernel/debug/gup_test",
		   "gup.fast, pin_fast and pin_longterm need a kernel with CONFIG_GUP_TEST and debugfs mounted; gup.driver needs the module instead");
	check_module();
	check_breakpoints();
	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/transparent_hugepage/hugepages-%lukB/enabled",
		 contpte_size() / KIB);
	if (!access(path, F_OK))
		tell(GOOD, "mTHP", NULL, "%s folios are available",
		     format_size(contpte_size(), size));
	else
		tell(MISSING, "mTHP", NULL,
		     "no %s: only base pages and PMD-sized folios (mTHP came with 6.8)",
		     path);
	why = mm_proof_unavailable(&how);
	if (why)
		tell(MISSING, "proofs", NULL,
		     "%s: benchmarks on folios can't run", why);
	else
		tell(GOOD, "proofs", NULL,
		     "folio sizes from /proc/kpageflags, leaf sizes from %s",
		     how);
	check_file("KVM", "/dev/kvm", "the KVM benchmarks can't run");
	check_file("BTF", "/sys/kernel/btf/vmlinux",
		   "BPF counters need CONFIG_DEBUG_INFO_BTF");
	why = kernel_programs(&all);
	tell(all ? GOOD : MISSING, "BPF", NULL, "%s", why);
	check_sva();
}

/* Reports a setting of this machine: how it should be, or what is wrong. */
static void check_knob(const struct tune_knob *k)
{
	struct tune_state s = tune_look(k, "");

	if (s.off && s.files > 1)
		tell(NOISE, k->name, s.command, "is %s in %zu of %zu: %s",
		     s.value, s.off, s.files, k->does);
	else if (s.off)
		tell(NOISE, k->name, s.command, "is %s: %s", s.value, k->does);
	else if (s.files)
		tell(GOOD, k->name, NULL, "%s", s.value);
	tune_state_free(&s);
}

static void check_load(void)
{
	char *load = read_line("/proc/loadavg");

	if (load && strtod(load, NULL) >= 0.5)
		tell(NOISE, "load", "top -b -n 1 | head -n 15",
		     "load average %.4s: other programs compete for CPU, caches and memory bandwidth",
		     load);
	else if (load)
		tell(GOOD, "load", NULL, "%.4s", load);
	free(load);
}

static void check_swap(void)
{
	char *swaps = read_file("/proc/swaps", NULL);
	const char *second = swaps ? strchr(swaps, '\n') : NULL;

	if (second && second[1])
		tell(NOISE, "swap", "swapoff -a",
		     "is on: under memory pressure measured pages may be swapped out and cause major faults");
	else if (second)
		tell(GOOD, "swap", NULL, "none");
	free(swaps);
}

static void check_isolation(void)
{
	char *isolated = read_line("/sys/devices/system/cpu/isolated");

	if (isolated && !*isolated && sysconf(_SC_NPROCESSORS_ONLN) > 1)
		tell(NOTE, "isolation", NULL,
		     "no isolated CPU; boot with isolcpus=N nohz_full=N and use --cpu N for less noise");
	free(isolated);
}

static void check_noise(void)
{
	size_t i;

	for (i = 0; i < tune_knobs_nr; i++)
		check_knob(&tune_knobs[i]);
	check_swap();
	check_load();
	check_isolation();
}

int cmd_doctor(int argc, char **argv)
{
	static const struct argp argp = { options, parse, NULL, doc, NULL,
					  NULL, NULL };
	static const struct runner_options o = { .cpu = -1, .batches = 1 };
	struct runner *r;

	args_parse(&argp, argc, argv, 0);
	r = runner_new(&o);
	if (!r)
		return EXIT_COULD_NOT;
	env.list = json_array();
	check_machine();
	check_pmu(r);
	check_facilities();
	check_noise();
	if (env.json) {
		json_dumpf(env.list, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!args_quiet) {
		printf("\n%u ok, %u notes, %u noise sources, %u missing\n",
		       env.nr[GOOD], env.nr[NOTE], env.nr[NOISE],
		       env.nr[MISSING]);
		if (env.nr[NOISE])
			puts("ptelab run --tune changes those that are settings, and restores them.");
	}
	json_decref(env.list);
	runner_free(r);
	return EXIT_DONE;
}
