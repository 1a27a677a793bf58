// SPDX-License-Identifier: GPL-2.0
/* See place.h. */
#include "bench/kit/place.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

const char *const place_choices[] = {
	"any", "smt", "cluster", "package", "remote", NULL
};

/* Returns whether two CPUs have the same line in a file of their topology. */
static bool same(int cpu, int other, const char *file)
{
	char *a = read_line("/sys/devices/system/cpu/cpu%d/topology/%s", cpu,
			    file);
	char *b = read_line("/sys/devices/system/cpu/cpu%d/topology/%s", other,
			    file);
	bool equal = a && b && *a && !strcmp(a, b);

	free(a);
	free(b);
	return equal;
}

const char *place_of(int cpu, int other)
{
	if (same(cpu, other, "thread_siblings_list"))
		return "smt";
	if (same(cpu, other, "cluster_cpus_list"))
		return "cluster";
	if (same(cpu, other, "physical_package_id"))
		return "package";
	return "remote";
}

unsigned int place_cpus(const struct bench_ctx *ctx, const char *place,
			int *cpus, unsigned int nr)
{
	unsigned int i, found = 0;

	cpus[found++] = ctx->cpu;
	for (i = 0; i < ctx->nr_cpus && found < nr; i++) {
		if (ctx->cpus[i] == ctx->cpu)
			continue;
		if (!strcmp(place, "any") ||
		    !strcmp(place, place_of(ctx->cpu, ctx->cpus[i])))
			cpus[found++] = ctx->cpus[i];
	}
	return found;
}

const char *place_unavailable(const struct bench_ctx *ctx, const char *place,
			      unsigned int nr)
{
	static __thread char why[128];
	int cpus[64];
	unsigned int found;

	if (nr > ARRAY_SIZE(cpus))
		nr = ARRAY_SIZE(cpus);
	found = place_cpus(ctx, place, cpus, nr);
	if (found >= nr)
		return NULL;
	if (!strcmp(place, "any"))
		snprintf(why, sizeof(why), "needs %u CPUs; %u can be used", nr,
			 found);
	else
		snprintf(why, sizeof(why), "needs %u CPU%s with place=%s from CPU %d; there %s %u",
			 nr - 1, nr == 2 ? "" : "s", place, ctx->cpu,
			 found == 2 ? "is" : "are", found - 1);
	return why;
}

void place_prove(json_t *proof, const int *cpus, unsigned int nr)
{
	json_t *list = json_array(), *places = json_array();
	unsigned int i;

	for (i = 0; i < nr; i++) {
		json_array_append_new(list, json_integer(cpus[i]));
		if (i)
			json_array_append_new(places, json_string(
					place_of(cpus[0], cpus[i])));
	}
	json_object_set_new(proof, "cpus", list);
	json_object_set_new(proof, "place", places);
}
