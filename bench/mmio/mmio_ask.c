// SPDX-License-Identifier: GPL-2.0
/* What can be requested of the mmio family, and what is refused and why. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/mmio/mmio.h"
#include "lib/util.h"

const char *const mmio_maps[] = {
	"device", "wc", "vfio", "guest", "ioremap", "ioremap_wc", "ioremap_np",
	"ram", NULL
};
const char *const mmio_backings[] = { "vfio", "sysfs", "ram", NULL };
const char *const mmio_guest_types[] = {
	"ngnrne", "ngnre", "ngre", "gre", "nc", "wt", "wb", "mixed", NULL
};
const char *const mmio_sequences[] = {
	"str1", "str2", "str4", "str8", "stp", "neon64", "st64b", "copy",
	"mov1", "mov2", "mov4", "mov8", "movnti", "avx", "movdir64b",
	"iowrite32", "iowrite64", "iowrite32_copy", "iowrite64_copy",
	"memcpy_toio", "memset_io", NULL
};

/* The kernel's stores of one register have these names on this architecture. */
#if defined(__aarch64__)
#define PLAIN	"str"
#else
#define PLAIN	"mov"
#endif

static const struct mmio_kernel_seq kernel_seqs[] = {
	{ PLAIN "1", PTELAB_MMIO_RAW8, 1, 1, false, true },
	{ PLAIN "2", PTELAB_MMIO_RAW16, 2, 2, false, true },
	{ PLAIN "4", PTELAB_MMIO_RAW32, 4, 4, false, true },
	{ PLAIN "8", PTELAB_MMIO_RAW64, 8, 8, false, true },
	{ "iowrite32", PTELAB_MMIO_WRITE32, 4, 4, false, false },
	{ "iowrite64", PTELAB_MMIO_WRITE64, 8, 8, false, false },
	{ "iowrite32_copy", PTELAB_MMIO_COPY32, 4, 4, true, false },
	{ "iowrite64_copy", PTELAB_MMIO_COPY64, 8, 8, true, false },
	{ "memcpy_toio", PTELAB_MMIO_MEMCPY, 1, 1, true, false },
	{ "memset_io", PTELAB_MMIO_MEMSET, 1, 1, false, false },
};

const struct mmio_kernel_seq *mmio_kernel_seq_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kernel_seqs); i++)
		if (!strcmp(kernel_seqs[i].name, name))
			return &kernel_seqs[i];
	return NULL;
}

bool mmio_wants_bar(const struct mmio_ask *a)
{
	return a->map != MAP_RAM &&
	       !(a->map == MAP_GUEST && a->backing == BACKING_RAM);
}

uint64_t mmio_span(const struct mmio_ask *a)
{
	struct mmio_spec s = { .size = a->size, .pattern = a->pattern };

	return a->offset + (a->pattern == MMIO_STREAM ? a->window :
			    mmio_reach(&s, 2));
}

enum mem_type mmio_rule(enum mmio_map map, enum mmio_arch arch)
{
	if (arch != MMIO_ARM64)
		return MEM_UNKNOWN;
	switch (map) {
	case MAP_DEVICE:
	case MAP_IOREMAP:
		return MEM_NGNRE;
	case MAP_VFIO:
	case MAP_IOREMAP_NP:
		return MEM_NGNRNE;
	case MAP_WC:
	case MAP_IOREMAP_WC:
		return MEM_NC;
	case MAP_RAM:
		return MEM_WB;
	default:
		return MEM_UNKNOWN;
	}
}

/* Returns whether the memory is Device in any case. */
static bool surely_device(const struct mmio_ask *a)
{
	enum mem_type t = mmio_rule(a->map, a->arch);

	if (a->map == MAP_GUEST) {
		t = a->guest == GUEST_MIXED ? MEM_NGNRE : a->guest;
		if (a->backing == BACKING_RAM)
			return false;
		/* Without VFIO stage 2 is always Device. */
		return mem_is_device(t) || a->backing == BACKING_SYSFS;
	}
	return t != MEM_UNKNOWN && mem_is_device(t);
}

/* Matches whole words only, as in /proc/cpuinfo. */
static bool has_flag(const char *flags, const char *name)
{
	size_t len = strlen(name);
	const char *at = flags;

	while ((at = strstr(at, name))) {
		if ((at == flags || at[-1] == ' ' || at[-1] == '\t') &&
		    (at[len] == ' ' || at[len] == '\n' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

static const char *text(const char *fmt, ...) __printf(1, 2);

static __thread char why[256];

static const char *text(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return why;
}

/*
 * Returns whether the device exists only in a VMM, so that accesses to its BARs
 * trap. The memory of ivshmem is ordinary memory, though.
 */
static bool is_trapped(const struct mmio_ask *a)
{
	const struct pci_bar *b = &a->bar;

	if (!a->virtual || !mmio_wants_bar(a))
		return false;
	if (b->vendor == 0x1af4 && b->device == 0x1110 && b->nr == 2)
		return false;
	return b->vendor == 0x1b36 || b->vendor == 0x1af4 ||
	       b->vendor == 0x1234;
}

static const char *sequence_refused(const struct mmio_ask *a,
				    unsigned int *width, unsigned int *align)
{
	const struct mmio_kernel_seq *k = mmio_kernel_seq_find(a->sequence);
	const struct mmio_seq *s = mmio_seq_find(a->sequence, a->arch);

	if (map_in_kernel(a->map)) {
		if (!k)
			return text("no kernel function stores with %s; map=%s supports %s1 to %s8, iowrite32, iowrite64, iowrite32_copy, iowrite64_copy, memcpy_toio, memset_io",
				    a->sequence, mmio_maps[a->map], PLAIN,
				    PLAIN);
		*width = k->width;
		*align = k->align;
		return NULL;
	}
	if (!s && k)
		return text("%s is a kernel function: use map=ioremap, ioremap_wc or ioremap_np",
			    a->sequence);
	if (!s)
		return text("%s is a sequence of the other architecture; this one has, for example, %s1 to %s8 and copy",
			    a->sequence, PLAIN, PLAIN);
	if (s->needs && a->cpu_flags && !has_flag(a->cpu_flags, s->needs))
		return text("this CPU has no %s (%s)", s->name, s->needs);
	if (s->no_trap && a->map != MAP_GUEST && is_trapped(a))
		return text("%s on a BAR that the VMM emulates: such a store traps without a syndrome, and VMMs end the VM for that; use a sequence of single stores",
			    s->name);
	*width = s->width;
	*align = s->align;
	return NULL;
}

static const char *shape_refused(const struct mmio_ask *a)
{
	unsigned int width = 1, align = 1;
	const char *no = sequence_refused(a, &width, &align);

	if (no)
		return no;
	if (a->size < width)
		return text("%s stores %u bytes at a time: use size=%u or more",
			    a->sequence, width, width);
	if (a->pattern == MMIO_STREAM && a->window < a->size)
		return text("the window is smaller than a group: use window=%llu or more",
			    (unsigned long long)a->size);
	if (a->pattern == MMIO_SAME && a->offset % MMIO_LINE + a->size >
				       MMIO_LINE)
		return text("a group of %llu bytes at offset %llu does not fit in one line of %u bytes",
			    (unsigned long long)a->size,
			    (unsigned long long)a->offset, MMIO_LINE);
	if (a->offset % align && surely_device(a))
		return text("groups at offset %llu are not aligned to %u bytes: on Device memory %s would take an alignment fault",
			    (unsigned long long)a->offset, align, a->sequence);
	/* A guest that uses NC would fault too, and so would the kernel. */
	if (a->offset % align && (align == MMIO_LINE || map_in_kernel(a->map)))
		return text("%s needs addresses that are multiples of %u",
			    a->sequence, align);
	if (a->flush == MMIO_DGH && a->arch != MMIO_ARM64)
		return "dgh is an instruction of arm64";
	return NULL;
}

static const char *bar_refused(const struct mmio_ask *a)
{
	const struct pci_bar *b = &a->bar;
	uint64_t need = mmio_span(a);
	bool vfio = a->map == MAP_VFIO ||
		    (a->map == MAP_GUEST && a->backing == BACKING_VFIO);

	if (need > b->size)
		return text("BAR %u of %s is too small: it has %llu bytes, and window, size and offset need %llu",
			    b->nr, b->address, (unsigned long long)b->size,
			    (unsigned long long)need);
	if (a->map == MAP_WC && !b->prefetchable)
		return text("BAR %u of %s is not prefetchable, so the kernel does not map it with write combining",
			    b->nr, b->address);
	if (*b->driver && !a->force && !(vfio && !strcmp(b->driver, "vfio-pci")))
		return text("%s belongs to the driver %s; force=yes takes it away during the measurement",
			    b->address, b->driver);
	return NULL;
}

const char *mmio_refused(const struct mmio_ask *a)
{
	const char *no = shape_refused(a);

	return no || !mmio_wants_bar(a) ? no : bar_refused(a);
}
