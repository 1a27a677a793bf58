// SPDX-License-Identifier: GPL-2.0
/*
 * The lockless contpte reader: what it returns under every kind of writer, and
 * whether its retries are counted right.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/kmod/test.h"

#define ALL_STEPS	(PTELAB_STEP_AGE | PTELAB_STEP_HW | PTELAB_STEP_CLEAN | \
			 PTELAB_STEP_WRPROTECT | PTELAB_STEP_ZAP)

static struct ptelab_retry r;

static int retry(int fd)
{
	return kmod_retry(fd, &r);
}

static void show(const char *what)
{
	printf("# %s: %llu reads: %llu cont %llu noncont %llu none; %llu exact %llu mixed %llu unchecked; dirty gone %llu caught %llu relaxed %llu missed %llu; young gone %llu caught %llu relaxed %llu missed %llu; rounds %llu folds %llu unfolds %llu breaks %llu\n",
	       what, r.done, r.cont, r.noncont, r.none, r.exact, r.mixed,
	       r.unchecked, r.dirty_gone, r.dirty_gone_caught,
	       r.dirty_gone_caught_relaxed, r.dirty_missed, r.young_gone,
	       r.young_gone_caught, r.young_gone_caught_relaxed,
	       r.young_missed, r.rounds, r.folds, r.unfolds, r.breaks);
}

static void expect_sane(const char *what, uint64_t reads)
{
	show(what);
	check_eq(r.done, reads, "%s: reads", what);
	check_eq(r.cont + r.noncont + r.none, reads, "%s: of some kind", what);
	check_eq(r.wrong, 0, "%s: values that never were true", what);
	if (r.wrong)
		printf("# wrong %#llx, expected such as %#llx\n",
		       r.wrong_value, r.wrong_expected);
	check_eq(r.exact + r.mixed + r.wrong + r.unchecked, reads,
		 "%s: judged", what);
}

static void test_quiet(int fd)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		r = (struct ptelab_retry) {
			.script = PTELAB_SCRIPT_QUIET, .cpu = -1,
			.index = i, .reads = 1000,
		};
		if (retry(fd))
			give_up("%s", fail_text());
		if (r.cont != 1000 || r.exact != 1000)
			break;
	}
	check(i == 16, "quiet: all entries read right");
}

static void test_race(int fd, unsigned int reader, const char *name)
{
	const uint64_t reads = 20000;
	static const struct {
		unsigned int steps;
		const char *name;
	} kinds[] = {
		{ 0, "fold, unfold" },
		{ PTELAB_STEP_AGE | PTELAB_STEP_HW | PTELAB_STEP_CLEAN,
		  "young and dirty" },
		{ PTELAB_STEP_WRPROTECT, "write protection" },
		{ PTELAB_STEP_ZAP, "zap" },
		{ ALL_STEPS, "everything" },
	};
	static const unsigned int indices[] = { 0, 7, 15 };
	unsigned int tries;
	char what[80];
	size_t i, k;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (i = 0; i < ARRAY_SIZE(indices); i++) {
			r = (struct ptelab_retry) {
				.reader = reader, .script = PTELAB_SCRIPT_RACE,
				.steps = kinds[k].steps, .cpu = -1,
				.index = indices[i], .reads = reads,
				.seed = 1 + k,
			};
			snprintf(what, sizeof(what), "%s, %s, entry %u", name,
				 kinds[k].name, indices[i]);
			/* On a busy host its CPU may not run meanwhile. */
			for (tries = 0; tries < 10; tries++) {
				if (retry(fd))
					give_up("%s", fail_text());
				if (nr_cpus() == 1 || (r.folds && r.unfolds))
					break;
			}
			expect_sane(what, reads);
			check(nr_cpus() == 1 || (r.folds && r.unfolds),
			      "%s: the writer worked", what);
			/* Compared bit by bit, nothing can slip through. */
			check_eq(r.dirty_gone_caught, r.dirty_gone,
				 "%s: dirty bits gone and caught", what);
			check_eq(r.young_gone_caught, r.young_gone,
				 "%s: young bits gone and caught", what);
		}
	}
}

static bool watch_works(int fd)
{
	pin_to(0);
	r = (struct ptelab_retry) {
		.script = PTELAB_SCRIPT_TRIES, .cpu = -1, .index = 1,
		.break_index = 2, .tries = 1, .reads = 1,
	};
	return !retry(fd);
}

static void test_tries(int fd)
{
	unsigned int tries;

	if (!watch_works(fd)) {
		skip("tries: %s", fail_text());
		return;
	}
	for (tries = 1; tries <= PTELAB_RETRY_MAX_TRIES; tries *= 4) {
		r = (struct ptelab_retry) {
			.script = PTELAB_SCRIPT_TRIES, .cpu = -1, .index = 15,
			.break_index = 3, .tries = tries, .reads = 50,
		};
		if (retry(fd))
			give_up("%s", fail_text());
		expect_sane("tries", 50);
		check_eq(r.breaks, 50, "breaks");
		check_eq(r.cont, 50, "every read got the block whole again");
		check_eq(r.retries, 50ULL * (tries - 1),
			 "retries of 50 reads with %u tries", tries);
	}
}

static void test_limits(int fd)
{
	static const struct ptelab_retry good = {
		.script = PTELAB_SCRIPT_TRIES, .cpu = -1, .index = 1,
		.break_index = 2, .tries = 2, .reads = 1,
	};
	pid_t child;
	int status;

#define bad(...) do {							\
		r = good;						\
		__VA_ARGS__;						\
		check(retry(fd) == -EINVAL, "refused: " #__VA_ARGS__);	\
	} while (0)
	bad(r.flags = 8);
	bad(r.flags = PTELAB_RETRY_YOUNG, r.break_index = 0);
	bad(r.flags = PTELAB_RETRY_YOUNG | PTELAB_RETRY_DIRTY);
	bad(r.reader = 2);
	bad(r.reader = PTELAB_READER_SINGLE);
	bad(r.script = PTELAB_SCRIPT_NR);
	bad(r.script = PTELAB_SCRIPT_QUIET);
	bad(r.script = PTELAB_SCRIPT_QUIET, r.tries = 0);
	bad(r.index = 16);
	bad(r.break_index = 16);
	bad(r.break_index = r.index);
	bad(r.steps = PTELAB_STEP_AGE);
	bad(r.hold_ns = 1);
	bad(r.tries = 0);
	bad(r.tries = PTELAB_RETRY_MAX_TRIES + 1);
	bad(r.cpu = -2);
	bad(r.cpu = 1 << 20);
	bad(r.script = PTELAB_SCRIPT_RACE, r.tries = 0,
	    r.steps = PTELAB_STEP_BREAK | PTELAB_STEP_AGE);
	bad(r.script = PTELAB_SCRIPT_RACE, r.tries = 0, r.break_index = 0,
	    r.steps = 64);
	bad(r.script = PTELAB_SCRIPT_RACE, r.tries = 0);
	bad(r.script = PTELAB_SCRIPT_RACE, r.tries = 0,
	    r.steps = PTELAB_STEP_BREAK, r.hold_ns = PTELAB_RETRY_MAX_HOLD + 1);
	bad(r.script = PTELAB_SCRIPT_RACE, r.tries = 0, r.break_index = 0,
	    r.flags = PTELAB_RETRY_WATCH);
#undef bad
	r = good;
	r.reads = PTELAB_RETRY_MAX_READS + 1;
	check(retry(fd) == -E2BIG, "too many reads");

	fflush(stdout);
	child = fork();
	if (!child) {
		r = good;
		r.script = PTELAB_SCRIPT_RACE;
		r.tries = r.break_index = 0;
		r.reads = PTELAB_RETRY_MAX_READS;
		_exit(!retry(fd));
	}
	usleep(50000);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	check(WIFSIGNALED(status), "killed in the loop");
	r = good;
	r.script = PTELAB_SCRIPT_QUIET;
	r.tries = r.break_index = 0;
	check(!retry(fd), "and the next one runs");
}

void test_retry(void)
{
	int fd = open_device();

	if (!has(PTELAB_FEAT_CONTPTE)) {
		r = (struct ptelab_retry) { .cpu = -1 };
		check(retry(fd) == -EOPNOTSUPP, "no contpte, no reads");
		close(fd);
		return;
	}
	test_quiet(fd);
	test_race(fd, PTELAB_READER_KERNEL, "kernel's reader");
	test_race(fd, PTELAB_READER_SINGLE, "one entry");
	test_tries(fd);
	test_limits(fd);
	close(fd);
}

/* --- are the retries counted right? --- */

static int open_kprobe(const char *function, uint64_t offset)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.kprobe_func = (uintptr_t)function,
		.probe_offset = offset,
		.exclude_hv = 1,
	};
	unsigned int type = 0;
	FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "re");

	if (!f || fscanf(f, "%u", &type) != 1)
		type = 0;
	if (f)
		fclose(f);
	if (!type) {
		errno = ENODEV;
		return -1;
	}
	attr.type = type;
	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t count_of(int fd)
{
	uint64_t v;

	if (read(fd, &v, sizeof(v)) != sizeof(v))
		give_up("an event could not be counted all the time");
	return v;
}

/*
 * Each try reads the broken entry once. The module counts those reads with a
 * watchpoint, whatever the code looks like: so it knows the retries exactly,
 * and the probes on the retry sites must add up to them.
 */
static uint64_t all_reads, all_retries;

static void watch_one(int fd, const int *probe, int nr_probes,
		      const char *what)
{
	uint64_t sum = 0, count[16];
	int i;

	for (i = 0; i < nr_probes; i++)
		count[i] = count_of(probe[i]);
	if (retry(fd))
		give_up("%s", fail_text());
	for (i = 0; i < nr_probes; i++) {
		count[i] = count_of(probe[i]) - count[i];
		sum += count[i];
	}
	all_reads += r.done;
	all_retries += r.retries;
	printf("# %s: %llu reads, %llu retries; %d sites:", what, r.done,
	       r.retries, nr_probes);
	for (i = 0; i < nr_probes; i++)
		printf(" %llu", (unsigned long long)count[i]);
	printf("\n");
	check_eq(r.cont, r.done, "%s: all whole", what);
	check_eq(r.wrong, 0, "%s: wrong", what);
	if (r.script == PTELAB_SCRIPT_TRIES)
		check_eq(r.retries, r.done * (r.tries - 1), "%s: retries",
			 what);
	if (nr_probes)
		check_eq(sum, r.retries, "%s: sum over the retry sites", what);
}

/* watch OFFSET...: of the retry sites in contpte_ptep_get_lockless() */
void test_watch(int argc, char **argv)
{
	static const char function[] = "contpte_ptep_get_lockless";
	static const struct {
		unsigned int flags;
		const char *name;
	} kinds[] = {
		{ 0, "old, clean" },
		{ PTELAB_RETRY_YOUNG, "young" },
		{ PTELAB_RETRY_DIRTY, "dirty" },
	};
	static const unsigned int broken[] = { 0, 1, 8, 15 };
	int fd = open_device(), probe[16], nr = 0;
	size_t i, k, race;
	char what[80];

	if (!has(PTELAB_FEAT_CONTPTE) || !watch_works(fd)) {
		skip("watch: %s", fail_text());
		return;
	}
	all_reads = r.done;
	for (; nr < argc && nr < 16; nr++) {
		probe[nr] = open_kprobe(function, strtoull(argv[nr], NULL, 0));
		if (probe[nr] < 0)
			give_up("kprobe at %s+%s: %s", function, argv[nr],
				strerror(errno));
	}
	for (race = 0; race < (nr_cpus() > 1 ? 2 : 1); race++) {
		for (k = 0; k < ARRAY_SIZE(kinds); k++) {
			for (i = 0; i < ARRAY_SIZE(broken); i++) {
				if (kinds[k].flags && !broken[i])
					continue;
				r = (struct ptelab_retry) {
					.flags = kinds[k].flags |
						 PTELAB_RETRY_WATCH,
					.cpu = -1,
					.index = broken[i] == 15 ? 0 : 15,
					.break_index = broken[i],
				};
				if (race) {
					r.script = PTELAB_SCRIPT_RACE;
					r.steps = PTELAB_STEP_BREAK;
					r.hold_ns = 2000;
					r.reads = 1000;
				} else {
					r.script = PTELAB_SCRIPT_TRIES;
					r.tries = 8;
					r.reads = 100;
				}
				snprintf(what, sizeof(what),
					 "%s, %s, entry %u broken",
					 race ? "race" : "tries",
					 kinds[k].name, broken[i]);
				watch_one(fd, probe, nr, what);
			}
		}
	}
	/* For who counts around all of this. */
	printf("# all: %llu reads, %llu retries\n",
	       (unsigned long long)all_reads, (unsigned long long)all_retries);
	while (nr--)
		close(probe[nr]);
	close(fd);
}
