// SPDX-License-Identifier: GPL-2.0
/* The table of counters: that it fits the metrics, the slots, the programs. */
#include "tests/unit/test.h"

#include <bpf/libbpf.h>
#include <unistd.h>
#include <string.h>

#include "bpf/attach.h"
#include "bpf/counters.h"
#include "bpf/kernel.h"
#include "bpf/programs.h"
#include "bpf/source.h"
#include "lib/metric.h"
#include "lib/util.h"

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static void metrics_are_known(void **state)
{
	unsigned int i, k;

	(void)state;
	for (i = 0; i < bpf_counters_nr; i++) {
		const char *name = bpf_counters[i].metric;

		if (!metric_find(name))
			fail_msg("%s is not in lib/metric.c", name);
		assert_ptr_equal(bpf_counter_find(name), &bpf_counters[i]);
		for (k = 0; k < i; k++)
			if (!strcmp(name, bpf_counters[k].metric))
				fail_msg("%s stands in the table twice", name);
	}
	assert_null(bpf_counter_find("nonesuch"));
}

static void slots_are_distinct(void **state)
{
	unsigned int i, k;

	(void)state;
	for (i = 0; i < bpf_counters_nr; i++) {
		enum slot s = bpf_counters[i].slot;

		if (s == SLOT_NR || s == SLOT_NOTIFIER_START ||
		    s == SLOT_ZAPPED_BY || s == SLOT_SAME_PFN_BY ||
		    s == SLOT_UNNECESSARY_BY)
			continue;
		assert_true(s < SLOT_NOTIFIER_START);
		for (k = 0; k < i; k++)
			assert_int_not_equal(bpf_counters[k].slot, s);
	}
}

static const char *section_of(enum point_kind kind)
{
	switch (kind) {
	case POINT_FENTRY: return "fentry";
	case POINT_FEXIT: return "fexit";
	case POINT_KPROBE:
	case POINT_RETRY_SITES: return "kprobe";
	case POINT_KRETPROBE: return "kretprobe";
	case POINT_TRACEPOINT: return "raw_tp";
	default: return "";
	}
}

/* Every program that the table names is there and of the right kind. */
static void check_object(const void *bytes, size_t size)
{
	struct bpf_object *obj = bpf_object__open_mem(bytes, size, NULL);
	unsigned int i, w, n;

	assert_non_null(obj);
	for (i = 0; i < bpf_counters_nr; i++) {
		const struct bpf_counter *c = &bpf_counters[i];

		assert_true(c->way[0].point[0].kind != POINT_END);
		for (w = 0; w < MAX_WAYS; w++) {
			for (n = 0; n < MAX_POINTS; n++) {
				const struct attach_point *p = &c->way[w].point[n];
				struct bpf_program *prog;

				if (!p->kind)
					break;
				assert_non_null(p->where);
				if (p->kind == POINT_SOFTWARE)
					continue;
				prog = bpf_object__find_program_by_name(obj,
									p->prog);
				if (!prog)
					fail_msg("%s: no program %s",
						 c->metric, p->prog);
				assert_string_equal(
					bpf_program__section_name(prog),
					section_of(p->kind));
			}
		}
	}
	bpf_object__close(obj);
}

static void programs_exist(void **state)
{
	const void *bytes;
	size_t size;

	(void)state;
	libbpf_set_print(quiet);
	bytes = ptelab_all__elf_bytes(&size);
	check_object(bytes, size);
	bytes = ptelab__elf_bytes(&size);
	check_object(bytes, size);
}

/* On whatever machine this runs: a count or a reason, for each, and twice. */
static void count_or_reason(void **state)
{
	static const enum whose whose[] = {
		WHOSE_ALL, WHOSE_MINE, WHOSE_CHILD, WHOSE_PID,
	};
	struct trace_value v[MAX_COUNTERS];
	bool want[MAX_COUNTERS];
	unsigned int i, k;

	(void)state;
	memset(want, 1, sizeof(want));
	for (k = 0; k < ARRAY_SIZE(whose); k++) {
		struct tracer *t = tracer_new(want, whose[k]);

		tracer_detach(t);
		tracer_attach(t);
		tracer_read(t, v);
		for (i = 0; i < bpf_counters_nr; i++) {
			assert_int_equal(!v[i].absent, !!tracer_how(t, i));
			if (v[i].absent)
				assert_true(v[i].absent[0]);
		}
		tracer_free(t);
	}
}

static void not_asked_for(void **state)
{
	bool want[MAX_COUNTERS] = { false };
	struct trace_value v[MAX_COUNTERS];
	struct tracer *t = tracer_new(want, WHOSE_ALL);
	unsigned int i;

	(void)state;
	tracer_read(t, v);
	for (i = 0; i < bpf_counters_nr; i++)
		assert_string_equal(v[i].absent, "not requested");
	tracer_free(t);
}

/* A kprobe stands in for fentry wherever the table has one, for nothing else. */
static void quick(void **state)
{
	bool want[MAX_COUNTERS];
	struct tracer *t;
	const char *how;

	(void)state;
	memset(want, true, sizeof(want));
	t = tracer_new_quick(want, WHOSE_ALL);
	how = tracer_how(t, bpf_counter_find("notifier_end") - bpf_counters);
	if (how && !kernel_no_kprobes())
		assert_int_equal(strncmp(how, "kprobe ", 7), 0);
	how = tracer_how(t, bpf_counter_find("kvm_guest_faults") -
			 bpf_counters);
	if (how)
		assert_int_equal(strncmp(how, "tracepoint ", 11), 0);
	how = tracer_how(t, bpf_counter_find("kvm_refaults") - bpf_counters);
	if (how)
		assert_non_null(strstr(how, "fexit kvm_pgtable_stage2_map"));
	tracer_free(t);
}

/* The runner's view: no metric that the runner counts by itself. */
static void source(void **state)
{
	struct counter_value values[MAX_COUNTERS] = { 0 };
	unsigned int i, round;
	void *priv;

	(void)state;
	assert_int_equal(bpf_source.pass, PASS_COUNTED);
	for (round = 0; round < 2; round++) {
		assert_int_equal(bpf_source.open(&priv, getpid(), values), 0);
		assert_int_equal(bpf_source.start(priv), 0);
		assert_int_equal(bpf_source.stop(priv, values), 0);
		for (i = 0; bpf_source.metrics[i]; i++) {
			assert_true(strncmp(bpf_source.metrics[i], "faults.",
					    7));
			assert_true(values[i].present || values[i].absent);
		}
		bpf_source.close(priv);
	}
}

/* Nothing is loaded for events that nobody asks for, and that is no 0. */
static void source_chosen(void **state)
{
	struct counter_value values[MAX_COUNTERS] = { 0 };
	unsigned int i;
	void *priv;

	(void)state;
	bpf_source.choose(EVENTS_MM);
	assert_int_equal(bpf_source.open(&priv, getpid(), values), 0);
	for (i = 0; bpf_source.metrics[i]; i++) {
		if (metric_events(bpf_source.metrics[i]) == EVENTS_MM)
			continue;
		assert_false(values[i].present);
		assert_string_equal(values[i].absent, "not requested");
	}
	bpf_source.close(priv);
	bpf_source.choose(EVENTS_ALL);
}

static void events_by_name(void **state)
{
	(void)state;
	assert_int_equal(metric_events("kvm_zapped.unmap"), EVENTS_KVM);
	assert_int_equal(metric_events("s2_maps.nc"), EVENTS_KVM);
	assert_int_equal(metric_events("notifier_start"), EVENTS_MM);
	assert_int_equal(metric_events("gup_fast_calls"), EVENTS_MM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_are_known),
		cmocka_unit_test(slots_are_distinct),
		cmocka_unit_test(programs_exist),
		cmocka_unit_test(count_or_reason),
		cmocka_unit_test(not_asked_for),
		cmocka_unit_test(quick),
		cmocka_unit_test(source),
		cmocka_unit_test(source_chosen),
		cmocka_unit_test(events_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
