// SPDX-License-Identifier: GPL-2.0
/* See attach.h. Reads what the programs have counted, and what they missed. */
#include <bpf/bpf.h>
#include <string.h>

#include "bpf/tracer.h"

static void sum_rows(const struct tracer *t, uint64_t sum[SLOT_NR])
{
	int nr = libbpf_num_possible_cpus(), cpu, s;

	memset(sum, 0, SLOT_NR * sizeof(sum[0]));
	if (!t->rows)
		return;
	if (nr < 0 || nr > ROWS)
		nr = ROWS;
	for (cpu = 0; cpu < nr; cpu++)
		for (s = 0; s < SLOT_NR; s++)
			sum[s] += __atomic_load_n(&t->rows[cpu].slot[s],
						  __ATOMIC_RELAXED);
}

/*
 * Returns how many hits a kprobe lost, which a link reports since 6.7. The
 * struct has the kernel's ABI, which is newer than this machine's headers.
 */
uint64_t missed_by_link(const struct attached *a)
{
	struct {
		uint32_t type, id, prog_id, pad;
		uint32_t perf_type, pad2;
		uint64_t name;
		uint32_t name_len, offset;
		uint64_t addr, missed, cookie;
	} info = { 0 };
	uint32_t len = sizeof(info);
	enum { LINK_PERF_EVENT = 7, EVENT_KPROBE = 3, EVENT_KRETPROBE = 4 };

	if (!a->link ||
	    bpf_obj_get_info_by_fd(bpf_link__fd(a->link), &info, &len) ||
	    info.type != LINK_PERF_EVENT ||
	    len < offsetof(typeof(info), cookie) ||
	    (info.perf_type != EVENT_KPROBE &&
	     info.perf_type != EVENT_KRETPROBE))
		return 0;
	return info.missed;
}

/* Runs that the kernel skipped because the program was already running. */
static uint64_t missed_by_program(struct tracer *t, const char *name)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	if (!t->obj || bpf_obj_get_info_by_fd(bpf_program__fd(
			bpf_object__find_program_by_name(t->obj, name)),
					      &info, &len))
		return 0;
	return info.recursion_misses;
}

/* Returns @a's misses, with its program's if it is the first with that. */
static uint64_t missed(struct tracer *t, unsigned int i)
{
	struct attached *a = &t->attached[i];
	uint64_t sum = a->missed + missed_by_link(a);
	unsigned int k;

	for (k = 0; k < i; k++)
		if (!strcmp(t->attached[k].prog, a->prog))
			return sum;
	return sum + missed_by_program(t, a->prog);
}

void tracer_zero(struct tracer *t)
{
	unsigned int i;

	sum_rows(t, t->base);
	for (i = 0; i < t->nr_attached; i++)
		t->attached[i].missed_base = missed(t, i);
	for (i = 0; i < bpf_counters_nr; i++)
		t->c[i].software_base = software_count(&t->c[i]);
}

/* Slots in which the programs count what they could not attribute. */
static slot_set lost_slots(enum slot slot)
{
	switch (slot) {
	case SLOT_KVM_REFAULTS:
	case SLOT_KVM_REFAULTS_SAME_PFN:
	case SLOT_ZAPPED_BY:
	case SLOT_SAME_PFN_BY:
		return SLOT_BIT(SLOT_KVM_FORGOTTEN);
	case SLOT_UNNECESSARY_BY:
		return SLOT_BIT(SLOT_KVM_FORGOTTEN) |
		       SLOT_BIT(SLOT_KVM_UNCHECKED);
	case SLOT_GUP_FAST_PAGES:
	case SLOT_GUP_SLOW_PAGES:
		return SLOT_BIT(SLOT_GUP_CALLER_HIDDEN);
	default:
		return 0;
	}
}

void tracer_read(struct tracer *t, struct trace_value values[MAX_COUNTERS])
{
	uint64_t sum[SLOT_NR];
	unsigned int i, k, s;

	sum_rows(t, sum);
	for (i = 0; i < bpf_counters_nr; i++) {
		struct counter_state *c = &t->c[i];
		struct trace_value *v = &values[i];
		slot_set lost = lost_slots(bpf_counters[i].slot);

		memset(v, 0, sizeof(*v));
		v->absent = c->absent;
		if (c->way < 0)
			continue;
		if (!c->slots) {
			v->count = software_count(c) - c->software_base;
			continue;
		}
		for (s = 0; s < SLOT_NR; s++) {
			if (c->slots >> s & 1)
				v->count += sum[s] - t->base[s];
			if (c->minus >> s & 1)
				v->count -= sum[s] - t->base[s];
			if (lost >> s & 1)
				v->missed += sum[s] - t->base[s];
		}
		/* A running call may have subtracted before it adds. */
		if ((int64_t)v->count < 0)
			v->count = 0;
		for (k = 0; k < t->nr_attached; k++)
			if (c->uses[k])
				v->missed += missed(t, k) -
					     t->attached[k].missed_base;
	}
}

const char *tracer_how(const struct tracer *t, unsigned int counter)
{
	return t->c[counter].way >= 0 ? t->c[counter].how : NULL;
}
