// SPDX-License-Identifier: GPL-2.0
/* See derive.h. */
#include "lib/derive.h"

#include <string.h>

/*
 * A tracepoint may attach yet never fire, if KVM handles guest faults on a path
 * without it. A zero is wrong if KVM's own statistics count faults.
 */
const char *derive_contradicted(const json_t *totals, const char **why)
{
	const json_t *traced = json_object_get(totals, "kvm_guest_faults");
	const json_t *known = json_object_get(totals, "kvm_stage2_faults");

	if (!traced || json_integer_value(traced) ||
	    json_integer_value(known) <= 0)
		return NULL;
	*why = "KVM's statistics count guest faults, but its tracepoint never fired";
	return "kvm_guest_faults";
}

/*
 * Computes retries per gather in a race. Retries per operation mean nothing
 * unless the number of gathers per operation is known.
 */
bool derive_rate(const json_t *record, struct derived_rate *d)
{
	const json_t *counters = json_object_get(record, "counters");
	const char *racer = json_string_value(json_object_get(
			json_object_get(record, "params"), "racer"));
	const json_t *retries = json_object_get(counters, "lockless_retries");
	const json_t *gathers = json_object_get(counters, "lockless_gathers");

	if (!racer || !strcmp(racer, "none") || !retries || !gathers)
		return false;
	d->metric = "retries_per_1000_gathers";
	d->n = json_number_value(json_object_get(retries, "total"));
	d->of = json_number_value(json_object_get(gathers, "total"));
	d->rate = d->of ? d->n * 1000 / d->of : 0;
	return true;
}
