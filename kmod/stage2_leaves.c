// SPDX-License-Identifier: GPL-2.0
/* Reads the memory types in stage 2 of one of the caller's VMs. */
#include "ptelab.h"

#ifdef PTELAB_HAVE_STAGE2

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/magic.h>
#include <asm/kvm_pgtable.h>
#include <asm/virt.h>

/*
 * Returns the leaf that maps @ipa, and its level; 0 if there is none. mmu_lock
 * is held, so no table is freed.
 */
static u64 stage2_leaf(const struct kvm_pgtable *pgt, u64 ipa, s8 *level)
{
	const kvm_pte_t *table = (__force const kvm_pte_t *)pgt->pgd;
	u64 index, pte;

	if (ipa >> pgt->ia_bits)
		return 0;
	/* The first level may consist of several adjacent tables. */
	index = ipa >> ARM64_HW_PGTABLE_LEVEL_SHIFT(pgt->start_level);
	for (*level = pgt->start_level; ; ) {
		pte = READ_ONCE(table[index]);
		if (!(pte & 1))
			return 0;
		if (*level == 3 || !(pte & 2))
			return pte;
		table = phys_to_virt(kvm_pte_to_phys(pte));
		++*level;
		index = ipa >> ARM64_HW_PGTABLE_LEVEL_SHIFT(*level) &
			(PTRS_PER_PTE - 1);
	}
}

static void count_leaves(struct ptelab_stage2 *arg, struct kvm *kvm)
{
	const struct kvm_pgtable *pgt = kvm->arch.mmu.pgt;
	u64 ipa, end = arg->gpa + arg->len, pte;
	s8 level;

	read_lock(&kvm->mmu_lock);
	for (ipa = arg->gpa; ipa < end && pgt; ipa += PAGE_SIZE) {
		pte = stage2_leaf(pgt, ipa, &level);
		if (!pte) {
			arg->none++;
			continue;
		}
		arg->memattr[pte >> 2 & 15]++;
		arg->block += level < 3;
	}
	read_unlock(&kvm->mmu_lock);
	arg->fwb = cpus_have_final_cap(ARM64_HAS_STAGE2_FWB);
}

/*
 * Recognizes a VM's file by its name, because KVM exports no function for it.
 * Only kernel code names files of this file system.
 */
static bool is_vm(const struct file *file)
{
#ifdef PTELAB_HAVE_FILE_IS_KVM
	return file_is_kvm((struct file *)file);
#else
	return file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp(file->f_path.dentry->d_name.name, "kvm-vm");
#endif
}

long ptelab_ioc_stage2(struct ptelab_file *f, void __user *uarg)
{
	struct ptelab_stage2 arg;
	struct file *file;
	struct kvm *kvm;
	int ret = ptelab_get(&arg, 0, uarg);

	if (ret)
		return ret;
	if (arg.fwb || !PAGE_ALIGNED(arg.gpa) || !PAGE_ALIGNED(arg.len) ||
	    !arg.len || arg.gpa + arg.len < arg.gpa)
		return -EINVAL;
	if (arg.len > PTELAB_MMIO_MAX_WINDOW)
		return -E2BIG;
	/* The hypervisor has the tables; what is in a kvm_pgtable is something else. */
	if (is_protected_kvm_enabled())
		return -EOPNOTSUPP;
	ptelab_clear_from(&arg, none);
	file = fget(arg.vm_fd);
	if (!file)
		return -EBADF;
	kvm = file->private_data;
	if (!is_vm(file))
		ret = -EBADF;
	else if (kvm->mm != current->mm)
		ret = -ESRCH;
	else
		count_leaves(&arg, kvm);
	fput(file);
	return ret ? ret : ptelab_put(uarg, &arg);
}

#else

long ptelab_ioc_stage2(struct ptelab_file *f, void __user *uarg)
{
	return -EOPNOTSUPP;
}

#endif
