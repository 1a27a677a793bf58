/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Internals of the mmio family: what a point requests, the BAR as mapped for
 * it, and the memory type in force there.
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
	MAP_RAM,	/* no BAR: measures the loop itself */
};

/* In the order of enum mmio_map, NULL at the end. */
extern const char *const mmio_maps[];
/* The mapping behind a guest's memslot. */
enum mmio_backing { BACKING_VFIO, BACKING_SYSFS, BACKING_RAM };
extern const char *const mmio_backings[];
/* Types that a guest can request: those of enum mem_type, then "mixed". */
extern const char *const mmio_guest_types[];
#define GUEST_MIXED	MEM_TYPES

static inline bool map_in_kernel(enum mmio_map m)
{
	return m >= MAP_IOREMAP && m <= MAP_IOREMAP_NP;
}

/* A sequence: a generated loop, or a function of the kernel. */
struct mmio_kernel_seq {
	const char *name;
	enum ptelab_mmio_sequence nr;
	unsigned int width, align;
	bool copies;
	bool plain;	/* only one store for each width */
};
const struct mmio_kernel_seq *mmio_kernel_seq_find(const char *name);
/* All names, NULL at the end. */
extern const char *const mmio_sequences[];

/* What a point requests, as far as it determines whether that is possible. */
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
	struct pci_bar bar;		/* unless the memory is not a BAR */
};

/* Returns whether it uses a BAR at all. */
bool mmio_wants_bar(const struct mmio_ask *a);
/* Returns the bytes of the BAR, from its start, that are stored to. */
uint64_t mmio_span(const struct mmio_ask *a);
/*
 * Returns why the request is refused, NULL if it is not. Depends only on @a;
 * the text is thread-local.
 */
const char *mmio_refused(const struct mmio_ask *a);
/*
 * Returns stage 1 of the host's or the kernel's mapping by the kernel's rules;
 * MEM_UNKNOWN if it is not one of arm64's types.
 */
enum mem_type mmio_rule(enum mmio_map map, enum mmio_arch arch);

/* --- memory, in mmio_map.c --- */

struct mmio_mem {
	struct mmio_ask ask;
	uint8_t *mem;		/* NULL: mapped in the kernel only */
	size_t len;
	struct vm_mmio *vm;
	int kmod;		/* -1: no module */
	int container, group, device;	/* VFIO; -1 */
	uint32_t kernel_stage1;	/* struct ptelab_mmio.stage1 */
};

/*
 * Takes the device, maps the BAR, creates the VM. Returns 0 or -errno with
 * fail() text; call mmio_close() in either case.
 */
int mmio_open(struct mmio_mem *m, const struct mmio_ask *ask);
void mmio_close(struct mmio_mem *m);
/*
 * Reads the first @len bytes through the same mapping; if a guest stores,
 * through the host's mapping.
 */
int mmio_read(struct mmio_mem *m, void *buf, size_t len);
/* Calls the module; the caller has filled in group, step and so on. */
int mmio_kernel(struct mmio_mem *m, struct ptelab_mmio *arg);
/*
 * Adds "stage1", "stage2" and "in_force", with the source of each, to @proof.
 * Returns -EPROTO if a type is not the requested one.
 */
int mmio_tell_types(struct mmio_mem *m, json_t *proof);
/* bench_count()s a guest's pages as in_force.TYPE, if stage 2 can be read. */
void mmio_count_types(struct mmio_mem *m, struct bench_ctx *ctx);
/*
 * Fills in what @ctx requests, and looks up the BAR. Returns -errno with fail()
 * text if there is no such BAR. Missing parameters have defaults.
 */
int mmio_asked(const struct bench_ctx *ctx, struct mmio_ask *a);
/* For unavailable(): all of these checks. */
const char *mmio_unavailable(const struct bench_ctx *ctx);

#endif
