// SPDX-License-Identifier: GPL-2.0
/*
 * Does the retry-site finder find the retries? Runs functions of
 * retry_shapes.c, as several compilers made them, on an arm64 machine. Every
 * load in them is replaced by a trap whose handler does the load, so the
 * handler can break the block under the function at chosen reads. How often it
 * made a try fail must be how often the sites were hit.
 *
 *	retry_step FILE		which holds names of functions in this program
 *	retry_step --running	the running kernel's contpte_ptep_get_lockless(),
 *				a copy of its code as it is in memory
 *	retry_step --code FILE	prints C: the machine code and what was found
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include "bpf/retry/a64.h"
#include "bpf/retry/code.h"
#include "bpf/retry/retry_sites.h"

#define ENTRIES		16
#define GOOD(i)		(1UL | 1UL << 52 | (uint64_t)(0x40000 + (i)) << 12)
#define CALLS		64
#define BRK		0xd4200020u

static uint64_t block[ENTRIES] __attribute__((aligned(ENTRIES * 8)));

/* The function under test. */
static struct code code;
static struct retry_sites sites;
static int rechecks;		/* only the last read of a try decides */
static unsigned int hits, broken;
static unsigned int nr, plan;	/* reads in this try, failures still to come */

static unsigned int below(unsigned int n)
{
	static uint64_t state = 42;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % n;
}

static void restore(void)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		block[i] = GOOD(i);
}

/*
 * Before a read of the block: decides what it will see. The first read of a
 * try is of the entry itself; if that is not good the call ends without a
 * retry, which is tried too, when no failure is planned.
 */
static void meddle(uint64_t *at)
{
	restore();
	if (++nr == 1 && !plan && !below(8))
		*at = 0;
	if (!plan || nr < 2 || (rechecks ? nr < ENTRIES + 2 :
					   nr > ENTRIES + 1 || below(6)))
		return;
	*at = 0;
	broken++;
	plan--;
	nr = 0;
}

static uint64_t *reg(ucontext_t *uc, unsigned int r)
{
	return (uint64_t *)(r == A64_SP ? &uc->uc_mcontext.sp :
					  &uc->uc_mcontext.regs[r]);
}

static void on_trap(int sig, siginfo_t *si, void *arg)
{
	ucontext_t *uc = arg;
	uint64_t offset = uc->uc_mcontext.pc - code.part[0].start, at;
	uint32_t word;
	unsigned int k;
	struct a64 d;

	(void)sig;
	(void)si;
	memcpy(&word, code.part[0].bytes + offset, 4);
	a64_decode(word, &d);
	for (k = 0; k < sites.nr; k++)
		hits += sites.offset[k] == offset;
	at = *reg(uc, d.base) + d.disp;
	if (d.index < 31)
		at += *reg(uc, d.index) << (word >> 12 & 1 ? 3 : 0);
	if (at >= (uint64_t)block && at < (uint64_t)(block + ENTRIES))
		meddle((uint64_t *)at);
	/* Only what a load of eight bytes does; others are left alone. */
	if (d.rt < 31)
		*reg(uc, d.rt) = *(volatile uint64_t *)at;
	if (d.rt2 < 31)
		*reg(uc, d.rt2) = *(volatile uint64_t *)(at + 8);
	*reg(uc, d.base) += d.writeback;
	uc->uc_mcontext.pc += 4;
}

/* What only the kernel may ask the CPU, such as how wide addresses are: 0. */
static void on_illegal(int sig, siginfo_t *si, void *arg)
{
	ucontext_t *uc = arg;
	uint32_t insn = *(uint32_t *)uc->uc_mcontext.pc;

	(void)si;
	if (insn >> 20 != 0xd53) {		/* mrs */
		signal(sig, SIG_DFL);
		return;
	}
	*reg(uc, insn & 31) = 0;
	uc->uc_mcontext.pc += 4;
}

static int set_traps(void)
{
	uint32_t *text = (uint32_t *)code.part[0].start;
	uint64_t page = (uint64_t)text & ~4095UL;
	size_t k, n = code.part[0].size / 4;
	struct a64 d;

	if (mprotect((void *)page, (uint64_t)(text + n) - page,
		     PROT_READ | PROT_WRITE | PROT_EXEC))
		return -errno;
	for (k = 0; k < n; k++) {
		a64_decode(text[k], &d);
		if (d.kind == A64_LOAD && d.size == 8 && d.base < 31)
			text[k] = BRK;
	}
	__builtin___clear_cache((char *)text, (char *)(text + n));
	return 0;
}

static void print_code(const char *name)
{
	uint32_t word;
	size_t k;

	printf("{ \"%s\", %zu, (const uint32_t[]) {", name,
	       code.part[0].size / 4);
	for (k = 0; k < code.part[0].size / 4; k++) {
		memcpy(&word, code.part[0].bytes + k * 4, 4);
		printf("%s0x%08x,", k % 6 ? " " : "\n\t", word);
	}
	printf("\n}, %u, {", sites.nr);
	for (k = 0; k < sites.nr; k++)
		printf(" %#" PRIx64 ",", sites.offset[k]);
	printf(" }, %d },\n", sites.first_counts);
}

/* Finds the sites of the function in @code, and runs it where it is. */
static int try_code(const char *name, int none)
{
	uint64_t (*shape)(uint64_t *);
	unsigned int k, retries;
	int ret;

	ret = retry_sites_find(&code, &sites, NULL);
	if (ret || none) {
		printf("%s %s: %s\n", ret && none ? "ok  " : "FAIL", name,
		       ret ? sites.why_not : "found what is not there");
		return !(ret && none);
	}
	ret = set_traps();
	rechecks = !strncmp(name, "recheck__", 9);
	hits = broken = 0;
	shape = (void *)code.part[0].start;
	for (k = 0; k < CALLS && !ret; k++) {
		nr = 0;
		plan = below(5);
		shape(&block[k % ENTRIES]);
	}
	retries = hits - (sites.first_counts ? CALLS : 0);
	if (broken < CALLS / 2 || retries != broken)
		ret = 1;
	printf("%s %s: %u tries made to fail, %u counted, at %u site%s%s\n",
	       ret ? "FAIL" : "ok  ", name, broken, retries, sites.nr,
	       sites.nr == 1 ? "" : "s",
	       sites.first_counts ? ", calls taken off" : "");
	return ret;
}

static int try_shape(const char *name, int only_print)
{
	int none = !strncmp(name, "once__", 6) || !strncmp(name, "plain__", 7);
	char why[200];

	code_free(&code);
	if (code_elf("/proc/self/exe", name, &code, why)) {
		printf("FAIL %s: %s\n", name, why);
		return 1;
	}
	if (!only_print)
		return try_code(name, none);
	retry_sites_find(&code, &sites, NULL);
	print_code(name);
	return 0;
}

/* The code only follows its argument: it runs as well in user space. */
static int try_running(void)
{
	static const char name[] = "contpte_ptep_get_lockless";
	char why[200];
	void *copy;

	if (code_running(name, &code, why)) {
		printf("skip %s: %s\n", name, why);
		return 0;
	}
	if (code.nr_parts > 1) {
		printf("FAIL %s: it is in two parts, which can't be moved\n",
		       name);
		return 1;
	}
	copy = mmap(NULL, code.part[0].size, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return 1;
	memcpy(copy, code.part[0].bytes, code.part[0].size);
	code.part[0].start = (uint64_t)copy;
	return try_code(name, 0);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	struct sigaction ill = { .sa_sigaction = on_illegal,
				 .sa_flags = SA_SIGINFO };
	int bad = 0, only_print = argc > 1 && !strcmp(argv[1], "--code");
	char name[200];
	FILE *f;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGTRAP, &sa, NULL);
	sigaction(SIGILL, &ill, NULL);
	if (argc == 2 && !strcmp(argv[1], "--running"))
		return try_running();
	f = argc > 1 ? fopen(argv[argc - 1], "re") : NULL;
	if (!f) {
		fprintf(stderr, "usage: retry_step [--code] FILE | --running\n");
		return 2;
	}
	while (fscanf(f, "%199s", name) == 1)
		bad += !!try_shape(name, only_print);
	fclose(f);
	return bad ? 1 : 0;
}
