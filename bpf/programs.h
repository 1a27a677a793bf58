/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The compiled programs as bpftool's skeletons. ptelab checks whose event it
 * is, ptelab_all does not; see FILTERED in ptelab.bpf.c.
 */
#ifndef PTELAB_BPF_PROGRAMS_H
#define PTELAB_BPF_PROGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/slots.h"

/* the types of the programs' variables */
typedef uint32_t u32;
typedef uint64_t u64;

#include "ptelab.skel.h"
#include "ptelab_all.skel.h"

/* Both objects' variables are set through the types of one of them. */
#define SAME(section, variable) \
	_Static_assert(offsetof(struct ptelab__##section, variable) == \
		       offsetof(struct ptelab_all__##section, variable), \
		       "one place in both objects")
SAME(rodata, page_shift);
SAME(rodata, filter);
SAME(rodata, gup_fast_start);
SAME(rodata, gup_fast_end);
SAME(rodata, trampoline_start);
SAME(rodata, trampoline_end);
SAME(bss, me);
SAME(bss, one_mm);
SAME(bss, seed_pid);
SAME(bss, seed_level);
SAME(bss, seeded);
SAME(bss, rows);
#undef SAME

#endif
