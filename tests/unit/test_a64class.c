// SPDX-License-Identifier: GPL-2.0
/* What instructions are, of words that GNU as made, and beside capstone. */
#include "tests/unit/test.h"

#include <capstone/capstone.h>
#include <string.h>

#include "lib/a64class.h"
#include "lib/util.h"

#define B(c)	(1ULL << (c))
#define LD	B(C_LOAD)
#define ST	B(C_STORE)
#define AT	B(C_ATOMIC)
#define EX	B(C_EXCLUSIVE)
#define TLBI(k)	(B(C_TLBI) | B(C_TLBI_##k))

static const struct {
	uint32_t word;
	uint64_t classes;
	const char *text;
} words[] = {
	{ 0xf9400020, LD, "ldr x0, [x1]" },
	{ 0xb8404c20, LD, "ldr w0, [x1, #4]!" },
	{ 0x38401420, LD, "ldrb w0, [x1], #1" },
	{ 0xb8a27820, LD, "ldrsw x0, [x1, x2, lsl #2]" },
	{ 0xf85f8020, LD, "ldur x0, [x1, #-8]" },
	{ 0xf8400820, LD, "ldtr x0, [x1]" },
	{ 0xa8c107e0, LD, "ldp x0, x1, [sp], #16" },
	{ 0x69400440, LD, "ldpsw x0, x1, [x2]" },
	{ 0xac400440, LD, "ldnp q0, q1, [x2]" },
	{ 0x3dc00020, LD, "ldr q0, [x1]" },
	{ 0x4cdf2000, LD, "ld1 {v0.16b-v3.16b}, [x0], #64" },
	{ 0x4d40c800, LD, "ld1r {v0.4s}, [x0]" },
	{ 0x58000000, LD, "ldr x0, ." },
	{ 0xc8dffc20, LD, "ldar x0, [x1]" },
	{ 0xf8bfc020, LD, "ldapr x0, [x1]" },
	{ 0xd9408020, LD, "ldapur x0, [x1, #8]" },
	{ 0xf8200420, LD, "ldraa x0, [x1]" },
	{ 0xd9600020, LD, "ldg x0, [x1]" },
	{ 0xf9000020, ST, "str x0, [x1]" },
	{ 0x38224820, ST, "strb w0, [x1, w2, uxtw]" },
	{ 0xa9bf7bfd, ST, "stp x29, x30, [sp, #-16]!" },
	{ 0xad000400, ST, "stp q0, q1, [x0]" },
	{ 0xf8000820, ST, "sttr x0, [x1]" },
	{ 0xc89ffc20, ST, "stlr x0, [x1]" },
	{ 0x19001020, ST, "stlurb w0, [x1, #1]" },
	{ 0xd9200820, ST, "stg x0, [x1]" },
	{ 0xd9a02420, ST, "st2g x0, [x1], #32" },
	{ 0x69000440, ST, "stgp x0, x1, [x2]" },
	{ 0x0c007000, ST, "st1 {v0.8b}, [x0]" },
	{ 0x0d202c00, ST, "st4 {v0.b-v3.b}[3], [x0]" },
	{ 0xf83fd040, LD, "ld64b x0, [x2]" },
	{ 0xf83f9040, ST, "st64b x0, [x2]" },
	{ 0xf821b082, ST, "st64bv x1, x2, [x4]" },
	{ 0xc85f7c20, LD | EX, "ldxr x0, [x1]" },
	{ 0xc87f8440, LD | EX, "ldaxp x0, x1, [x2]" },
	{ 0xc8007c41, ST | EX, "stxr w0, x1, [x2]" },
	{ 0xc8208861, ST | EX, "stlxp w0, x1, x2, [x3]" },
	{ 0xc8a07c41, LD | ST | AT, "cas x0, x1, [x2]" },
	{ 0x4860fc82, LD | ST | AT, "caspal x0, x1, x2, x3, [x4]" },
	{ 0x38208041, LD | ST | AT, "swpb w0, w1, [x2]" },
	{ 0xf8200041, LD | ST | AT, "ldadd x0, x1, [x2]" },
	{ 0xb8e03041, LD | ST | AT, "ldsetal w0, w1, [x2]" },
	{ 0xf820103f, LD | ST | AT, "stclr x0, [x1]" },
	{ 0xf9800000, 0, "prfm pldl1keep, [x0]" },
	{ 0xf8a16800, 0, "prfm pldl1keep, [x0, x1]" },
	{ 0xf8801000, 0, "prfum pldl1keep, [x0, #1]" },
	{ 0xd8000000, 0, "prfm pldl1keep, ." },
	{ 0xd5033f9f, B(C_DSB), "dsb sy" },
	{ 0xd5033a9f, B(C_DSB), "dsb ishst" },
	{ 0xd5033e3f, B(C_DSB), "dsb synxs" },
	{ 0xd503309f, 0, "ssbb" },
	{ 0xd503349f, 0, "pssbb" },
	{ 0xd5033bbf, B(C_DMB), "dmb ish" },
	{ 0xd5033fdf, B(C_ISB), "isb" },
	{ 0xd50330ff, 0, "sb" },
	{ 0xd5033f5f, 0, "clrex" },
	{ 0xd50342df, B(C_SYSREG_WRITE), "msr daifset, #2" },
	{ 0xd5182000, B(C_SYSREG_WRITE), "msr ttbr0_el1, x0" },
	{ 0xd5184101, B(C_SYSREG_WRITE), "msr sp_el0, x1" },
	{ 0xd53be860, B(C_SYSREG_READ) | B(C_PMEVCNTR), "mrs x0, pmevcntr3_el0" },
	{ 0xd53be040, B(C_SYSREG_READ), "mrs x0, cntvct_el0" },
	{ 0xd51b9c00, B(C_SYSREG_WRITE) | B(C_PMCR), "msr pmcr_el0, x0" },
	{ 0xd51bec60, B(C_SYSREG_WRITE) | B(C_PMEVTYPER), "msr pmevtyper3_el0, x0" },
	{ 0xd51b9d20, B(C_SYSREG_WRITE) | B(C_PMEVTYPER), "msr pmxevtyper_el0, x0" },
	{ 0xd50b7420, B(C_CACHE_OP) | B(C_DC_ZVA), "dc zva, x0" },
	{ 0xd50b7e20, B(C_CACHE_OP), "dc civac, x0" },
	{ 0xd50b7520, B(C_CACHE_OP), "ic ivau, x0" },
	{ 0xd508711f, B(C_CACHE_OP), "ic ialluis" },
	{ 0xd5087800, 0, "at s1e1r, x0" },
	{ 0xd508871f, TLBI(LOCAL_ALL), "tlbi vmalle1" },
	{ 0xd508831f, TLBI(BROADCAST_ALL), "tlbi vmalle1is" },
	{ 0xd508811f, TLBI(BROADCAST_ALL), "tlbi vmalle1os" },
	{ 0xd5088720, TLBI(LOCAL_PAGE), "tlbi vae1, x0" },
	{ 0xd50883a0, TLBI(BROADCAST_PAGE), "tlbi vale1is, x0" },
	{ 0xd50883e0, TLBI(BROADCAST_PAGE), "tlbi vaale1is, x0" },
	{ 0xd5088340, TLBI(BROADCAST_ASID), "tlbi aside1is, x0" },
	{ 0xd5088740, TLBI(LOCAL_ASID), "tlbi aside1, x0" },
	{ 0xd5088220, TLBI(BROADCAST_RANGE), "tlbi rvae1is, x0" },
	{ 0xd50886a0, TLBI(LOCAL_RANGE), "tlbi rvale1, x0" },
	{ 0xd50885a0, TLBI(BROADCAST_RANGE), "tlbi rvale1os, x0" },
	{ 0xd50c839f, TLBI(BROADCAST_ALL), "tlbi alle1is" },
	{ 0xd50c871f, TLBI(LOCAL_ALL), "tlbi alle2" },
	{ 0xd50c83df, TLBI(BROADCAST_ALL), "tlbi vmalls12e1is" },
	{ 0xd50c87df, TLBI(LOCAL_ALL), "tlbi vmalls12e1" },
	{ 0xd50c8320, TLBI(BROADCAST_PAGE), "tlbi vae2is, x0" },
	{ 0xd50c8020, TLBI(BROADCAST_PAGE), "tlbi ipas2e1is, x0" },
	{ 0xd50c84a0, TLBI(LOCAL_PAGE), "tlbi ipas2le1, x0" },
	{ 0xd50c8400, TLBI(BROADCAST_PAGE), "tlbi ipas2e1os, x0" },
	{ 0xd50c8040, TLBI(BROADCAST_RANGE), "tlbi ripas2e1is, x0" },
	{ 0xd50c84c0, TLBI(LOCAL_RANGE), "tlbi ripas2le1, x0" },
	{ 0xd50893a0, TLBI(BROADCAST_PAGE), "tlbi vale1isnxs, x0" },
	{ 0x94000000, B(C_CALL), "bl ." },
	{ 0xd63f0020, B(C_CALL), "blr x1" },
	{ 0xd63f083f, B(C_CALL), "blraaz x1" },
	{ 0xd65f03c0, B(C_RETURN), "ret" },
	{ 0xd65f0bff, B(C_RETURN), "retaa" },
	{ 0xd61f0020, B(C_JUMP), "br x1" },
	{ 0xd61f083f, B(C_JUMP), "braaz x1" },
	{ 0x14000000, B(C_JUMP), "b ." },
	{ 0x54000000, B(C_JUMP), "b.eq ." },
	{ 0xb4000000, B(C_JUMP), "cbz x0, ." },
	{ 0x37180000, B(C_JUMP), "tbnz x0, #3, ." },
	{ 0xd69f03e0, B(C_ERET), "eret" },
	{ 0xd69f0bff, B(C_ERET), "eretaa" },
	{ 0xd4000001, B(C_SVC), "svc #0" },
	{ 0xd4000002, B(C_TRAP), "hvc #0" },
	{ 0xd4000003, B(C_TRAP), "smc #0" },
	{ 0xd4200020, B(C_TRAP), "brk #1" },
	{ 0x00000000, B(C_TRAP), "udf #0" },
	{ 0xd503201f, 0, "nop" },
	{ 0xd5032e1f, 0, "hint #112" },
	{ 0x8b020020, 0, "add x0, x1, x2" },
	{ 0xf8408c20, LD, "ldr x0, [x1, #8]!" },
	{ 0x9e670000, 0, "fmov d0, x0" },
};

static void assembled(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (a64_classes(words[i].word) != words[i].classes)
			fail_msg("%s: classes %#llx, not %#llx\n",
				 words[i].text,
				 (unsigned long long)a64_classes(words[i].word),
				 (unsigned long long)words[i].classes);
}

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool has(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (starts(name, *list))
			return true;
	return false;
}

/* By the name that a disassembler gives it; false: it says nothing of it. */
static bool by_name(const char *name, uint32_t word, uint64_t *classes)
{
	static const char *const atomics[] = {
		"cas", "swp", "ldadd", "ldclr", "ldeor", "ldset", "ldsmax",
		"ldsmin", "ldumax", "ldumin", "stadd", "stclr", "steor",
		"stset", "stsmax", "stsmin", "stumax", "stumin", NULL
	};
	static const char *const load_exclusives[] = { "ldx", "ldax", NULL };
	static const char *const store_exclusives[] = { "stx", "stlx", NULL };

	*classes = has(name, atomics) ? LD | ST | AT :
		has(name, load_exclusives) ? LD | EX :
		has(name, store_exclusives) ? ST | EX :
		starts(name, "ld") ? LD : starts(name, "st") ? ST :
		!strcmp(name, "bl") || starts(name, "blr") ? B(C_CALL) :
		starts(name, "ret") ? B(C_RETURN) :
		starts(name, "eret") ? B(C_ERET) :
		!strcmp(name, "b") || starts(name, "b.") ||
		!strcmp(name, "br") || starts(name, "braa") ||
		starts(name, "brab") || starts(name, "cbz") ||
		starts(name, "cbnz") || starts(name, "tbz") ||
		starts(name, "tbnz") ? B(C_JUMP) :
		!strcmp(name, "dmb") ? B(C_DMB) :
		!strcmp(name, "isb") ? B(C_ISB) :
		!strcmp(name, "mrs") ? B(C_SYSREG_READ) |
			(word >> 10 == 0xd53be800 >> 10 ? B(C_PMEVCNTR) : 0) :
		!strcmp(name, "svc") ? B(C_SVC) : 0;
	/* what has parts or neighbours that the name does not tell */
	return strcmp(name, "dsb") && strcmp(name, "msr") &&
	       strcmp(name, "sys") && strcmp(name, "sysl") &&
	       strcmp(name, "dc") && strcmp(name, "ic") &&
	       strcmp(name, "tlbi") && strcmp(name, "hvc") &&
	       strcmp(name, "smc") && strcmp(name, "brk") &&
	       strcmp(name, "hlt") && !starts(name, "dcps");
}

static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Random words, those of loads and stores and of the system group for most. */
static void beside_capstone(void **state)
{
	uint32_t seed = 2463534242u, compared = 0, i;
	cs_insn *insn;
	csh cs;

	(void)state;
	assert_int_equal(cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &cs), CS_ERR_OK);
	for (i = 0; i < 1000000; i++) {
		uint32_t word = next(&seed);
		uint64_t want;

		if (i % 4)
			word = (word & ~0x0a000000u) | 0x08000000u;
		else if (i % 8)
			word = (word & 0x002fffffu) | 0xd5100000u;
		if (!cs_disasm(cs, (uint8_t *)&word, 4, 0, 1, &insn))
			continue;
		/* SVE's are of no class; op0 of a system register is 2 or 3 */
		if (by_name(insn->mnemonic, word, &want) && (word >> 25 & 15) != 2 &&
		    (strcmp(insn->mnemonic, "mrs") || word >> 20 & 1)) {
			compared++;
			if (a64_classes(word) != want)
				fail_msg("%08x %s %s: classes %#llx, not %#llx\n",
					 word, insn->mnemonic, insn->op_str,
					 (unsigned long long)a64_classes(word),
					 (unsigned long long)want);
		}
		cs_free(insn, 1);
	}
	cs_close(&cs);
	assert_true(compared > 300000);
}

static void arithmetic_retires(void **state)
{
	static const struct {
		uint32_t word;
		bool may;
		const char *text;
	} w[] = {
		{ 0x91000420, false, "add x0, x1, #1" },
		{ 0xd2800020, false, "mov x0, #1" },
		{ 0x10000000, false, "adr x0, ." },
		{ 0xd344fc20, false, "lsr x0, x1, #4" },
		{ 0xeb01001f, false, "cmp x0, x1" },
		{ 0x8b22c020, false, "add x0, x1, w2, sxtw" },
		{ 0x9a820020, false, "csel x0, x1, x2, eq" },
		{ 0xfa401820, false, "ccmp x1, #0, #0, ne" },
		{ 0x9b027c20, false, "mul x0, x1, x2" },
		{ 0x9ac22020, true, "lsl x0, x1, x2" },
		{ 0xdac11020, true, "autia x0, x1" },
		{ 0x9ac23020, true, "pacga x0, x1, x2" },
		{ 0xd50323bf, true, "autiasp" },
		{ 0x54000000, true, "b.eq ." },
		{ 0xd4000001, true, "svc #0" },
		{ 0xd5384240, true, "mrs x0, CurrentEL" },
		{ 0x4e221c20, true, "and v0.16b, v1.16b, v2.16b" },
		{ 0x04200000, true, "add z0.b, z0.b, z0.b" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(w); i++)
		if (a64_may_fault(w[i].word) != w[i].may)
			fail_msg("%s", w[i].text);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].classes && !a64_may_fault(words[i].word))
			fail_msg("%s", words[i].text);
}

static void every_class_has_a_name(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NR_COUNTED_CLASSES; i++)
		assert_int_equal(!a64_class_metric[i], i == C_DC_ZVA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assembled),
		cmocka_unit_test(beside_capstone),
		cmocka_unit_test(arithmetic_retires),
		cmocka_unit_test(every_class_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
