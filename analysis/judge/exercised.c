// SPDX-License-Identifier: GPL-2.0
/* See exercised.h. */
#include "analysis/judge/exercised.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/code/changes.h"
#include "analysis/draw/format.h"
#include "lib/util.h"

/* scripts/ab writes this */
#define AB_SCHEMA	"ptelab.ab/1"

/* Most functions that the sentence names. */
#define NAMED	3

static char *beside(const struct side *s, const char *name, struct stat *st)
{
	char *path = xasprintf("%s/../%s", s->run->path, name);

	if (!stat(path, st))
		return path;
	free(path);
	return NULL;
}

static json_t *load_beside(const struct side *base, const struct side *new,
			   const char *name, const char *schema)
{
	struct stat a, b;
	char *path = beside(base, name, &a), *other = beside(new, name, &b);
	json_t *j = NULL;

	if (path && other && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		j = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	if (j && strcmp(json_text(j, "schema"), schema)) {
		json_decref(j);
		j = NULL;
	}
	free(path);
	free(other);
	return j;
}

json_t *exercised_load(const struct side *base, const struct side *new)
{
	return load_beside(base, new, "changes.json", CHANGES_SCHEMA);
}

json_t *ab_manifest(const struct side *base, const struct side *new)
{
	return load_beside(base, new, "manifest.json", AB_SCHEMA);
}

static bool is_gone(const json_t *function)
{
	return !strcmp(json_text(function, "kind"), "gone");
}

static bool has_state(const json_t *o, enum ran_state ran)
{
	return !strcmp(json_text(o, "ran"), ran_state_name(ran));
}

/* Returns the number of changed functions of the new kernel. */
static size_t count_functions(const json_t *changes)
{
	const json_t *f;
	size_t i, nr = 0;

	json_array_foreach(json_object_get(changes, "functions"), i, f)
		nr += !is_gone(f);
	return nr;
}

static size_t count_state(const json_t *changes, enum ran_state ran)
{
	const json_t *f;
	size_t i, nr = 0;

	json_array_foreach(json_object_get(changes, "functions"), i, f)
		nr += !is_gone(f) && has_state(f, ran);
	return nr;
}

enum exercised exercised_of(const json_t *changes)
{
	size_t nr = count_functions(changes);

	if (json_is_true(json_object_get(changes, "same")))
		return EXERCISED_SAME_CODE;
	if (!nr)
		return json_array_size(json_object_get(changes, "data")) ?
			EXERCISED_DATA : EXERCISED_UNKNOWN;
	return has_state(changes, RAN_ALL) ? EXERCISED_ALL :
	       has_state(changes, RAN_PART) ? EXERCISED_PART :
	       has_state(changes, RAN_OUTSIDE) ? EXERCISED_OUTSIDE :
	       has_state(changes, RAN_NEVER) ? EXERCISED_NEVER :
					       EXERCISED_UNKNOWN;
}

const char *exercised_name(enum exercised e)
{
	static const char *const names[] = {
		[EXERCISED_UNKNOWN] = "unknown",
		[EXERCISED_SAME_CODE] = "same code",
		[EXERCISED_DATA] = "only data",
		[EXERCISED_NEVER] = "not exercised",
		[EXERCISED_OUTSIDE] = "ran outside",
		[EXERCISED_PART] = "exercised in part",
		[EXERCISED_ALL] = "exercised",
	};

	return names[e];
}

static size_t sum_of(const json_t *changes, const char *key)
{
	const json_t *f;
	size_t i, sum = 0;

	json_array_foreach(json_object_get(changes, "functions"), i, f)
		sum += json_integer_value(json_object_get(f, key));
	return sum;
}

/*
 * Returns whether the compiler made @function of an inline one that a header
 * has, and that it did not need before.
 */
static bool was_inline(const json_t *function)
{
	const char *file = json_text(json_object_get(function, "source"),
				     "file");
	size_t len = strlen(file);

	return !strcmp(json_text(function, "kind"), "new") && len > 2 &&
	       !strcmp(file + len - 2, ".h");
}

/*
 * Returns "a() (behind the static key x), b() (inline before) and 3 more": the
 * functions in that state, at most @most of them by name. NULL if there are
 * none. The caller frees.
 */
static char *names_text(const json_t *changes, enum ran_state ran, size_t most)
{
	size_t named = 0, nr = count_state(changes, ran), i;
	char *text = NULL;
	const json_t *f;

	json_array_foreach(json_object_get(changes, "functions"), i, f) {
		const char *note = json_text(f, "behind");
		const char *name = json_text(f, "name");

		if (is_gone(f) || !has_state(f, ran) || named == most)
			continue;
		if (!text)
			text = xstrdup("");
		if (!*note && was_inline(f))
			note = "inline before";
		/* without the compiler's suffix, ".isra.0" */
		append_text(&text, ", ", "%.*s()%s%s%s",
			    (int)strcspn(name, "."), name,
			    *note ? " (" : "", note, *note ? ")" : "");
		named++;
	}
	if (text && nr > named)
		append_text(&text, " ", "and %zu more", nr - named);
	return text;
}

/*
 * Appends " Never ran: a(), b() and 3 more.", or nothing if no function is in
 * that state.
 */
static void append_state(char **text, const char *what, const json_t *changes,
			 enum ran_state ran)
{
	char *names = names_text(changes, ran, NAMED);

	if (names)
		append_text(text, " ", "%s %s.", what, names);
	free(names);
}

/* Appends the files of the patch that this configuration does not compile. */
static void append_not_built(char **text, const json_t *changes)
{
	const json_t *f;
	size_t i;

	json_array_foreach(json_object_get(changes, "patch"), i, f) {
		const char *option = json_text(f, "option");

		if (strcmp(json_text(f, "state"), "not built"))
			continue;
		append_text(text, " ", "%s is not built in this configuration%s%s%s.",
			    json_text(f, "file"), *option ? " (" : "", option,
			    *option ? ")" : "");
	}
}

char *exercised_text(const json_t *changes)
{
	size_t all = count_functions(changes), out;
	size_t insns = sum_of(changes, "differing");
	char *text;

	if (!changes)
		return NULL;
	switch (exercised_of(changes)) {
	case EXERCISED_SAME_CODE:
		text = xstrdup("The two kernels are the same code.");
		break;
	case EXERCISED_DATA:
		text = xasprintf("No code changed, only data (%s and so on); whether it was read is unknown.",
				 json_text(json_array_get(json_object_get(
					changes, "data"), 0), "name"));
		break;
	case EXERCISED_NEVER:
		text = xstrdup("Changed code: not exercised.");
		append_state(&text, "No point ran", changes, RAN_NEVER);
		break;
	case EXERCISED_OUTSIDE:
	case EXERCISED_PART:
		out = count_state(changes, RAN_NEVER) +
		      count_state(changes, RAN_OUTSIDE);
		text = all == out ? xstrdup("Changed code: no measured operation ran it.") :
			xasprintf("Changed code: exercised in part, %zu of %zu functions and %zu of %zu new or altered instructions.",
				  all - out, all,
				  sum_of(changes, "differing_ran"), insns);
		append_state(&text, "Ran only in set-up or at boot:",
			     changes, RAN_OUTSIDE);
		append_state(&text, "Never ran:", changes, RAN_NEVER);
		break;
	case EXERCISED_ALL:
		text = xasprintf("Changed code: all of it ran, %zu function%s with %zu new or altered instruction%s.",
				 all, plural(all), insns, plural(insns));
		break;
	default:
		if (!all)
			return NULL;
		text = xasprintf("Changed code: %zu function%s; unknown what ran: %s.",
				 all, plural(all),
				 json_text(changes, "not_counted"));
	}
	append_not_built(&text, changes);
	return text;
}

char *exercised_brief(const json_t *changes, size_t width)
{
	size_t all = count_functions(changes), named = NAMED + 1;
	size_t out = count_state(changes, RAN_NEVER) +
		     count_state(changes, RAN_OUTSIDE);
	char *text = NULL;

	if (!changes)
		return NULL;
	if (exercised_of(changes) == EXERCISED_ALL ||
	    (exercised_of(changes) == EXERCISED_PART && !out)) {
		text = all == 1 ? xstrdup("Ran: the function that changed") :
		       xasprintf("Ran: all %zu functions that changed", all);
		if (exercised_of(changes) == EXERCISED_PART)
			append_text(&text, ", ", "%zu of the %zu new or altered instructions",
				    sum_of(changes, "differing_ran"),
				    sum_of(changes, "differing"));
		append_text(&text, "", ".");
		append_not_built(&text, changes);
		return text;
	}
	if (!out || exercised_of(changes) == EXERCISED_UNKNOWN)
		return exercised_text(changes);
	if (out == all && !count_state(changes, RAN_NEVER)) {
		char *names = names_text(changes, RAN_OUTSIDE, NAMED);

		text = xasprintf("Ran only in set-up or at boot: %s.", names);
		append_not_built(&text, changes);
		free(names);
		return text;
	}
	do {
		char *never = names_text(changes, RAN_NEVER, --named);
		char *outside = names_text(changes, RAN_OUTSIDE, named);

		free(text);
		text = xasprintf("Ran: %zu of %zu changed function%s%s%s%s%s.",
				 all - out, all, plural(all),
				 outside ? "; only in set-up or at boot " : "",
				 outside ? outside : "", never ? "; not " : "",
				 never ? never : "");
		free(never);
		free(outside);
	} while (named > 1 && strlen(text) > width);
	if (strlen(text) > width && out > NAMED) {
		free(text);
		text = xasprintf("Ran: %zu of %zu changed function%s.",
				 all - out, all, plural(all));
		if (count_state(changes, RAN_OUTSIDE))
			append_text(&text, " ", "Only in set-up or at boot: %zu.",
				    count_state(changes, RAN_OUTSIDE));
		if (count_state(changes, RAN_NEVER))
			append_text(&text, " ", "Never: %zu.",
				    count_state(changes, RAN_NEVER));
	}
	append_not_built(&text, changes);
	return text;
}
