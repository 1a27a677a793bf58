// SPDX-License-Identifier: GPL-2.0
/* Finds, takes and maps the memory, and reads its types; see mmio.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/mmio/mmio.h"
#include "lib/env.h"
#include "lib/journal.h"
#include "lib/util.h"

#define PAGE		4096UL

/*
 * --- the device is taken once, and returned when another is needed or at the
 * end, because drivers take their time ---
 */

static struct {
	bool active, vfio;
	char address[16];
	char driver[32];	/* the previous driver */
	long mark;
} taken;

static int take(struct pci_bar *bar, bool vfio, bool force)
{
	int ret = 0;

	if (taken.active && (taken.vfio != vfio ||
			     strcmp(taken.address, bar->address))) {
		ret = journal_restore_to(taken.mark);
		taken.active = false;
		if (!ret)
			ret = pci_bar_find(bar->address, &(struct pci_bar){ 0 });
	}
	if (ret || taken.active)
		return ret;
	taken.mark = journal_mark();
	ret = pci_take(bar, vfio ? "vfio-pci" : NULL, force);
	if (ret) {
		journal_restore_to(taken.mark);
		return ret;
	}
	taken.active = true;
	taken.vfio = vfio;
	strcpy(taken.address, bar->address);
	strcpy(taken.driver, bar->driver);
	return 0;
}

/* --- what is requested --- */

static const char *cpu_flags(void)
{
	static char *flags;

	if (!flags)
		flags = read_file("/proc/cpuinfo", NULL);
	return flags;
}

static unsigned int choice(const struct bench_ctx *ctx, const char *name,
			   unsigned int def)
{
	return param_has(ctx->bench, name) ? param_num(ctx, name) : def;
}

int mmio_asked(const struct bench_ctx *ctx, struct mmio_ask *a)
{
	int ret;

	memset(a, 0, sizeof(*a));
	a->map = choice(ctx, "map", MAP_GUEST);
	a->backing = choice(ctx, "backing", BACKING_VFIO);
	a->guest = choice(ctx, "guest", MEM_NC);
	a->sequence = param_has(ctx->bench, "sequence") ?
		      param_text(ctx, "sequence") :
		      MMIO_ARCH == MMIO_ARM64 ? "str8" : "mov8";
	a->size = choice(ctx, "size", 8);
	a->window = param_has(ctx->bench, "pages") ?
		    param_num(ctx, "pages") * PAGE : param_num(ctx, "window");
	a->offset = choice(ctx, "offset", 0);
	a->pattern = choice(ctx, "pattern", MMIO_STREAM);
	a->flush = choice(ctx, "flush", MMIO_NONE);
	a->force = choice(ctx, "force", 0);
	a->arch = MMIO_ARCH;
	a->virtual = machine_get()->kind == MACHINE_VIRTUAL;
	a->cpu_flags = cpu_flags();
	if (!mmio_wants_bar(a))
		return 0;
	if (param_is(ctx, "bar", "none"))
		return fail(EINVAL, "needs bar=ADDRESS or bar=VENDOR:DEVICE, a PCI device whose memory may be overwritten");
	ret = pci_bar_find(param_text(ctx, "bar"), &a->bar);
	/* The driver that it had before this process took it. */
	if (!ret && taken.active && !strcmp(taken.address, a->bar.address))
		strcpy(a->bar.driver, taken.driver);
	return ret;
}

const char *mmio_unavailable(const struct bench_ctx *ctx)
{
	const char *why;
	struct mmio_ask a;

	if (mmio_asked(ctx, &a))
		return fail_text();
	why = mmio_refused(&a);
	if (!why && mmio_wants_bar(&a))
		why = pci_bar_in_use(&a.bar);
	if (!why && a.map == MAP_GUEST)
		why = vm_mmio_unavailable();
	if (!why && a.map == MAP_GUEST && mmio_span(&a) > VM_MMIO_MAX_BYTES)
		why = "the guest's page tables reach 16 MiB";
	if (!why && map_in_kernel(a.map))
		why = kmod_unavailable(PTELAB_FEAT_MMIO);
	return why;
}

/* --- sysfs --- */

static int map_sysfs(struct mmio_mem *m, bool wc)
{
	char name[24], *path;
	int fd;

	snprintf(name, sizeof(name), "resource%u%s", m->ask.bar.nr,
		 wc ? "_wc" : "");
	path = pci_file(&m->ask.bar, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		fail(errno, "%s: %s", path, strerror(errno));
	} else {
		m->mem = mmap(NULL, m->len, PROT_READ | PROT_WRITE, MAP_SHARED,
			      fd, 0);
		if (m->mem == MAP_FAILED) {
			m->mem = NULL;
			fail(errno, "%s can't be mapped: %s", path,
			     strerror(errno));
		}
		close(fd);
	}
	free(path);
	return m->mem ? 0 : -EOPNOTSUPP;
}

/* --- VFIO --- */

/* Opens the group's device node, and determines whether there is an IOMMU. */
static int open_group(struct mmio_mem *m, bool *iommu)
{
	char *link = pci_file(&m->ask.bar, "iommu_group"), target[256], *path;
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	char *base;

	free(link);
	if (n <= 0)
		return fail(EOPNOTSUPP, "%s is in no IOMMU group: is there an IOMMU? (if not: vfio.enable_unsafe_noiommu_mode=1)",
			    m->ask.bar.address);
	target[n] = 0;
	base = strrchr(target, '/') + 1;
	path = xasprintf("/dev/vfio/%s", base);
	m->group = open(path, O_RDWR | O_CLOEXEC);
	if (m->group < 0 && errno == ENOENT) {
		free(path);
		path = xasprintf("/dev/vfio/noiommu-%s", base);
		m->group = open(path, O_RDWR | O_CLOEXEC);
		*iommu = false;
	}
	if (m->group < 0)
		fail(errno, "%s: %s%s", path, strerror(errno),
		     errno == EBUSY ? "; another program uses the device" : "");
	free(path);
	return m->group < 0 ? -EOPNOTSUPP : 0;
}

/* The user of VFIO must enable memory decoding. */
static int decode_memory(struct mmio_mem *m)
{
	struct vfio_region_info r = {
		.argsz = sizeof(r), .index = VFIO_PCI_CONFIG_REGION_INDEX
	};
	uint16_t command;

	if (ioctl(m->device, VFIO_DEVICE_GET_REGION_INFO, &r) ||
	    pread(m->device, &command, 2, r.offset + 4) != 2)
		return fail(EPROTO, "VFIO shows no configuration space of %s",
			    m->ask.bar.address);
	command |= 2;
	if (pwrite(m->device, &command, 2, r.offset + 4) != 2)
		return fail(EPROTO, "memory of %s can't be turned on",
			    m->ask.bar.address);
	return 0;
}

static int map_vfio(struct mmio_mem *m)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	struct vfio_region_info r = {
		.argsz = sizeof(r), .index = m->ask.bar.nr
	};
	bool iommu = true;
	int ret = open_group(m, &iommu);

	if (ret)
		return ret;
	if (ioctl(m->group, VFIO_GROUP_GET_STATUS, &status) ||
	    !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return fail(EOPNOTSUPP, "other devices in the IOMMU group of %s have drivers: bind them to vfio-pci, too",
			    m->ask.bar.address);
	m->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (m->container < 0)
		return fail(EOPNOTSUPP, "/dev/vfio/vfio: %s", strerror(errno));
	if (ioctl(m->group, VFIO_GROUP_SET_CONTAINER, &m->container) ||
	    ioctl(m->container, VFIO_SET_IOMMU,
		  iommu ? VFIO_TYPE1v2_IOMMU : VFIO_NOIOMMU_IOMMU))
		return fail(EOPNOTSUPP, "VFIO: %s", strerror(errno));
	m->device = ioctl(m->group, VFIO_GROUP_GET_DEVICE_FD,
			  m->ask.bar.address);
	if (m->device < 0)
		return fail(EOPNOTSUPP, "VFIO does not provide %s: %s",
			    m->ask.bar.address, strerror(errno));
	ret = decode_memory(m);
	if (ret)
		return ret;
	if (ioctl(m->device, VFIO_DEVICE_GET_REGION_INFO, &r) ||
	    !(r.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return fail(EOPNOTSUPP, "VFIO does not map BAR %u of %s",
			    m->ask.bar.nr, m->ask.bar.address);
	m->mem = mmap(NULL, m->len, PROT_READ | PROT_WRITE, MAP_SHARED,
		      m->device, r.offset);
	if (m->mem == MAP_FAILED) {
		m->mem = NULL;
		return fail(EOPNOTSUPP, "VFIO: BAR %u of %s: %s",
			    m->ask.bar.nr, m->ask.bar.address,
			    strerror(errno));
	}
	return 0;
}

/* --- all together --- */

static int map_ram(struct mmio_mem *m)
{
	m->mem = mmap(NULL, m->len, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (m->mem == MAP_FAILED) {
		m->mem = NULL;
		return fail(errno, "mmap: %s", strerror(errno));
	}
	return 0;
}

static int map_host(struct mmio_mem *m)
{
	bool vfio = m->ask.map == MAP_VFIO ||
		    (m->ask.map == MAP_GUEST &&
		     m->ask.backing == BACKING_VFIO);
	int ret;

	if (!mmio_wants_bar(&m->ask))
		return map_ram(m);
	ret = take(&m->ask.bar, vfio, m->ask.force);
	if (ret || map_in_kernel(m->ask.map))
		return ret;
	return vfio ? map_vfio(m) : map_sysfs(m, m->ask.map == MAP_WC);
}

static void set_types(struct mmio_mem *m)
{
	size_t nr = m->len / PAGE, i;

	if (m->ask.guest != GUEST_MIXED) {
		vm_mmio_type(m->vm, 0, nr, m->ask.guest);
		return;
	}
	for (i = 0; i < nr; i++)
		vm_mmio_type(m->vm, i, 1, i % 2 ? MEM_NGNRE : MEM_NC);
}

int mmio_open(struct mmio_mem *m, const struct mmio_ask *ask)
{
	int ret;

	memset(m, 0, sizeof(*m));
	m->ask = *ask;
	m->container = m->group = m->device = -1;
	m->len = (mmio_span(ask) + PAGE - 1) / PAGE * PAGE;
	if (mmio_wants_bar(ask) && m->len > ask->bar.size &&
	    ask->bar.size >= PAGE)
		m->len = ask->bar.size / PAGE * PAGE;
	m->kmod = kmod_open(NULL);
	if (m->kmod < 0 && map_in_kernel(ask->map))
		return m->kmod;
	ret = map_host(m);
	if (ret || ask->map != MAP_GUEST)
		return ret;
	m->vm = vm_mmio_new(m->mem, m->len);
	if (!m->vm)
		return -EOPNOTSUPP;
	set_types(m);
	return 0;
}

void mmio_close(struct mmio_mem *m)
{
	vm_mmio_free(m->vm);
	if (m->mem)
		munmap(m->mem, m->len);
	if (m->device >= 0)
		close(m->device);
	if (m->group >= 0)
		close(m->group);
	if (m->container >= 0)
		close(m->container);
	if (m->kmod >= 0)
		close(m->kmod);
	m->vm = NULL;
	m->mem = NULL;
	m->device = m->group = m->container = m->kmod = -1;
}

int mmio_kernel(struct mmio_mem *m, struct ptelab_mmio *arg)
{
	const struct pci_bar *b = &m->ask.bar;
	unsigned int domain, bus, dev, fn;
	int ret;

	if (sscanf(b->address, "%x:%x:%x.%x", &domain, &bus, &dev, &fn) != 4)
		return fail(EINVAL, "no address: %s", b->address);
	arg->address = domain << 16 | bus << 8 | dev << 3 | fn;
	arg->bar = b->nr;
	arg->map = m->ask.map - MAP_IOREMAP + PTELAB_MMIO_IOREMAP;
	ret = kmod_mmio(m->kmod, arg);
	if (!ret)
		m->kernel_stage1 = arg->stage1;
	return ret == -EBUSY || ret == -EOPNOTSUPP ?
		fail_prefix(-EOPNOTSUPP, "BAR %u of %s", b->nr, b->address) :
		ret;
}

int mmio_read(struct mmio_mem *m, void *buf, size_t len)
{
	volatile const uint64_t *from = (const void *)m->mem;
	uint64_t *to = buf;
	size_t i;

	len = (len + 7) & ~7UL;
	if (!m->mem) {
		struct ptelab_mmio arg = {
			.op = PTELAB_MMIO_READ, .window = len,
			.data = (uintptr_t)buf,
		};

		return mmio_kernel(m, &arg);
	}
	/* Order all earlier stores, of any memory type. */
#ifdef __aarch64__
	asm volatile("dsb sy" : : : "memory");
#else
	asm volatile("mfence" : : : "memory");
#endif
	for (i = 0; i < len / 8; i++)
		to[i] = from[i];
	return 0;
}

/* --- types --- */

static enum mem_type of_kmod(unsigned int t)
{
	switch (t) {
	case PTELAB_MEM_NORMAL:
	case PTELAB_MEM_TAGGED:
		return MEM_WB;
	case PTELAB_MEM_NC:
		return MEM_NC;
	case PTELAB_MEM_NGNRNE:
		return MEM_NGNRNE;
	case PTELAB_MEM_NGNRE:
		return MEM_NGNRE;
	case PTELAB_MEM_GRE:
		return MEM_GRE;
	}
	return MEM_UNKNOWN;
}

static void say(json_t *proof, const char *what, enum mem_type t,
		const char *from)
{
	json_object_set_new(proof, what, json_pack("{s:s, s:s}", "type",
			    mem_type_name(t), "from", from));
}

/* Reads stage 1 of this process's mapping from its page table. */
static enum mem_type seen_stage1(struct mmio_mem *m)
{
	enum mem_type t = MEM_UNKNOWN, one;
	struct ptelab_ptes sum;
	unsigned int i;

	if (m->kmod < 0 || kmod_ptes(m->kmod, 0, m->mem, m->len, &sum, NULL))
		return MEM_UNKNOWN;
	for (i = 0; i < 8; i++) {
		if (!sum.memtype[i])
			continue;
		one = of_kmod(i);
		if (t != MEM_UNKNOWN && one != t)
			return MEM_UNKNOWN;
		t = one;
	}
	return t;
}

/* The names on x86-64, where there is no second stage to combine. */
static const char *x86_rule(enum mmio_map map)
{
	switch (map) {
	case MAP_WC:
	case MAP_IOREMAP_WC:
		return "WC";
	case MAP_RAM:
		return "WB";
	default:
		return "UC-";
	}
}

static int tell_host(struct mmio_mem *m, json_t *proof)
{
	enum mem_type rule = mmio_rule(m->ask.map, m->ask.arch);
	enum mem_type seen = MEM_UNKNOWN;
	const char *from = "the kernel's rule; with ptelab.ko it would be read";

	if (m->ask.arch != MMIO_ARM64) {
		json_object_set_new(proof, "stage1", json_pack(
				"{s:s, s:s}", "type", x86_rule(m->ask.map),
				"from", "the kernel's rule"));
		return 0;
	}
	if (map_in_kernel(m->ask.map)) {
		if (m->kernel_stage1)
			seen = mem_type_of_mair(m->kernel_stage1 & 0xff);
		from = "the CPU's own walk (AT S1E1R)";
	} else {
		seen = seen_stage1(m);
		if (seen != MEM_UNKNOWN)
			from = "the page table";
	}
	say(proof, "stage1", seen != MEM_UNKNOWN ? seen : rule, from);
	if (seen != MEM_UNKNOWN && seen != rule && rule != MEM_UNKNOWN)
		return fail(EPROTO, "the mapping is %s, and map=%s should be %s",
			    mem_type_name(seen), mmio_maps[m->ask.map],
			    mem_type_name(rule));
	if (m->ask.virtual)
		json_object_set_new(proof, "in_force", json_string(
			"unknown: this machine is a VM, and only its host sees stage 2"));
	else
		json_object_set_new(proof, "in_force", json_string(
			mem_type_name(seen != MEM_UNKNOWN ? seen : rule)));
	return 0;
}

/* Returns the type of all mapped pages; MEM_UNKNOWN if they differ. */
static enum mem_type stage2_of(const struct ptelab_stage2 *s)
{
	enum mem_type t = MEM_UNKNOWN;
	unsigned int i, kinds = 0;

	for (i = 0; i < 16; i++) {
		if (!s->memattr[i])
			continue;
		t = mem_type_of_stage2(i, s->fwb);
		kinds++;
	}
	return kinds == 1 ? t : MEM_UNKNOWN;
}

/* The current state of the guest's pages. */
struct pages {
	enum mem_type s2;
	bool seen, fwb;
	size_t mapped;		/* in stage 2, if that can be read */
	size_t s1[MEM_TYPES + 1], force[MEM_TYPES + 1];
};

/* -errno with fail() text: no stage 2; the rest is filled in. */
static int look_at_pages(struct mmio_mem *m, struct pages *p)
{
	struct ptelab_stage2 leaves = {
		.vm_fd = vm_mmio_fd(m->vm), .gpa = vm_mmio_gpa(),
		.len = m->len,
	};
	size_t nr = m->len / PAGE, i;
	int ret = m->kmod < 0 ?
		  fail(EOPNOTSUPP, "only ptelab.ko reads the leaves") :
		  kmod_stage2(m->kmod, &leaves);

	memset(p, 0, sizeof(*p));
	p->s2 = MEM_UNKNOWN;
	if (!ret) {
		p->seen = true;
		p->fwb = leaves.fwb;
		p->s2 = stage2_of(&leaves);
		p->mapped = nr - leaves.none;
	}
	for (i = 0; i < nr; i++) {
		enum mem_type s1 = vm_mmio_stage1(m->vm, i);

		p->s1[s1]++;
		p->force[mem_type_combine(s1, p->s2, p->fwb)]++;
	}
	return ret;
}

static json_t *pages_json(const size_t *n)
{
	json_t *o = json_object();
	unsigned int t;

	for (t = 0; t <= MEM_TYPES; t++)
		if (n[t])
			json_object_set_new(o, mem_type_name(t),
					    json_integer(n[t]));
	return o;
}

static int tell_guest(struct mmio_mem *m, json_t *proof)
{
	enum mem_type s1 = vm_mmio_stage1(m->vm, 0);
	bool mixed = m->ask.guest == GUEST_MIXED;
	struct pages p;

	if (!mixed)
		say(proof, "stage1", s1, "the guest's page table");
	if (look_at_pages(m, &p)) {
		json_object_set_new(proof, "stage2", json_pack("{s:s}", "why",
							       fail_text()));
	} else {
		say(proof, "stage2", p.s2, p.fwb ?
		    "the leaves' MemAttr, with FWB" :
		    "the leaves' MemAttr, without FWB");
		json_object_set_new(proof, "stage2_pages",
				    json_integer(p.mapped));
	}
	json_object_set_new(proof, "stage1_pages", pages_json(p.s1));
	json_object_set_new(proof, "in_force_pages", pages_json(p.force));
	if (!mixed)
		json_object_set_new(proof, "in_force", json_string(
			mem_type_name(mem_type_combine(s1, p.s2, p.fwb))));
	return 0;
}

void mmio_count_types(struct mmio_mem *m, struct bench_ctx *ctx)
{
	char name[48];
	struct pages p;
	unsigned int t;

	if (look_at_pages(m, &p))
		return;
	for (t = 0; t < MEM_TYPES; t++) {
		snprintf(name, sizeof(name), "in_force.%s", mem_type_name(t));
		if (t == MEM_NGNRE || t == MEM_NC || p.force[t])
			bench_count(ctx, name, p.force[t]);
	}
}

int mmio_tell_types(struct mmio_mem *m, json_t *proof)
{
	return m->vm ? tell_guest(m, proof) : tell_host(m, proof);
}
