// SPDX-License-Identifier: GPL-2.0
/*
 * A program with one region of known instructions, for the counting plugin: it
 * prints the run that has it. No PMU: the marks are the region's ends.
 */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/marks.h"

#define LOOPS	100

static uint64_t data[64] __attribute__((aligned(64)));

int main(void)
{
	uint64_t *p = data, a, b;
	uint32_t n = LOOPS, status;

	printf("{\"schema\":\"ptelab-run-1\",\"type\":\"header\",\"seed\":1,"
	       "\"machine\":{\"mode\":\"exact\",\"icount\":true},\"absent\":{}}\n");
	fflush(stdout);
	data[1] = 1;		/* the page is there */
	region_mark(MARK_RUN);
	region_mark(MARK_WATCH);
	getppid();		/* code is translated again at the next call */
	region_mark(MARK_ARM);
	asm volatile(
	"	hint	%5\n"
	"1:	ldr	%0, [%4]\n"
	"	ldp	%0, %1, [%4, #16]\n"
	"	str	%0, [%4, #64]\n"
	"	stp	%0, %1, [%4, #128]\n"
	"	str	%0, [%4, #136]\n"
	"	.arch_extension lse\n"
	"	ldadd	%0, %1, [%4]\n"
	"	cas	%0, %1, [%4]\n"
	"	ldxr	%0, [%4]\n"
	"	stxr	%w2, %0, [%4]\n"
	"	dsb	ish\n"
	"	dmb	ish\n"
	"	dmb	ishst\n"
	"	isb\n"
	"	mrs	%1, tpidr_el0\n"
	"	msr	tpidr_el0, %1\n"
	"	dc	civac, %4\n"
	"	prfm	pldl1keep, [%4]\n"
	"	subs	%w3, %w3, #1\n"
	"	b.ne	1b\n"
	"	hint	%6\n"
	: "=&r" (a), "=&r" (b), "=&r" (status), "+r" (n)
	: "r" (p), "i" (MARK_BEGIN), "i" (MARK_END) : "memory", "cc");
	region_mark(MARK_DONE);
	region_mark(MARK_REST);
	/* 19 a loop, and the mark that ends it */
	printf("{\"type\":\"point\",\"bench\":\"t.known\",\"params\":{},\"status\":\"ok\","
	       "\"operations\":%d,\"batches\":{\"instructions\":[%d]},\"counters\":{},"
	       "\"absent\":{},\"proof\":{},\"regions\":{\"first\":0}}\n",
	       LOOPS, 19 * LOOPS + 1);
	return 0;
}
