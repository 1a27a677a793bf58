// SPDX-License-Identifier: GPL-2.0
/*
 * ptelab.ko shows and drives what user space can't reach. This file has the
 * device and its open files; ptelab_uapi.h describes the interface.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "ptelab.h"

/*
 * Bounds memory, as each open file can have two notifiers, a shadow, a block
 * and a range of pinned pages.
 */
#define MAX_FILES	64

static atomic_t nr_files = ATOMIC_INIT(0);

int ptelab_get_arg(void *arg, size_t size, u32 flags, const void *reserved,
		   const void __user *uarg)
{
	const u32 *head = arg;

	if (copy_from_user(arg, uarg, size))
		return -EFAULT;
	if (head[0] != size || (head[1] & ~flags))
		return -EINVAL;
	if (memchr_inv(reserved, 0, arg + size - reserved))
		return -EINVAL;
	return 0;
}

int ptelab_check_range(u64 addr, u64 len, u64 max_pages)
{
	u64 end;

	if (!PAGE_ALIGNED(addr) || !PAGE_ALIGNED(len) || !len)
		return -EINVAL;
	if (len >> PAGE_SHIFT > max_pages)
		return -E2BIG;
	if (check_add_overflow(addr, len, &end) || end > TASK_SIZE)
		return -EFAULT;
	return 0;
}

static long ptelab_ioc_abi(struct ptelab_file *f, void __user *uarg)
{
	struct ptelab_abi abi;
	int ret = ptelab_get(&abi, 0, uarg);

	if (ret)
		return ret;
	abi.version = PTELAB_ABI_VERSION;
	abi.features = PTELAB_FEATURE_OP | PTELAB_FEATURE_CONTPTE |
		       PTELAB_FEATURE_MEMTYPE | PTELAB_FEATURE_MMIO |
		       PTELAB_FEATURE_STAGE2;
	abi.page_size = PAGE_SIZE;
	abi.cont_ptes = PTELAB_CONT_PTES;
	return ptelab_put(uarg, &abi);
}

#define IOCTL(NAME, name) \
	[_IOC_NR(PTELAB_IOC_##NAME)] = { PTELAB_IOC_##NAME, ptelab_ioc_##name }
static const struct {
	unsigned int cmd;
	long (*handler)(struct ptelab_file *f, void __user *uarg);
} ioctls[] = {
	IOCTL(ABI, abi),
	IOCTL(NOTIFY_START, notify_start),
	IOCTL(NOTIFY_STOP, notify_stop),
	IOCTL(NOTIFY_READ, notify_read),
	IOCTL(NOTIFY_RESET, notify_reset),
	IOCTL(PTES, ptes),
	IOCTL(SHADOW_START, shadow_start),
	IOCTL(SHADOW_STOP, shadow_stop),
	IOCTL(SHADOW_FILL, shadow_fill),
	IOCTL(SHADOW_CHECK, shadow_check),
	IOCTL(GUP, gup),
	IOCTL(RETRY, retry),
	IOCTL(MMIO, mmio),
	IOCTL(STAGE2, stage2),
	IOCTL(LITMUS, litmus),
	IOCTL(BARRIER, barrier),
};

static long ptelab_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(ioctls) || ioctls[nr].cmd != cmd)
		return -ENOTTY;
	/* A kernel thread has no user page table. */
	if (!current->mm)
		return -ESRCH;
	return ioctls[nr].handler(file->private_data, (void __user *)arg);
}

static int ptelab_open(struct inode *inode, struct file *file)
{
	struct ptelab_file *f;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* It tells kernel and physical addresses. */
	ret = security_locked_down(LOCKDOWN_KCORE);
	if (ret)
		return ret;
	if (atomic_inc_return(&nr_files) > MAX_FILES) {
		atomic_dec(&nr_files);
		return -EMFILE;
	}
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f) {
		atomic_dec(&nr_files);
		return -ENOMEM;
	}
	mutex_init(&f->lock);
	file->private_data = f;
	return 0;
}

static int ptelab_release(struct inode *inode, struct file *file)
{
	struct ptelab_file *f = file->private_data;

	ptelab_mmio_release(f);
	ptelab_barrier_release(f);
	ptelab_retry_release(f);
	ptelab_shadow_release(f);
	ptelab_notify_release(f);
	mutex_destroy(&f->lock);
	kfree(f);
	atomic_dec(&nr_files);
	return 0;
}

static const struct file_operations ptelab_fops = {
	.owner		= THIS_MODULE,
	.open		= ptelab_open,
	.release	= ptelab_release,
	.unlocked_ioctl	= ptelab_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice ptelab_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "ptelab",
	.fops	= &ptelab_fops,
	.mode	= 0600,
};

static int __init ptelab_init(void)
{
	int ret = ptelab_mmio_init();

	if (ret)
		return ret;
	ret = misc_register(&ptelab_misc);
	if (ret)
		ptelab_mmio_exit();
	return ret;
}
module_init(ptelab_init);

static void __exit ptelab_exit(void)
{
	misc_deregister(&ptelab_misc);
	ptelab_mmio_exit();
}
module_exit(ptelab_exit);

MODULE_DESCRIPTION("ptelab: page-table, GUP and mmu-notifier measurements");
MODULE_AUTHOR("The ptelab developers");
MODULE_LICENSE("GPL");
