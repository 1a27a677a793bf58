// SPDX-License-Identifier: GPL-2.0
/*
 * Decides which way of each counter is possible on this kernel, as far as can
 * be decided without attaching; attach.c tries the rest.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/kernel.h"
#include "bpf/retry/code.h"
#include "bpf/tracer.h"

const char *tracer_text(struct tracer *t, const char *fmt, ...)
{
	char text[512];
	unsigned int i;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (i = 0; i < t->nr_said; i++)
		if (!strcmp(t->said[i], text))
			return t->said[i];
	t->said = xrealloc(t->said, (t->nr_said + 1) * sizeof(*t->said));
	t->said[t->nr_said] = xstrdup(text);
	return t->said[t->nr_said++];
}

static bool is_kprobe(enum point_kind kind)
{
	return kind == POINT_KPROBE || kind == POINT_KRETPROBE ||
	       kind == POINT_RETRY_SITES;
}

/* Describes "a|b" in words. */
static const char *one_of(struct tracer *t, const char *where)
{
	const char *bar = strchr(where, '|');

	return bar ? tracer_text(t, "%.*s (or %s)", (int)(bar - where), where,
				 bar + 1) : where;
}

/* Copies the first of "a|b|c" to @name; returns the rest. */
static const char *next_name(const char *list, char name[80])
{
	size_t n = strcspn(list, "|");

	snprintf(name, 80, "%.*s", (int)n, list);
	return list + n + (list[n] == '|');
}

/* Returns a caller that has inlined the function; NULL if none is known. */
static const char *inlined_in(struct tracer *t, const char *callers,
			      const char *function)
{
	char caller[80];

	while (callers && *callers) {
		callers = next_name(callers, caller);
		if (code_calls(caller, function) == 0)
			return tracer_text(t, "%s", caller);
	}
	return NULL;
}

static const char *resolve_function(struct tracer *t, const struct attach_point *p,
				    char where[80])
{
	struct kernel_function f;
	const char *at = p->where, *other;

	while (*at) {
		at = next_name(at, where);
		if (!kernel_has_function(where, &f))
			continue;
		other = kernel_function_clone(where);
		if (other)
			return tracer_text(t, "some calls of %s go to a copy of it, %s",
					   where, other);
		other = inlined_in(t, p->callers, where);
		if (other)
			return tracer_text(t, "%s does not call %s: it is inlined, or something else is called",
					   other, where);
		if (p->nargs && f.known && f.nargs != p->nargs)
			return tracer_text(t, "%s takes %u arguments in this kernel, not the expected %u",
					 where, f.nargs, p->nargs);
		if (p->arg && !kernel_has_argument(where, p->arg))
			return tracer_text(t, "%s has no argument '%s' in this kernel", where, p->arg);
		if (!is_trampoline(p->kind))
			return NULL;
		if (!f.known)
			return tracer_text(t, "BTF does not describe %s", where);
		if (f.returns_struct)
			return tracer_text(t, "%s returns a struct, which fentry does not support",
					 where);
		return NULL;
	}
	return tracer_text(t, "this kernel has no function %s, or inlined it",
			 one_of(t, p->where));
}

/* Finds where to attach, or returns why this point is impossible. */
static const char *resolve(struct tracer *t, const struct attach_point *p,
			   char where[80])
{
	const char *why;

	if (p->kind == POINT_SOFTWARE) {
		snprintf(where, 80, "%s", p->where);
		return NULL;
	}
	if (t->no_bpf)
		return t->no_bpf;
	if (is_trampoline(p->kind) && t->no_trampolines)
		return t->no_trampolines;
	if (is_kprobe(p->kind) && t->no_kprobes)
		return t->no_kprobes;
	if (p->kind == POINT_TRACEPOINT) {
		const char *at = p->where;

		/* BTF has the types of tracepoints, except in modules. */
		while (*at) {
			struct kernel_function f;
			char probe[96];

			at = next_name(at, where);
			snprintf(probe, sizeof(probe), "__traceiter_%s", where);
			if (kernel_has_function(probe, &f))
				return NULL;
		}
		return tracer_text(t, "this kernel has no tracepoint %s",
				 one_of(t, p->where));
	}
	why = resolve_function(t, p, where);
	if (why || p->kind != POINT_RETRY_SITES)
		return why;
	if (!t->sites_known) {
		retry_sites_running(where, &t->sites, NULL);
		t->sites_known = true;
	}
	return t->sites.nr ? NULL : t->sites.why_not;
}

static struct attached *attach_at(struct tracer *t, enum point_kind kind,
				  const char *prog, const char *where,
				  uint64_t offset)
{
	struct attached *a;
	unsigned int i;

	for (i = 0; i < t->nr_attached; i++) {
		a = &t->attached[i];
		if (a->kind == kind && a->offset == offset &&
		    !strcmp(a->prog, prog) && !strcmp(a->where, where))
			return a;
	}
	if (t->nr_attached == MAX_ATTACHED)
		return NULL;
	a = &t->attached[t->nr_attached++];
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	a->prog = prog;
	a->offset = offset;
	snprintf(a->where, sizeof(a->where), "%s", where);
	return a;
}

static void add_how(struct counter_state *c, const struct attached *a)
{
	char offset[24] = "", *how;

	if (a->offset)
		snprintf(offset, sizeof(offset), "+%#llx",
			 (unsigned long long)a->offset);
	how = xasprintf("%s%s%s %s%s", c->how ? c->how : "",
			c->how ? " + " : "", point_kind_name(a->kind),
			a->where, offset);
	free(c->how);
	c->how = how;
}

static void use(struct tracer *t, struct counter_state *c,
		enum point_kind kind, const char *prog, const char *where,
		uint64_t offset)
{
	struct attached *a = attach_at(t, kind, prog, where, offset);

	c->uses[a - t->attached] = true;
	add_how(c, a);
}

static void take_point(struct tracer *t, struct counter_state *c,
		       const struct attach_point *p, const char *where)
{
	unsigned int i;

	if (p->kind == POINT_SOFTWARE) {
		c->how = xasprintf("software event %s", where);
		return;
	}
	if (p->kind != POINT_RETRY_SITES) {
		use(t, c, p->kind, p->prog, where, 0);
		return;
	}
	for (i = 0; i < t->sites.nr; i++)
		use(t, c, POINT_KPROBE, p->prog, where, t->sites.offset[i]);
	/* If the first try of a call also hits a site, subtract the calls. */
	c->minus = 0;
	if (t->sites.first_counts) {
		use(t, c, POINT_KPROBE, "gather_k", where, 0);
		c->minus = SLOT_BIT(SLOT_GATHERS);
	}
}

/* Returns all reasons against a counter's ways, each once. */
static const char *all_reasons(struct tracer *t, const struct bpf_counter *bc,
			       const struct counter_state *c)
{
	const char *text = NULL;
	int w, v;

	for (w = 0; w < MAX_WAYS && bc->way[w].point[0].kind; w++) {
		for (v = 0; v < w; v++)
			if (!strcmp(c->excluded[v], c->excluded[w]))
				break;
		if (v < w)
			continue;
		text = text ? tracer_text(t, "%s; %s", text, c->excluded[w]) :
			      c->excluded[w];
	}
	return text;
}

/* Slots that are one of several, by the value of a notifier event. */
static const struct by_event {
	enum slot first;
	unsigned int nr;
	unsigned int events;	/* number of these; slots behind them are for something else */
} by_event[] = {
	{ SLOT_NOTIFIER_START, NOTIFIER_EVENTS, NOTIFIER_EVENTS },
	{ SLOT_ZAPPED_BY, CAUSES, CAUSE_KVM },
	{ SLOT_SAME_PFN_BY, CAUSES, CAUSE_KVM },
	{ SLOT_UNNECESSARY_BY, CAUSES, CAUSE_KVM },
};

static const struct by_event *slots_by_event(enum slot slot)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(by_event); i++)
		if (by_event[i].first == slot)
			return &by_event[i];
	return NULL;
}

/* Returns the events that the table names, as bits by the kernel's numbers. */
static uint64_t named_events(void)
{
	uint64_t named = 0, value;
	unsigned int i;

	for (i = 0; i < bpf_counters_nr; i++) {
		const struct bpf_counter *bc = &bpf_counters[i];

		if (bc->slot == SLOT_NOTIFIER_START && bc->enumerator &&
		    kernel_enumerator(bc->enumerator, &value) && value < 64)
			named |= 1ULL << value;
	}
	return named;
}

/* Returns the slots of a counter whose slot is the first of @by. */
static slot_set event_slots(const struct by_event *by, const char *enumerator,
			    uint64_t value)
{
	uint64_t events = (1ULL << by->events) - 1;

	if (!enumerator)
		return (slot_set)(events & ~named_events()) << by->first;
	if (!strcmp(enumerator, EVERY_CAUSE))
		return (SLOT_BIT(by->nr) - 1) << by->first;
	if (!strcmp(enumerator, CAUSE_IS_KVM))
		return SLOT_BIT(by->first + CAUSE_KVM);
	return SLOT_BIT(by->first + value);
}

const char *find_slots(struct tracer *t, const struct bpf_counter *bc,
			      struct counter_state *c)
{
	const struct by_event *by = slots_by_event(bc->slot);
	uint64_t value = 0;

#ifdef __aarch64__
	const char *arch = "arm64";
#else
	const char *arch = "x86-64";
#endif
	if (bc->arch && strcmp(bc->arch, arch))
		return tracer_text(t, "only %s has it", bc->arch);
	if (bc->slot == SLOT_NR)
		return NULL;
	if (kernel_no_btf())
		return kernel_no_btf();
	if (bc->enumerator && strchr(bc->enumerator, ':') &&
	    !kernel_enumerator(bc->enumerator, &value))
		return tracer_text(t, "this kernel has no %s",
				   strchr(bc->enumerator, ':') + 1);
	if (by && value >= by->events)
		return tracer_text(t, "%s has a value that is too large to count",
				   strchr(bc->enumerator, ':') + 1);
	c->slots = by ? event_slots(by, bc->enumerator, value) :
			SLOT_BIT(bc->slot);
	return NULL;
}

static bool all_of_kind(const struct way *w, enum point_kind kind)
{
	unsigned int n;

	for (n = 0; n < MAX_POINTS && w->point[n].kind; n++)
		if (w->point[n].kind != kind)
			return false;
	return n > 0;
}

/* This does not apply to returns, because kretprobes miss some. */
static bool quick_way(const struct bpf_counter *bc, unsigned int w)
{
	return all_of_kind(&bc->way[0], POINT_FENTRY) &&
	       all_of_kind(&bc->way[w], POINT_KPROBE);
}

/* Defines the order in which ways are tried; false: there are no more. */
static bool nth_way(const struct tracer *t, const struct bpf_counter *bc,
		    unsigned int n, unsigned int *way)
{
	unsigned int pass, w;

	for (pass = 0; pass < 2; pass++)
		for (w = 0; w < MAX_WAYS && bc->way[w].point[0].kind; w++)
			if ((!pass == (t->quick && quick_way(bc, w))) && !n--) {
				*way = w;
				return true;
			}
	return false;
}

void choose_way(struct tracer *t, unsigned int i)
{
	const struct bpf_counter *bc = &bpf_counters[i];
	struct counter_state *c = &t->c[i];
	unsigned int w, k, n;

	free(c->how);
	c->how = NULL;
	memset(c->uses, 0, sizeof(c->uses));
	c->way = -1;
	if (!c->want || c->absent)
		return;
	for (k = 0; nth_way(t, bc, k, &w); k++) {
		char where[MAX_POINTS][80];
		const struct attach_point *p = bc->way[w].point;

		for (n = 0; n < MAX_POINTS && p[n].kind; n++)
			if (!c->excluded[w])
				c->excluded[w] = resolve(t, &p[n], where[n]);
		if (c->excluded[w])
			continue;
		for (n = 0; n < MAX_POINTS && p[n].kind; n++)
			take_point(t, c, &p[n], where[n]);
		c->way = w;
		return;
	}
	c->absent = all_reasons(t, bc, c);
}

void tracer_exclude(struct tracer *t, const char *prog, const char *where,
		    const char *why)
{
	unsigned int i, k;

	for (i = 0; i < bpf_counters_nr; i++) {
		struct counter_state *c = &t->c[i];

		for (k = 0; k < t->nr_attached && c->way >= 0; k++) {
			if (!c->uses[k] || strcmp(t->attached[k].prog, prog) ||
			    (where && strcmp(t->attached[k].where, where)))
				continue;
			c->excluded[c->way] = why;
			break;
		}
	}
}

bool program_used(const struct tracer *t, const char *prog)
{
	unsigned int i;

	for (i = 0; i < t->nr_attached; i++)
		if (!strcmp(t->attached[i].prog, prog))
			return true;
	return false;
}
