// SPDX-License-Identifier: GPL-2.0
/*
 * Stores to a BAR through the kernel's own mappings and functions, and reads
 * the memory type of the mapping in stage 1.
 */
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "mmio_run.h"
#include "ptelab.h"

#ifdef CONFIG_PCI

/*
 * Groups, and stores, between two calls of cond_resched(). A store that a
 * hypervisor emulates takes microseconds.
 */
#define CHUNK		4096
#define CHUNK_STORES	(512 * 1024)

static __always_inline u8 __iomem *next_group(struct mmio_run *r)
{
	u8 __iomem *p = r->base + r->at;

	r->at += r->step;
	if (r->at >= r->wrap)
		r->at = 0;
	return p;
}

/* A read of the group's first bytes; readl() and readb() wait for the value. */
static __always_inline void read_back(u8 __iomem *p, u32 group)
{
	if (IS_ALIGNED((unsigned long)p, 4) && group >= 4)
		readl(p);
	else
		readb(p);
}

static __always_inline void after_group(const struct mmio_run *r,
					u8 __iomem *p)
{
	switch (r->flush) {
	case PTELAB_MMIO_BARRIER:
		/* Only its cost is of interest; it pairs with nothing. */
		wmb();
		break;
	case PTELAB_MMIO_DGH:
		io_stop_wc();
		break;
	case PTELAB_MMIO_READBACK:
		read_back(p, r->group);
		break;
	}
}

/*
 * Single stores: blocks of groups as straight-line code, and one by one what
 * there is no such code for. Store number n takes the low end of word n % 8, as
 * user space does.
 */
#define PLAIN(name, width, fn)						\
static void name##_singly(struct mmio_run *r, u64 groups)		\
{									\
	const u32 n = r->group / (width);				\
	u8 __iomem *p;							\
	u32 i;								\
									\
	while (groups--) {						\
		p = next_group(r);					\
		for (i = 0; i < n; i++)					\
			fn(r->data[i % 8], p + i * (width));		\
		after_group(r, p);					\
	}								\
}									\
									\
static void name(struct mmio_run *run, u64 groups)			\
{									\
	/* A copy, or each store would have it all read again. */	\
	struct mmio_run r = *run;					\
	u64 n;								\
									\
	for (; groups; groups -= n) {					\
		n = ptelab_mmio_unrolled(&r, width, groups);		\
		if (n)							\
			continue;					\
		/* Up to where it begins again, there may be some. */	\
		n = groups;						\
		if (r.step)						\
			n = min(n, DIV_ROUND_UP(r.wrap - r.at, r.step)); \
		name##_singly(&r, n);					\
	}								\
	run->at = r.at;							\
}

PLAIN(raw8, 1, __raw_writeb)
PLAIN(raw16, 2, __raw_writew)
PLAIN(raw32, 4, __raw_writel)
PLAIN(raw64, 8, __raw_writeq)

/* --- functions of the kernel, called for each group as drivers call them --- */

typedef void (*call_fn)(u8 __iomem *to, const u64 *from, size_t len);

#define CALLED(name, what)						\
static void name(u8 __iomem *to, const u64 *from, size_t len)		\
{									\
	what;								\
}

static __always_inline void each32(u8 __iomem *to, const u64 *from, size_t len)
{
	size_t i;

	for (i = 0; i < len / 4; i++)
		iowrite32(from[i % 8], to + 4 * i);
}

static __always_inline void each64(u8 __iomem *to, const u64 *from, size_t len)
{
	size_t i;

	for (i = 0; i < len / 8; i++)
		writeq(from[i % 8], to + 8 * i);
}

CALLED(write32, each32(to, from, len))
CALLED(write64, each64(to, from, len))
CALLED(copy32, __iowrite32_copy(to, from, len / 4))
CALLED(copy64, __iowrite64_copy(to, from, len / 8))
CALLED(to_io, memcpy_toio(to, from, len))
CALLED(set_io, memset_io(to, (u8)from[0], len))

static void nothing(u8 __iomem *to, const u64 *from, size_t len)
{
}

/*
 * Calls @fn for each group. The loop is the same for all functions, so with
 * nothing() it measures the cost of the loop.
 */
static noinline void calls(struct mmio_run *run, u64 groups, call_fn fn)
{
	struct mmio_run r = *run;
	u8 __iomem *p;

	while (groups--) {
		p = next_group(&r);
		fn(p, r.data, r.group);
		after_group(&r, p);
	}
	run->at = r.at;
}

static const struct {
	void (*run)(struct mmio_run *r, u64 groups);	/* or NULL, and then: */
	call_fn call;
	u32 width;		/* a group is a multiple of this */
	u32 align;
} sequences[PTELAB_MMIO_SEQUENCES] = {
	[PTELAB_MMIO_RAW8]	= { raw8, NULL, 1, 1 },
	[PTELAB_MMIO_RAW16]	= { raw16, NULL, 2, 2 },
	[PTELAB_MMIO_RAW32]	= { raw32, NULL, 4, 4 },
	[PTELAB_MMIO_RAW64]	= { raw64, NULL, 8, 8 },
	[PTELAB_MMIO_WRITE32]	= { NULL, write32, 4, 4 },
	[PTELAB_MMIO_WRITE64]	= { NULL, write64, 8, 8 },
	[PTELAB_MMIO_COPY32]	= { NULL, copy32, 4, 4 },
	[PTELAB_MMIO_COPY64]	= { NULL, copy64, 8, 8 },
	[PTELAB_MMIO_MEMCPY]	= { NULL, to_io, 1, 1 },
	[PTELAB_MMIO_MEMSET]	= { NULL, set_io, 1, 1 },
	[PTELAB_MMIO_NOTHING]	= { NULL, nothing, 1, 1 },
};

static void run_groups(u32 sequence, struct mmio_run *r, u64 groups)
{
	if (sequences[sequence].run)
		sequences[sequence].run(r, groups);
	else
		calls(r, groups, sequences[sequence].call);
}

/*
 * Returns the memory type of a kernel address in stage 1, from the CPU's own
 * page-table walk: the byte of MAIR that the entry selects. Bit 8 is set if the
 * walk succeeded.
 */
static u32 stage1_of(const void __iomem *p)
{
#ifdef CONFIG_ARM64
	unsigned long flags;
	u64 par;

	local_irq_save(flags);
	asm volatile("at s1e1r, %0" : : "r" (p));
	isb();
	par = read_sysreg_par();
	local_irq_restore(flags);
	if (!(par & SYS_PAR_EL1_F))
		return 0x100 | par >> 56;
#endif
	return 0;
}

/* A function of the kernel makes wider stores where it can. */
static u64 chunk_of(const struct ptelab_mmio *arg)
{
	u32 width = max_t(u32, sequences[arg->sequence].width,
			  sequences[arg->sequence].call ? 4 : 1);

	return clamp_t(u64, (u64)CHUNK_STORES * width / arg->group, 1, CHUNK);
}

static int loop(struct ptelab_mmio *arg, struct mmio_run *r)
{
	u64 left = arg->groups, chunk = chunk_of(arg), start = ktime_get_ns();

	while (left) {
		u64 n = min(left, chunk);

		run_groups(arg->sequence, r, n);
		left -= n;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	arg->ns = ktime_get_ns() - start;
	/* A read returns only after all posted stores have arrived. */
	start = ktime_get_ns();
	readb(r->base);
	arg->drain_ns = ktime_get_ns() - start;
	return 0;
}

/* Does a load after each group, and records how long each takes. */
static int latency(struct ptelab_mmio *arg, struct mmio_run *r)
{
	size_t bytes = arg->groups * sizeof(u64), chunk = chunk_of(arg), i;
	u64 *sample = kvmalloc(bytes, GFP_KERNEL_ACCOUNT), start;
	int ret = 0;

	if (!sample)
		return -ENOMEM;
	for (i = 0; i < arg->groups && !ret; i++) {
		u8 __iomem *p = r->base + r->at;

		run_groups(arg->sequence, r, 1);
		start = ptelab_ticks();
		read_back(p, r->group);
		sample[i] = ptelab_ticks() - start;
		if (i % chunk)
			continue;
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	if (!ret && copy_to_user(u64_to_user_ptr(arg->samples), sample, bytes))
		ret = -EFAULT;
	kvfree(sample);
	return ret;
}

static int store(struct ptelab_mmio *arg, u8 __iomem *base)
{
	struct mmio_run r = {
		.base = base + arg->offset, .group = arg->group,
		.flush = arg->flush, .step = arg->step,
		/* With a step of 0 every group goes to the same place. */
		.wrap = arg->step ? arg->window : 1,
	};
	/* The same amount for each sequence: calls differ by stores only. */
	u64 *data = memdup_user(u64_to_user_ptr(arg->data),
				max(arg->group, 64U));
	int ret;

	if (IS_ERR(data))
		return PTR_ERR(data);
	r.data = data;
	ret = arg->op == PTELAB_MMIO_LATENCY ? latency(arg, &r) :
					       loop(arg, &r);
	kfree(data);
	return ret;
}

/* Copies the window of the BAR to user space, a page at a time. */
static int fetch(const struct ptelab_mmio *arg, u8 __iomem *base)
{
	u64 done, n;
	int ret = 0;
	void *page = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);

	if (!page)
		return -ENOMEM;
	for (done = 0; done < arg->window && !ret; done += n) {
		n = min_t(u64, arg->window - done, PAGE_SIZE);
		memcpy_fromio(page, base + arg->offset + done, n);
		if (copy_to_user(u64_to_user_ptr(arg->data) + done, page, n))
			ret = -EFAULT;
		cond_resched();
	}
	kfree(page);
	return ret;
}

static u8 __iomem *map_bar(const struct ptelab_mmio *arg, phys_addr_t phys,
			   size_t len)
{
	switch (arg->map) {
	case PTELAB_MMIO_IOREMAP:
		return ioremap(phys, len);
	case PTELAB_MMIO_IOREMAP_WC:
		return ioremap_wc(phys, len);
	default:
		return ioremap_np(phys, len);
	}
}

/*
 * A BAR that a file has mapped. It stays mapped until the file is closed or
 * maps another one, because mapping takes a varying number of instructions, and
 * callers that count instructions need the same number in each call. A driver
 * that is bound to the device, or the removal of the device, takes the BAR
 * away: see device_changes().
 */
struct ptelab_mmio_bar {
	struct list_head list;	/* in bars */
	struct pci_dev *pdev;
	u8 __iomem *base;	/* NULL: taken away */
	u32 bar;
	u32 map;		/* enum ptelab_mmio_map */
};

/*
 * Protects the list, and b->base when it is taken away. Uses of base also hold
 * the lock of the device.
 */
static DEFINE_MUTEX(bars_lock);
static LIST_HEAD(bars);

static void take_away(struct ptelab_mmio_bar *b)
{
	if (!b->base)
		return;
	iounmap(b->base);
	pci_release_region(b->pdev, b->bar);
	pm_runtime_put(&b->pdev->dev);
	b->base = NULL;
}

void ptelab_mmio_release(struct ptelab_file *f)
{
	struct ptelab_mmio_bar *b = f->mmio;

	if (!b)
		return;
	f->mmio = NULL;
	mutex_lock(&bars_lock);
	list_del(&b->list);
	take_away(b);
	mutex_unlock(&bars_lock);
	pci_dev_put(b->pdev);
	kfree(b);
}

/*
 * Takes the BAR away if a driver is about to be probed (with the device's lock
 * held), since the driver will want the BAR, and if the device has been removed
 * (without that lock), since its BAR will be freed. In the second case
 * find_locked() can no longer find the device, so nobody uses the BAR.
 */
static int device_changes(struct notifier_block *nb, unsigned long event,
			  void *dev)
{
	struct ptelab_mmio_bar *b;

	if (event != BUS_NOTIFY_BIND_DRIVER &&
	    event != BUS_NOTIFY_REMOVED_DEVICE)
		return NOTIFY_DONE;
	mutex_lock(&bars_lock);
	list_for_each_entry(b, &bars, list)
		if (&b->pdev->dev == dev)
			take_away(b);
	mutex_unlock(&bars_lock);
	return NOTIFY_OK;
}

static struct notifier_block devices = {
	.notifier_call = device_changes,
};

int __init ptelab_mmio_init(void)
{
	return bus_register_notifier(&pci_bus_type, &devices);
}

void ptelab_mmio_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &devices);
}

/* The caller holds the device's lock. */
static int hold_bar(struct ptelab_file *f, const struct ptelab_mmio *arg,
		    struct pci_dev *pdev)
{
	struct ptelab_mmio_bar *b = f->mmio;
	int ret;

	if (b && b->base && b->pdev == pdev && b->bar == arg->bar &&
	    b->map == arg->map)
		return 0;
	ptelab_mmio_release(f);
	b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		return -ENOMEM;
	b->bar = arg->bar;
	b->map = arg->map;
	ret = pci_request_region(pdev, b->bar, "ptelab");
	if (ret)
		goto free;
	b->base = map_bar(arg, pci_resource_start(pdev, b->bar),
			  pci_resource_len(pdev, b->bar));
	if (!b->base) {
		ret = -EOPNOTSUPP;
		goto release;
	}
	b->pdev = pci_dev_get(pdev);
	/* It fails where there is no such thing, and the device stays awake. */
	pm_runtime_get_sync(&pdev->dev);
	mutex_lock(&bars_lock);
	list_add(&b->list, &bars);
	mutex_unlock(&bars_lock);
	f->mmio = b;
	return 0;

release:
	pci_release_region(pdev, b->bar);
free:
	kfree(b);
	return ret;
}

static int may_use(const struct ptelab_mmio *arg, struct pci_dev *pdev)
{
	u64 len = pci_resource_len(pdev, arg->bar), end;
	u16 command;

	if (!(pci_resource_flags(pdev, arg->bar) & IORESOURCE_MEM))
		return -ENXIO;
	if (check_add_overflow(arg->offset, arg->window, &end) || end > len)
		return -E2BIG;
	/*
	 * Never write to registers that a driver uses, or to an address range
	 * that the device does not decode.
	 */
	if (pdev->driver)
		return -EBUSY;
	if (!pci_is_enabled(pdev) ||
	    pci_read_config_word(pdev, PCI_COMMAND, &command) ||
	    !(command & PCI_COMMAND_MEMORY))
		return -ENODEV;
	return 0;
}

static int get_bar(struct ptelab_file *f, const struct ptelab_mmio *arg,
		   struct pci_dev *pdev)
{
	int ret = may_use(arg, pdev);

	if (!ret)
		ret = hold_bar(f, arg, pdev);
	/* Another driver may want the memory by now. */
	if (ret)
		ptelab_mmio_release(f);
	return ret;
}

static int use_bar(struct ptelab_mmio_bar *b, struct ptelab_mmio *arg)
{
	arg->stage1 = stage1_of(b->base);
	return arg->op == PTELAB_MMIO_READ ? fetch(arg, b->base) :
					     store(arg, b->base);
}

/*
 * Returns the device with a reference and its lock, so that no driver can be
 * bound; NULL if there is none.
 *
 * device_del() first takes the device off the bus, then takes its lock to
 * release the driver, then sends BUS_NOTIFY_REMOVED_DEVICE. So if the device is
 * still on the bus while its lock is held, the notification comes after the
 * lock is released.
 */
static struct pci_dev *find_locked(u32 address)
{
	const unsigned int bus = address >> 8 & 0xff, devfn = address & 0xff;
	struct pci_dev *pdev, *still;

	pdev = pci_get_domain_bus_and_slot(address >> 16, bus, devfn);
	if (!pdev)
		return NULL;
	device_lock(&pdev->dev);
	still = pci_get_domain_bus_and_slot(address >> 16, bus, devfn);
	pci_dev_put(still);
	if (still == pdev)
		return pdev;
	device_unlock(&pdev->dev);
	pci_dev_put(pdev);
	return NULL;
}

static int check_mmio(const struct ptelab_mmio *arg)
{
	if (arg->map >= PTELAB_MMIO_MAPS || arg->op > PTELAB_MMIO_LATENCY ||
	    arg->bar >= PCI_STD_NUM_BARS || !arg->window || arg->reserved32)
		return -EINVAL;
	if (arg->window > PTELAB_MMIO_MAX_WINDOW)
		return -E2BIG;
	if (arg->op == PTELAB_MMIO_READ)
		return 0;
	if (arg->sequence >= PTELAB_MMIO_SEQUENCES ||
	    arg->flush > PTELAB_MMIO_READBACK || !arg->group ||
	    arg->group % sequences[arg->sequence].width ||
	    arg->group > arg->window ||
	    (arg->step && arg->window % arg->step) || arg->step > arg->window ||
	    arg->offset % sequences[arg->sequence].align ||
	    arg->step % sequences[arg->sequence].align)
		return -EINVAL;
	/* Or the last group would end beyond the window. */
	if (arg->step && arg->group > arg->step)
		return -EINVAL;
	if (arg->group > PTELAB_MMIO_MAX_GROUP ||
	    arg->groups > PTELAB_MMIO_MAX_GROUPS)
		return -E2BIG;
	if (arg->op == PTELAB_MMIO_LATENCY) {
		if (arg->flush)
			return -EINVAL;
		if (arg->groups > PTELAB_MMIO_MAX_SAMPLES)
			return -E2BIG;
	}
	return 0;
}

long ptelab_ioc_mmio(struct ptelab_file *f, void __user *uarg)
{
	struct ptelab_mmio arg;
	struct pci_dev *pdev;
	int ret = ptelab_get(&arg, 0, uarg);

	if (!ret)
		ret = check_mmio(&arg);
	/* As of the files of sysfs that map a BAR */
	if (!ret)
		ret = security_locked_down(LOCKDOWN_PCI_ACCESS);
	if (ret)
		return ret;
	ptelab_clear_from(&arg, ns);
	if (mutex_lock_interruptible(&f->lock))
		return -EINTR;
	pdev = find_locked(arg.address);
	if (pdev) {
		ret = get_bar(f, &arg, pdev);
		if (!ret)
			ret = use_bar(f->mmio, &arg);
		device_unlock(&pdev->dev);
		pci_dev_put(pdev);
	} else {
		ptelab_mmio_release(f);
		ret = -ENXIO;
	}
	mutex_unlock(&f->lock);
	return ret ? ret : ptelab_put(uarg, &arg);
}

#endif /* CONFIG_PCI */
