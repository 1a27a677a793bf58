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
	abi.features = PTELAB_FEATURE_OP | PTELAB_FEATURE_CHANGE |
		       PTELAB_FEATURE_CONTPTE | PTELAB_FEATURE_MEMTYPE |
		       PTELAB_FEATURE_MMIO | PTELAB_FEATURE_STAGE2;
	abi.page_size = PAGE_SIZE;
	abi.cont_ptes = PTELAB_CONT_PTES;
	return ptelab_put(uarg, &abi);
}

static long (*const handlers[])(struct ptelab_file *f, void __user *uarg) = {
	[_IOC_NR(PTELAB_IOC_ABI)]	   = ptelab_ioc_abi,
	[_IOC_NR(PTELAB_IOC_NOTIFY_START)] = ptelab_ioc_notify_start,
	[_IOC_NR(PTELAB_IOC_NOTIFY_STOP)]  = ptelab_ioc_notify_stop,
	[_IOC_NR(PTELAB_IOC_NOTIFY_READ)]  = ptelab_ioc_notify_read,
	[_IOC_NR(PTELAB_IOC_NOTIFY_RESET)] = ptelab_ioc_notify_reset,
	[_IOC_NR(PTELAB_IOC_PTES)]	   = ptelab_ioc_ptes,
	[_IOC_NR(PTELAB_IOC_SHADOW_START)] = ptelab_ioc_shadow_start,
	[_IOC_NR(PTELAB_IOC_SHADOW_STOP)]  = ptelab_ioc_shadow_stop,
	[_IOC_NR(PTELAB_IOC_SHADOW_FILL)]  = ptelab_ioc_shadow_fill,
	[_IOC_NR(PTELAB_IOC_SHADOW_CHECK)] = ptelab_ioc_shadow_check,
	[_IOC_NR(PTELAB_IOC_SHADOW_TOUCH)] = ptelab_ioc_shadow_touch,
	[_IOC_NR(PTELAB_IOC_GUP)]	   = ptelab_ioc_gup,
	[_IOC_NR(PTELAB_IOC_RETRY_BLOCK)]  = ptelab_ioc_retry_block,
	[_IOC_NR(PTELAB_IOC_RETRY)]	   = ptelab_ioc_retry,
	[_IOC_NR(PTELAB_IOC_MMIO)]	   = ptelab_ioc_mmio,
	[_IOC_NR(PTELAB_IOC_STAGE2)]	   = ptelab_ioc_stage2,
	[_IOC_NR(PTELAB_IOC_LITMUS)]	   = ptelab_ioc_litmus,
	[_IOC_NR(PTELAB_IOC_BARRIER)]	   = ptelab_ioc_barrier,
};

static const unsigned int commands[] = {
	PTELAB_IOC_ABI, PTELAB_IOC_NOTIFY_START, PTELAB_IOC_NOTIFY_STOP,
	PTELAB_IOC_NOTIFY_READ, PTELAB_IOC_NOTIFY_RESET, PTELAB_IOC_PTES,
	PTELAB_IOC_SHADOW_START, PTELAB_IOC_SHADOW_STOP,
	PTELAB_IOC_SHADOW_FILL, PTELAB_IOC_SHADOW_CHECK,
	PTELAB_IOC_SHADOW_TOUCH, PTELAB_IOC_GUP, PTELAB_IOC_RETRY_BLOCK,
	PTELAB_IOC_RETRY, PTELAB_IOC_MMIO, PTELAB_IOC_STAGE2,
	PTELAB_IOC_LITMUS, PTELAB_IOC_BARRIER,
};

static_assert(ARRAY_SIZE(handlers) == ARRAY_SIZE(commands));

static long ptelab_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(handlers) || commands[nr] != cmd)
		return -ENOTTY;
	/* A kernel thread has no user page table. */
	if (!current->mm)
		return -ESRCH;
	return handlers[nr](file->private_data, (void __user *)arg);
}

static int ptelab_open(struct inode *inode, struct file *file)
{
	struct ptelab_file *f;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
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
