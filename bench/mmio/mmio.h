/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside the mmio family: what a point asks for, the BAR as it is mapped for
 * it, and which memory type is in force there.
 */
#ifndef PTELAB_MMIO_H
#define PTELAB_MMIO_H

#include "bench/bench.h"
#include "bench/kit/pci.h"
#include "bench/mmio/mmio_code.h"
#include "bench/mmio/mmio_type.h"
#include "bench/mmio/vm_mmio.h"
#include "lib/kmod.h"

enum mmio_map {
	MAP_DEVICE,	/* sysfs resourceN */
	MAP_WC,		/* sysfs resourceN_wc */
	MAP_VFIO,
	MAP_GUEST,
	MAP_IOREMAP,
	MAP_IOREMAP_WC,
	MAP_IOREMAP_NP,
	MAP_RAM,	/* no BAR: what the loop itself costs */
};

/* In the order of enum mmio_map, NULL at the end. */
extern const char *const mmio_maps[];
/* Whose mapping a guest's memslot lies over. */
enum mmio_backing { BACKING_VFIO, BACKING_SYSFS, BACKING_RAM };
extern const char *const mmio_backings[];
/* What a guest asks for: in the order of enum mem_type, then "mixed". */
extern const char *const mmio_guest_types[];
#define GUEST_MIXED	MEM_TYPES

static inline bool map_in_kernel(enum mmio_map m)
{
	return m >= MAP_IOREMAP && m <= MAP_IOREMAP_NP;
}

/* A sequence: a loop of our own, or one of the kernel's functions. */
struct mmio_kernel_seq {
	const char *name;
	enum ptelab_mmio_sequence nr;
	unsigned int width, align;
	bool copies;
	bool plain;	/* one store for each width, and nothing else */
};
const struct mmio_kernel_seq *mmio_kernel_seq_find(const char *name);
/* All names, NULL at the end. */
extern const char *const mmio_sequences[];

/* What a point wants, as far as refusing it goes. */
struct mmio_ask {
	enum mmio_map map;
	enum mmio_backing backing;	/* MAP_GUEST */
	unsigned int guest;		/* enum mem_type, or GUEST_MIXED */
	const char *sequence;
	uint64_t size, window, offset;
	enum mmio_pattern pattern;
	enum mmio_flush flush;
	bool force;
	enum mmio_arch arch;
	bool virtual;			/* this machine is a VM */
	const char *cpu_flags;		/* of /proc/cpuinfo; NULL: any */
	struct pci_bar bar;		/* unless the memory is no BAR */
};

/* Whether it takes a BAR at all. */
bool mmio_wants_bar(const struct mmio_ask *a);
/* Bytes of the BAR that are stored to, from its start on. */
uint64_t mmio_span(const struct mmio_ask *a);
/*
 * Why not, by what is asked and what the BAR is; NULL if nothing speaks
 * against it. Looks at nothing but @a; the text is thread-local.
 */
const char *mmio_refused(const struct mmio_ask *a);
/* What stage 1 of the host's or the kernel's mapping is by the kernel's rules;
 * MEM_UNKNOWN where that is no matter of arm64's types. */
enum mem_type mmio_rule(enum mmio_map map, enum mmio_arch arch);

/* --- memory, in mmio_map.c --- */

struct mmio_mem {
	struct mmio_ask ask;
	uint8_t *mem;		/* NULL: in the kernel only */
	size_t len;
	struct vm_mmio *vm;
	int kmod;		/* -1: no module */
	int container, group, device;	/* VFIO; -1 */
	uint32_t kernel_stage1;	/* struct ptelab_mmio.stage1 */
};

/* Takes the device, maps the BAR, makes the VM. Returns 0 or -errno with
 * fail() text; mmio_close() in either case. */
int mmio_open(struct mmio_mem *m, const struct mmio_ask *ask);
void mmio_close(struct mmio_mem *m);
/* What is now in the first @len bytes, through the same mapping; with a guest,
 * through the host's. */
int mmio_read(struct mmio_mem *m, void *buf, size_t len);
/* The kernel's functions; the caller has filled in group, step and so on. */
int mmio_kernel(struct mmio_mem *m, struct ptelab_mmio *arg);
/* Adds "stage1", "stage2", "in_force" and where each is known from to @proof.
 * -EPROTO: what is seen is not what was asked for. */
int mmio_tell_types(struct mmio_mem *m, json_t *proof);
/* Of a guest: bench_count()s its pages as in_force.TYPE, if stage 2 can be
 * seen. */
void mmio_count_types(struct mmio_mem *m, struct bench_ctx *ctx);
/* Fills in what @ctx says; the BAR's part is looked up. -errno with fail()
 * text if there is no such BAR. Parameters that it lacks have defaults. */
int mmio_asked(const struct bench_ctx *ctx, struct mmio_ask *a);
/* All of the above for unavailable(). */
const char *mmio_unavailable(const struct bench_ctx *ctx);

#endif
