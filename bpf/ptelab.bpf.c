// SPDX-License-Identifier: GPL-2.0
/*
 * The programs that count. attach.c decides from the table in counters.c which
 * of them are loaded, and where each is attached. Programs that are not needed
 * are not loaded.
 *
 * A counting program is a handful of instructions: the CPU's number, an
 * address, one atomic add. The add is atomic because an interrupt or, under
 * CONFIG_PREEMPT, another task may count in the same row between a load and a
 * store. On a line that this CPU owns it costs no more than those two.
 *
 * One file though it is long: the programs of one object share their maps and
 * what they know about the task.
 */
#include <linux/bpf.h>

#include "bpf/types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/slots.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * Compiled twice. Without FILTERED all events count, and the programs have no
 * code that checks whose event it is. A constant in .rodata would not be
 * enough: its load would remain, even if the verifier removes the branch.
 */
const volatile u32 filter;
#ifndef FILTERED
/* Keep the variable, so that both objects have the same ones. */
#define filter	FILTER_NONE
#endif
const volatile u32 page_shift = 12;
/* GUP-fast's code: a slow path called from there belongs to GUP-fast. */
const volatile u64 gup_fast_start[2], gup_fast_end[2];
/* The return address that a kretprobe sets. */
const volatile u64 trampoline_start, trampoline_end;

/*
 * More rows than are used: an event's number is a byte, and the verifier
 * assumes any value of a byte.
 */
struct slot_row rows[ROWS + 4] __attribute__((aligned(4096)));

u64 one_mm;
struct whoami me;
/* The pid that seed_task looks for, and the level of its pid namespace. */
u32 seed_pid, seed_level;
u32 seeded;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);	/* tgid */
	__type(value, u8);
} tracked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);	/* struct mm_struct * */
	__type(value, u8);
} tracked_mm SEC(".maps");

/* Tasks in GUP's slow path that was called by GUP-fast. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);	/* pid */
	__type(value, u8);
} in_slow SEC(".maps");
u64 nr_in_slow;

/* What was zapped from stage 2 and has not been mapped again. */
struct zap_key {
	u64 pgt;
	u64 ipa;	/* the low bits have log2 of the entry's size */
	u64 generation;
};

struct zap {
	u64 phys;
	u32 cause;	/* enum cause */
	u16 permissions; /* of the entry: MAY_READ, MAY_WRITE */
	u16 host;	/* enum host: what the host did to its own entry */
};

enum host {
	HOST_UNKNOWN,
	HOST_KEPT,	/* the same frame, with no permission removed */
	HOST_TOOK,
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct zap_key);
	__type(value, struct zap);
} zapped SEC(".maps");

/* Tasks in KVM's invalidate_range_start, and the event that it is for. */
struct start {
	u64 range;	/* struct mmu_notifier_range * */
	u64 cause;	/* enum cause */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);	/* pid */
	__type(value, struct start);
} in_start SEC(".maps");

/* The part of a memslot that such a range covers. */
struct count_part {
	u64 pgt, generation;
	u64 gfn, nr;
	u64 hva;
	u64 linear;	/* from physical addresses to the linear map */
};

#define MAX_PARTS	4

struct parts {
	u64 nr;
	struct count_part part[MAX_PARTS];
};

/* Ranges whose start was seen, but not their end. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);	/* struct mmu_notifier_range * */
	__type(value, struct parts);
} open_ranges SEC(".maps");

/* When a stage 2 is freed, its history must be forgotten. */
#define GENERATIONS	256
u64 generation[GENERATIONS];

static __always_inline void add(u32 slot, u64 n)
{
	u32 cpu = bpf_get_smp_processor_id();

	__sync_fetch_and_add(&rows[cpu & (ROWS - 1)].slot[slot], n);
}

/* --- whose event is it --- */

static __always_inline bool mm_counts(const void *mm)
{
	u64 key = (u64)mm;

	if (filter == FILTER_NONE)
		return true;
	if (filter == FILTER_ONE)
		return key == one_mm;
	return bpf_map_lookup_elem(&tracked_mm, &key) != NULL;
}

/*
 * Here and below a pointer is not read as a member of its BTF type: each time,
 * the verifier would search for five types by name among all types, which is
 * most of the cost of loading.
 */
static __always_inline struct mm_struct *current_mm(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, mm);
}

static __always_inline bool current_counts(void)
{
	return filter == FILTER_NONE || mm_counts(current_mm());
}

/*
 * User space runs this through BPF_PROG_TEST_RUN, in the context of the calling
 * task. A child uses it to add itself before it executes the traced command,
 * because its pid may differ in its own namespace.
 */
static __always_inline void track(u32 tgid, const void *mm)
{
	u64 key = (u64)mm;
	u8 one = 1;

	bpf_map_update_elem(&tracked, &tgid, &one, BPF_ANY);
	if (mm)
		bpf_map_update_elem(&tracked_mm, &key, &one, BPF_ANY);
}

SEC("raw_tp")
int whoami(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	me.tgid = bpf_get_current_pid_tgid() >> 32;
	me.mm = (u64)task->mm;
	me.pid_level = BPF_CORE_READ(task, thread_pid, level);
	return 0;
}

SEC("raw_tp")
int track_me(void *ctx)
{
	track(bpf_get_current_pid_tgid() >> 32, current_mm());
	return 0;
}

SEC("iter/task")
int seed_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct pid *pid;
	int nr = 0;

	if (!task || task->pid != task->tgid)
		return 0;
	pid = BPF_CORE_READ(task, thread_pid);
	if (BPF_CORE_READ(pid, level) < seed_level)
		return 0;
	bpf_probe_read_kernel(&nr, sizeof(nr), (char *)pid +
			      bpf_core_field_offset(struct pid, numbers) +
			      bpf_core_field_offset(struct upid, nr) +
			      seed_level * bpf_core_type_size(struct upid));
	if (nr != seed_pid)
		return 0;
	track(task->tgid, BPF_CORE_READ(task, mm));
	seeded = 1;
	return 0;
}

SEC("raw_tp")
int follow_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *child = (void *)ctx->args[1];
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (bpf_map_lookup_elem(&tracked, &tgid))
		track(BPF_CORE_READ(child, tgid), BPF_CORE_READ(child, mm));
	return 0;
}

SEC("raw_tp")
int follow_exec(struct bpf_raw_tracepoint_args *ctx)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (bpf_map_lookup_elem(&tracked, &tgid))
		track(tgid, current_mm());
	return 0;
}

SEC("raw_tp")
int follow_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	u32 tgid = BPF_CORE_READ(task, tgid);

	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		bpf_map_delete_elem(&tracked, &tgid);
	return 0;
}

/*
 * An address space is tracked until its memory is freed, because it is torn
 * down after its last task has exited, and that is part of what the task
 * caused.
 */
static __always_inline int mm_gone(u64 mm)
{
	bpf_map_delete_elem(&tracked_mm, &mm);
	return 0;
}

SEC("fentry")
int follow_mm_free(u64 *ctx)
{
	return mm_gone(ctx[0]);
}

SEC("kprobe")
int follow_mm_free_k(struct pt_regs *ctx)
{
	return mm_gone(PT_REGS_PARM1(ctx));
}

/* --- programs that count one thing per call --- */

/* Which events count: the caller's, or those of the mm that @mm finds. */
#define COUNT_CURRENT(name, slot)					\
	SEC("fentry") int name(u64 *ctx)				\
	{								\
		if (current_counts())					\
			add(slot, 1);					\
		return 0;						\
	}								\
	SEC("kprobe") int name##_k(struct pt_regs *ctx)			\
	{								\
		if (current_counts())					\
			add(slot, 1);					\
		return 0;						\
	}

#define COUNT_MM(name, slot, mm_of)					\
	SEC("fentry") int name(u64 *ctx)				\
	{								\
		if (filter == FILTER_NONE || mm_counts(mm_of(ctx[0])))	\
			add(slot, 1);					\
		return 0;						\
	}								\
	SEC("kprobe") int name##_k(struct pt_regs *ctx)			\
	{								\
		if (filter == FILTER_NONE ||				\
		    mm_counts(mm_of(PT_REGS_PARM1(ctx))))		\
			add(slot, 1);					\
		return 0;						\
	}

#define MM_ITSELF(arg)	((const void *)(arg))
#define MM_OF_RANGE(arg)						\
	BPF_CORE_READ((struct mmu_notifier_range *)(arg), mm)
#define MM_OF_KVM(arg)	BPF_CORE_READ((struct kvm *)(arg), mm)

#define MM_CURRENT(arg)	((const void *)current_mm())

#define CALL(prog, name, whose, function)				\
	COUNT_MM(prog, SLOT_CALL_##prog, whose)
#include "bpf/counters.def"
#undef CALL
COUNT_CURRENT(gup_fast, SLOT_GUP_FAST_CALLS)
COUNT_MM(notifier_secondary, SLOT_NOTIFIER_SECONDARY, MM_ITSELF)
COUNT_MM(unfold, SLOT_UNFOLDS, MM_ITSELF)

SEC("kprobe")
int gather_k(struct pt_regs *ctx)
{
	if (current_counts())
		add(SLOT_GATHERS, 1);
	return 0;
}

SEC("kprobe")
int retry_k(struct pt_regs *ctx)
{
	if (current_counts())
		add(SLOT_RETRIES, 1);
	return 0;
}

SEC("raw_tp")
int kvm_unmap_hva(void *ctx)
{
	if (current_counts())
		add(SLOT_KVM_UNMAP_HVA, 1);
	return 0;
}

SEC("raw_tp")
int kvm_guest_fault(void *ctx)
{
	if (current_counts())
		add(SLOT_KVM_GUEST_FAULTS, 1);
	return 0;
}

/* --- GUP --- */

/* Returns the return value, in an fexit program, for any arguments. */
static __always_inline u64 returned(u64 *ctx)
{
	u64 ret = 0;

	bpf_get_func_ret(ctx, &ret);
	return ret;
}

/*
 * GUP-fast's own pages are the return value of its entry point minus that of
 * the slow path that it calls. So the fast path needs no state between entry
 * and exit.
 */
static __always_inline void gup_fast_got(s64 ret)
{
	if (ret > 0 && current_counts())
		add(SLOT_GUP_FAST_PAGES, ret);
}

SEC("fexit")
int gup_fast_ret(u64 *ctx)
{
	/* start, nr_pages, gup_flags, pages, and what it returned */
	gup_fast_got((int)ctx[4]);
	return 0;
}

SEC("kretprobe")
int gup_fast_ret_k(struct pt_regs *ctx)
{
	gup_fast_got((int)PT_REGS_RC(ctx));
	return 0;
}

/*
 * Other callers use the slow path with the same flags, so only the return
 * address shows whether GUP-fast called it. A kprobe on the first instruction
 * reads it, where its place is known.
 */
static __always_inline bool called_by_gup_fast(struct pt_regs *ctx)
{
	u64 ip = 0;

#if defined(__TARGET_ARCH_arm64)
	ip = PT_REGS_RET(ctx);
#else
	bpf_probe_read_kernel(&ip, sizeof(ip), (void *)PT_REGS_SP(ctx));
#endif
	/* Another tracer's kretprobe has replaced the address. */
	if (ip >= trampoline_start && ip < trampoline_end && current_counts())
		add(SLOT_GUP_CALLER_HIDDEN, 1);
	return (ip >= gup_fast_start[0] && ip < gup_fast_end[0]) ||
	       (ip >= gup_fast_start[1] && ip < gup_fast_end[1]);
}

static __always_inline void gup_slow_enters(u64 nr_pages)
{
	if (current_counts())
		add(SLOT_GUP_SLOW_PAGES, nr_pages);
}

/* __gup_longterm_locked(mm, start, nr_pages, ...) */
SEC("kprobe")
int gup_slow_k(struct pt_regs *ctx)
{
	if (called_by_gup_fast(ctx))
		gup_slow_enters(PT_REGS_PARM3(ctx));
	return 0;
}

/* get_user_pages_unlocked(start, nr_pages, ...) */
SEC("kprobe")
int gup_slow_gup_k(struct pt_regs *ctx)
{
	if (called_by_gup_fast(ctx))
		gup_slow_enters(PT_REGS_PARM2(ctx));
	return 0;
}

/* __gup_longterm_unlocked(start, nr_pages, ...) has no other caller. */
SEC("kprobe")
int gup_slow_unlocked_k(struct pt_regs *ctx)
{
	gup_slow_enters(PT_REGS_PARM2(ctx));
	return 0;
}

SEC("kprobe")
int gup_slow_mark_k(struct pt_regs *ctx)
{
	u32 pid = bpf_get_current_pid_tgid();
	u8 one = 1;

	if (called_by_gup_fast(ctx) && current_counts() &&
	    !bpf_map_update_elem(&in_slow, &pid, &one, BPF_NOEXIST))
		__sync_fetch_and_add(&nr_in_slow, 1);
	return 0;
}

static __always_inline void gup_slow_got(s64 ret)
{
	u32 pid = bpf_get_current_pid_tgid();

	if (!nr_in_slow || bpf_map_delete_elem(&in_slow, &pid))
		return;
	__sync_fetch_and_add(&nr_in_slow, -1);
	if (ret > 0)
		add(SLOT_GUP_FAST_PAGES, -ret);
}

SEC("fexit")
int gup_slow_ret(u64 *ctx)
{
	gup_slow_got(returned(ctx));
	return 0;
}

SEC("kretprobe")
int gup_slow_ret_k(struct pt_regs *ctx)
{
	gup_slow_got(PT_REGS_RC(ctx));
	return 0;
}

SEC("kretprobe")
int gup_slow_unlocked_ret_k(struct pt_regs *ctx)
{
	s64 ret = (int)PT_REGS_RC(ctx);

	if (ret > 0 && current_counts())
		add(SLOT_GUP_FAST_PAGES, -ret);
	return 0;
}

/* --- contpte --- */

#define PTE_CONT	(1ULL << 52)

/* contpte_convert(mm, addr, ptep, pte): CONT in the new entry means a fold. */
static __always_inline void convert(const void *mm, u64 pte)
{
	if (mm_counts(mm))
		add(pte & PTE_CONT ? SLOT_FOLDS : SLOT_UNFOLDS, 1);
}

SEC("fentry")
int contpte_convert(u64 *ctx)
{
	convert((void *)ctx[0], ctx[3]);
	return 0;
}

SEC("kprobe")
int contpte_convert_k(struct pt_regs *ctx)
{
	convert((void *)PT_REGS_PARM1(ctx), PT_REGS_PARM4(ctx));
	return 0;
}

/* --- mmu notifiers --- */

static __always_inline void notifier_started(u8 event)
{
	u32 cpu = bpf_get_smp_processor_id();

	__sync_fetch_and_add(&rows[cpu & (ROWS - 1)].slot[SLOT_NOTIFIER_START +
							  event], 1);
}

SEC("fentry")
int notifier_start(u64 *ctx)
{
	struct mmu_notifier_range *range = (void *)ctx[0];

	if (filter == FILTER_NONE || mm_counts(MM_OF_RANGE(ctx[0])))
		notifier_started(*(u8 *)&range->event);
	return 0;
}

SEC("kprobe")
int notifier_start_k(struct pt_regs *ctx)
{
	struct mmu_notifier_range *range = (void *)PT_REGS_PARM1(ctx);

	if (filter == FILTER_NONE || mm_counts(BPF_CORE_READ(range, mm)))
		notifier_started(BPF_CORE_READ(range, event));
	return 0;
}

/* __mmu_notifier_invalidate_range_end(range, only_end) */
static __always_inline void ended(const void *mm, bool only_end)
{
	if (!only_end && mm_counts(mm))
		add(SLOT_NOTIFIER_SECONDARY, 1);
}

SEC("fentry")
int notifier_end_secondary(u64 *ctx)
{
	ended(MM_OF_RANGE(ctx[0]), ctx[1]);
	return 0;
}

SEC("kprobe")
int notifier_end_secondary_k(struct pt_regs *ctx)
{
	ended(MM_OF_RANGE(PT_REGS_PARM1(ctx)), PT_REGS_PARM2(ctx));
	return 0;
}

/* --- KVM --- */

/* Returns the process whose stage 2 this is. */
static __always_inline const void *mm_of_pgt(const struct kvm_pgtable *pgt)
{
	struct kvm_arch *arch = BPF_CORE_READ(pgt, mmu, arch);

	return MM_OF_KVM((u64)arch - bpf_core_field_offset(struct kvm, arch));
}

/* As a number, since the verifier does not allow to hash a pointer. */
static __always_inline u64 number(const void *at)
{
	u64 n = 0;

	bpf_probe_read_kernel(&n, sizeof(n), at);
	return n;
}

static __always_inline u64 *generation_of(u64 pgt)
{
	/* a multiplicative hash; the pointers differ in the middle bits */
	return &generation[(pgt * 0x9e3779b97f4a7c15ULL) >> 56];
}

static __always_inline u32 level_shift(u32 level)
{
	return (page_shift - 3) * (4 - level) + 3;
}

/* Bits 47..12 of an entry have the address, except with larger pages. */
#define PTE_ADDR	0x0000fffffffff000ULL

/* As in a stage-2 entry, KVM_PTE_LEAF_ATTR_LO_S2_S2AP_*. */
#define MAY_READ	1
#define MAY_WRITE	2
#define PTE_S2AP_SHIFT	6

static __always_inline u32 prot_permissions(u64 prot)
{
	u32 p = 0;

	if (prot & bpf_core_enum_value(enum kvm_pgtable_prot,
				       KVM_PGTABLE_PROT_R))
		p |= MAY_READ;
	if (prot & bpf_core_enum_value(enum kvm_pgtable_prot,
				       KVM_PGTABLE_PROT_W))
		p |= MAY_WRITE;
	return p;
}

static __always_inline void add_by(u32 first, u32 cause)
{
	u32 cpu = bpf_get_smp_processor_id();

	__sync_fetch_and_add(&rows[cpu & (ROWS - 1)].slot[first +
							  (cause & (CAUSES - 1))],
			     1);
}

static __always_inline void zap_key(struct zap_key *key, u64 pgt, u64 ipa,
				    u32 shift)
{
	key->pgt = pgt;
	key->ipa = (ipa & ~((1ULL << shift) - 1)) | shift;
	key->generation = *generation_of(pgt);
}

static __always_inline void remember_zap(u64 pgt, u64 ipa, u32 shift, u64 pte)
{
	u32 pid = bpf_get_current_pid_tgid();
	struct start *start = bpf_map_lookup_elem(&in_start, &pid);
	struct zap z = {
		.phys = pte & PTE_ADDR & ~((1ULL << shift) - 1),
		.cause = start ? start->cause : CAUSE_KVM,
		.permissions = pte >> PTE_S2AP_SHIFT & (MAY_READ | MAY_WRITE),
	};
	struct zap_key key;

	add_by(SLOT_ZAPPED_BY, z.cause);
	zap_key(&key, pgt, ipa, shift);
	if (bpf_map_update_elem(&zapped, &key, &z, BPF_ANY))
		add(SLOT_KVM_FORGOTTEN, 1);
}

#define DESC_VALID	1
#define DESC_TABLE	2	/* at level 3: a page, which is a leaf too */

static __always_inline bool is_leaf(u64 pte, u32 level)
{
	return (pte & DESC_VALID) && (level == 3 || !(pte & DESC_TABLE));
}

SEC("fentry")
int s2_unmap(u64 *ctx)
{
	struct kvm_pgtable_visit_ctx *v = (void *)ctx[0];
	u32 level = BPF_CORE_READ_BITFIELD(v, level);

	if (!is_leaf(v->old, level))
		return 0;
	if (filter == FILTER_NONE || mm_counts(mm_of_pgt(BPF_CORE_READ(v, arg))))
		add(level == 3 ? SLOT_KVM_ZAPPED_LEAVES :
				 SLOT_KVM_ZAPPED_BLOCKS, 1);
	return 0;
}

SEC("kprobe")
int s2_unmap_k(struct pt_regs *ctx)
{
	struct kvm_pgtable_visit_ctx *v = (void *)PT_REGS_PARM1(ctx);
	u32 level = BPF_CORE_READ_BITFIELD_PROBED(v, level);

	if (!is_leaf(BPF_CORE_READ(v, old), level))
		return 0;
	if (filter == FILTER_NONE || mm_counts(mm_of_pgt(BPF_CORE_READ(v, arg))))
		add(level == 3 ? SLOT_KVM_ZAPPED_LEAVES :
				 SLOT_KVM_ZAPPED_BLOCKS, 1);
	return 0;
}

/* Up to 6.2 the arguments are (addr, end, level, ptep, flag, arg). */
SEC("kprobe")
int s2_unmap_old_k(struct pt_regs *ctx)
{
	u32 level = PT_REGS_PARM3(ctx);
	u64 *ptep = (u64 *)PT_REGS_PARM4(ctx), pte = 0;

	bpf_probe_read_kernel(&pte, sizeof(pte), ptep);
	if (is_leaf(pte, level) && current_counts())
		add(level == 3 ? SLOT_KVM_ZAPPED_LEAVES :
				 SLOT_KVM_ZAPPED_BLOCKS, 1);
	return 0;
}

SEC("fentry")
int s2_unmap_note(u64 *ctx)
{
	struct kvm_pgtable_visit_ctx *v = (void *)ctx[0];
	u32 level = BPF_CORE_READ_BITFIELD(v, level);

	if (is_leaf(v->old, level) && level < 4 &&
	    (filter == FILTER_NONE || mm_counts(mm_of_pgt(BPF_CORE_READ(v, arg)))))
		remember_zap((u64)BPF_CORE_READ(v, arg), v->addr,
			     level_shift(level), v->old);
	return 0;
}

SEC("fentry")
int s2_freed(u64 *ctx)
{
	struct kvm_s2_mmu *mmu = (void *)ctx[0];

	__sync_fetch_and_add(generation_of((u64)BPF_CORE_READ(mmu, pgt)), 1);
	return 0;
}

/*
 * Checks a page that is mapped again. The zap was unnecessary if the frame is
 * the same, all former permissions are still there, and the host's own page
 * table also had both at the end of the operation that caused the zap.
 */
static __always_inline bool was_zapped(u64 pgt, u64 ipa, u32 shift, u64 phys,
				       u32 permissions, bool forget)
{
	struct zap_key key;
	struct zap *was;

	zap_key(&key, pgt, ipa, shift);
	was = bpf_map_lookup_elem(&zapped, &key);
	if (!was)
		return false;
	add(SLOT_KVM_REFAULTS, 1);
	if (was->phys == (phys & PTE_ADDR & ~((1ULL << shift) - 1))) {
		add(SLOT_KVM_REFAULTS_SAME_PFN, 1);
		add_by(SLOT_SAME_PFN_BY, was->cause);
		if (was->permissions & ~permissions || was->host == HOST_TOOK)
			;
		else if (was->host == HOST_KEPT)
			add_by(SLOT_UNNECESSARY_BY, was->cause);
		else if (was->cause != CAUSE_KVM)
			add(SLOT_KVM_UNCHECKED, 1);
	}
	if (forget)
		bpf_map_delete_elem(&zapped, &key);
	return true;
}

/* kvm_pgtable_stage2_map(pgt, ipa, size, phys, prot, mc, flags) */
SEC("fexit")
int s2_refault(u64 *ctx)
{
	u64 pgt = number(&ctx[0]), ipa = ctx[1], size = ctx[2], phys = ctx[3];
	u32 now = prot_permissions(ctx[4]);

	/* -EAGAIN: another vCPU was first, or the guest must retry */
	if ((int)returned(ctx))
		return 0;
	/*
	 * A page may be mapped again as a page, as part of a block that was
	 * zapped, or in a block with its neighbours.
	 */
	if (size == 1ULL << page_shift) {
		if (!was_zapped(pgt, ipa, page_shift, phys, now, true))
			was_zapped(pgt, ipa, level_shift(2), phys, now, false);
	} else if (size == 1ULL << level_shift(2)) {
		if (!was_zapped(pgt, ipa, level_shift(2), phys, now, true))
			was_zapped(pgt, ipa, page_shift, phys, now, true);
	}
	return 0;
}

/* kvm_mmu_notifier_invalidate_range_start(subscription, range) */
SEC("fentry")
int kvm_start(u64 *ctx)
{
	struct mmu_notifier_range *range = (void *)ctx[1];
	struct start start = {
		.range = number(&ctx[1]),
		.cause = BPF_CORE_READ(range, event),
	};
	u32 pid = bpf_get_current_pid_tgid();

	if (filter != FILTER_NONE && !mm_counts(BPF_CORE_READ(range, mm)))
		return 0;
	if (start.cause > CAUSE_BEYOND)
		start.cause = CAUSE_BEYOND;
	/* No task is in there twice. If it is full, the cause is KVM. */
	if (bpf_map_update_elem(&in_start, &pid, &start, BPF_ANY))
		add(SLOT_KVM_FORGOTTEN, 1);
	return 0;
}

SEC("fexit")
int kvm_start_done(u64 *ctx)
{
	u32 pid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&in_start, &pid);
	return 0;
}

/* kvm_unmap_gfn_range(kvm, range): for each memslot that the range touches */
SEC("fentry")
int kvm_part(u64 *ctx)
{
	struct kvm_gfn_range *r = (void *)ctx[1];
	struct kvm *kvm = (void *)ctx[0];
	u32 pid = bpf_get_current_pid_tgid();
	struct start *start = bpf_map_lookup_elem(&in_start, &pid);
	u64 pgt = (u64)BPF_CORE_READ(kvm, arch.mmu.pgt), range;
	struct parts none = { 0 }, *parts;
	struct count_part *p;

	if (!start)
		return 0;
	range = start->range;
	bpf_map_update_elem(&open_ranges, &range, &none, BPF_NOEXIST);
	parts = bpf_map_lookup_elem(&open_ranges, &range);
	/* What does not fit remains unknown. */
	if (!parts || parts->nr >= MAX_PARTS)
		return 0;
	p = &parts->part[parts->nr];
	p->pgt = pgt;
	p->generation = *generation_of(pgt);
	p->gfn = BPF_CORE_READ(r, start);
	p->nr = BPF_CORE_READ(r, end) - p->gfn;
	p->hva = BPF_CORE_READ(r, slot, userspace_addr) +
		 ((p->gfn - BPF_CORE_READ(r, slot, base_gfn)) << page_shift);
	/* KVM knows both addresses of its own table. */
	p->linear = (u64)BPF_CORE_READ(kvm, arch.mmu.pgt, pgd) -
		    BPF_CORE_READ(kvm, arch.mmu.pgd_phys);
	parts->nr++;
	return 0;
}

#define PTE_WRITE	(1ULL << 51)	/* as pte_write(), arm64 */

struct host_walk {
	struct count_part part;
	u64 pgd, top;	/* the bits below an entry of the first table */
};

/* Returns the frame of @hva in the host's page table; 0 if there is none. */
static __always_inline u64 host_frame(const struct host_walk *w, u64 hva,
				      u32 *permissions)
{
	u32 bits = page_shift - 3, shift = w->top, i;
	u64 table = w->pgd, pte, in_leaf;

	for (i = 0; i < 5; i++) {
		pte = 0;
		bpf_probe_read_kernel(&pte, sizeof(pte), (void *)(table +
				(hva >> shift & ((1ULL << bits) - 1)) * 8));
		if (!(pte & DESC_VALID))
			return 0;
		if (shift <= page_shift || !(pte & DESC_TABLE))
			break;
		table = (pte & PTE_ADDR & ~((1ULL << page_shift) - 1)) +
			w->part.linear;
		shift -= bits;
	}
	in_leaf = (1ULL << shift) - 1;
	*permissions = MAY_READ | (pte & PTE_WRITE ? MAY_WRITE : 0);
	return (pte & PTE_ADDR & ~in_leaf) |
	       (hva & in_leaf & ~((1ULL << page_shift) - 1));
}

static __always_inline struct zap *find_zap(const struct count_part *p, u64 ipa,
					    u32 shift)
{
	struct zap_key key = {
		.pgt = p->pgt, .generation = p->generation,
		.ipa = (ipa & ~((1ULL << shift) - 1)) | shift,
	};

	return bpf_map_lookup_elem(&zapped, &key);
}

/* Records what the host did with a page that stage 2 had mapped. */
static long host_check(u32 i, void *data)
{
	const struct host_walk *w = data;
	u64 ipa = (w->part.gfn + i) << page_shift, offset = 0, frame;
	struct zap *z = find_zap(&w->part, ipa, page_shift);
	u32 permissions = 0;

	if (!z) {
		z = find_zap(&w->part, ipa, level_shift(2));
		offset = ipa & ((1ULL << level_shift(2)) - 1);
	}
	if (!z)
		return 0;
	frame = host_frame(w, w->part.hva + ((u64)i << page_shift),
			   &permissions);
	if (frame != z->phys + offset || z->permissions & ~permissions)
		z->host = HOST_TOOK;
	else if (z->host == HOST_UNKNOWN)
		z->host = HOST_KEPT;
	return 0;
}

/* How many pages of a range are checked; the others remain unknown. */
#define MOST_CHECKED	65536

/* kvm_mmu_notifier_invalidate_range_end(subscription, range) */
SEC("fentry")
int kvm_end(u64 *ctx)
{
	struct mmu_notifier_range *range = (void *)ctx[1];
	u64 key = number(&ctx[1]), size;
	struct parts *parts = bpf_map_lookup_elem(&open_ranges, &key);
	struct host_walk w = { 0 };
	u32 i;

	if (!parts)
		return 0;
	w.pgd = (u64)BPF_CORE_READ(range, mm, pgd);
	/* The size of the address space determines the number of levels. */
	size = BPF_CORE_READ(range, mm, task_size) - 1;
	w.top = page_shift;
	for (i = 0; i < 4; i++)
		if (size >> (w.top + page_shift - 3))
			w.top += page_shift - 3;
	for (i = 0; i < MAX_PARTS; i++) {
		if (i >= parts->nr)
			break;
		w.part = parts->part[i];
		bpf_loop(w.part.nr < MOST_CHECKED ? w.part.nr : MOST_CHECKED,
			 host_check, &w, 0);
	}
	bpf_map_delete_elem(&open_ranges, &key);
	return 0;
}

static __always_inline void s2_mapped(u64 size, u64 prot)
{
	u32 slot = SLOT_S2_NORMAL;

	if (prot & bpf_core_enum_value(enum kvm_pgtable_prot,
				       KVM_PGTABLE_PROT_DEVICE))
		slot = SLOT_S2_DEVICE;
	else if (bpf_core_enum_value_exists(enum kvm_pgtable_prot,
					    KVM_PGTABLE_PROT_NORMAL_NC) &&
		 (prot & bpf_core_enum_value(enum kvm_pgtable_prot,
					     KVM_PGTABLE_PROT_NORMAL_NC)))
		slot = SLOT_S2_NC;
	if (current_counts())
		add(slot, size >> page_shift);
}

SEC("fexit")
int s2_map(u64 *ctx)
{
	if (!(int)returned(ctx))
		s2_mapped(ctx[2], ctx[4]);
	return 0;
}

/* Does not look at the return value, so failed attempts are counted, too. */
SEC("kprobe")
int s2_map_k(struct pt_regs *ctx)
{
	s2_mapped(PT_REGS_PARM3(ctx), PT_REGS_PARM5(ctx));
	return 0;
}

/* --- an empty program, for measuring what the others cost --- */

SEC("fentry")
int empty(u64 *ctx)
{
	return 0;
}

SEC("fexit")
int empty_x(u64 *ctx)
{
	return 0;
}

SEC("kprobe")
int empty_k(struct pt_regs *ctx)
{
	return 0;
}
