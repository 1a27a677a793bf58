// SPDX-License-Identifier: GPL-2.0
/* See subject.h. */
#include "analysis/code/subject.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/load/load.h"
#include "lib/util.h"

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

char *cache_path(const char *fmt, ...)
{
	const char *cache = getenv("PTELAB_CACHE");
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	char *part, *path;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&part, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (cache && *cache)
		path = xasprintf("%s/%s", cache, part);
	else if (xdg && *xdg)
		path = xasprintf("%s/ptelab/%s", xdg, part);
	else
		path = xasprintf("%s/.cache/ptelab/%s", home ? home : "", part);
	free(part);
	return path;
}

static json_t *manifest_in(const char *folder)
{
	char *path = xasprintf("%s/manifest.json", folder);
	json_t *o = json_load_file(path, 0, NULL);

	free(path);
	return o;
}

static bool has_boots(const char *folder)
{
	char *pattern = xasprintf("%s/boot-*.jsonl", folder);
	bool any;
	glob_t g;

	any = !glob(pattern, GLOB_NOSORT, NULL, &g);
	if (any)
		globfree(&g);
	free(pattern);
	return any;
}

/* Returns "a/b" for "a/b/"; the caller frees. */
static char *trimmed(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return xstrndup(path, len);
}

static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return xstrndup(path, slash == path ? 1 : slash - path);
}

static bool has_sum(const char *path, const char *sha256)
{
	size_t len;
	char hex[65], *text = is_folder(path) ? NULL : read_file(path, &len);

	if (!text)
		return false;
	sha256_hex(text, len, hex);
	free(text);
	return !strcmp(hex, sha256);
}

/*
 * Takes the vmlinux of an Image that was given to make ab, if it was beside it.
 */
static int vmlinux_of_image(struct subject *s, const json_t *kernel)
{
	const char *vmlinux = json_text(kernel, "vmlinux");

	if (!*vmlinux)
		return fail(EINVAL, "%s: its kernel was given as an Image without a vmlinux beside it; give BASE and NEW as vmlinux files",
			    s->run);
	if (!has_sum(vmlinux, json_text(kernel, "vmlinux_sha256")))
		return fail(ENOENT, "%s: %s is gone, or is not the file that it was; give BASE and NEW as vmlinux files",
			    s->run, vmlinux);
	s->vmlinux = xstrdup(vmlinux);
	s->folder = parent_of(vmlinux);
	return 0;
}

/* Takes the kernel of one side ("base", "patched") of a run of make ab. */
static int kernel_of_run(struct subject *s, const char *side)
{
	const json_t *kernel = json_object_get(s->manifest, side);
	const char *hash = json_text(kernel, "hash");

	if (!json_is_object(kernel))
		return fail(EINVAL, "%s: its manifest.json names no kernel %s; give BASE and NEW as vmlinux files",
			    s->run, side);
	if (!*hash)
		return vmlinux_of_image(s, kernel);
	s->folder = cache_path("kernels/%s", hash);
	s->vmlinux = xasprintf("%s/vmlinux", s->folder);
	if (!readable(s->vmlinux))
		return fail(ENOENT, "%s: its kernel %s is not in the cache any more; make reproduce HASH=%s builds it again",
			    s->run, hash, json_text(s->manifest, "hash"));
	s->kernel = manifest_in(s->folder);
	return 0;
}

static int run_side(struct subject *s, const char *folder)
{
	char *parent = parent_of(folder);
	const char *slash = strrchr(folder, '/');

	s->run = xstrdup(folder);
	s->manifest = manifest_in(parent);
	free(parent);
	if (!s->manifest)
		return fail(ENOENT, "%s: its kernel is unknown, because there is no manifest.json beside it; give a run of make ab, or vmlinux files",
			    folder);
	return kernel_of_run(s, slash ? slash + 1 : folder);
}

static int subject_of(const char *arg, struct subject *s)
{
	char *path = trimmed(arg);
	int ret = 0;

	if (!is_folder(path)) {
		s->vmlinux = xstrdup(path);
		s->folder = parent_of(path);
	} else if (has_boots(path)) {
		ret = run_side(s, path);
	} else {
		s->folder = xstrdup(path);
		s->vmlinux = xasprintf("%s/vmlinux", path);
		if (!readable(s->vmlinux))
			ret = fail(ENOENT, "%s: neither a vmlinux nor boot files in it",
				   path);
	}
	if (!ret && !s->kernel)
		s->kernel = manifest_in(s->folder);
	free(path);
	return ret;
}

int subjects_of(const char *const path[], size_t nr, struct subject s[2])
{
	static const char *const side[] = { "base", "patched" };
	int ret = 0;
	size_t i;

	memset(s, 0, 2 * sizeof(*s));
	for (i = 0; i < 2 && !ret; i++) {
		char *folder = nr == 2 ? xstrdup(path[i]) :
			xasprintf("%s/%s", path[0], side[i]);

		if (nr == 1 && !has_boots(folder))
			ret = fail(EINVAL, "%s: no folder that make ab left; give BASE and NEW",
				   path[0]);
		else
			ret = subject_of(folder, &s[i]);
		free(folder);
	}
	return ret;
}

void subject_free(struct subject *s)
{
	free(s->vmlinux);
	free(s->folder);
	free(s->run);
	json_decref(s->kernel);
	json_decref(s->manifest);
}

/* --- patches --- */

/*
 * Returns the value of a variable, as in PATCHES='...', in a run's settings;
 * the caller frees.
 */
static char *setting(const json_t *manifest, const char *name)
{
	const char *all = json_text(manifest, "settings"), *p;
	char *start = xasprintf("%s='", name), *value = NULL;

	p = strstr(all, start);
	if (p) {
		p += strlen(start);
		value = xstrndup(p, strcspn(p, "'"));
	}
	free(start);
	return value;
}

static char *find_patch(const struct subject *new, const json_t *patch)
{
	const char *file = json_text(patch, "file");
	const char *sum = json_text(patch, "sha256");
	const char *series = json_text(new->manifest, "series");
	char *given = setting(new->manifest, "PATCHES"), *word, *save;
	char *found = NULL, *pattern, *run = new->run ? new->run : ".";
	size_t i;
	glob_t g;

	/* of a whole series, or of a step of one */
	pattern = xasprintf("{.,%s/../patches,%s/../../patches,%s,scripts/lab/series/%s,scripts/lab/series/%s/*}/%s",
			    run, run, *series ? series : ".", series, series,
			    file);
	if (!glob(pattern, GLOB_BRACE, NULL, &g)) {
		for (i = 0; i < g.gl_pathc && !found; i++)
			if (has_sum(g.gl_pathv[i], sum))
				found = xstrdup(g.gl_pathv[i]);
		globfree(&g);
	}
	free(pattern);
	for (word = given ? strtok_r(given, " ", &save) : NULL; word && !found;
	     word = strtok_r(NULL, " ", &save))
		if (has_sum(word, sum))
			found = xstrdup(word);
	free(given);
	return found;
}

static bool has_patch(const struct subject *s, const json_t *patch)
{
	const json_t *list = json_object_get(s->kernel, "patches");
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (!strcmp(json_text(json_array_get(list, i), "sha256"),
			    json_text(patch, "sha256")))
			return true;
	return false;
}

char **subject_patches(const struct subject s[2], size_t *nr, size_t *missing)
{
	const json_t *list = json_object_get(s[1].kernel, "patches");
	char **v = xcalloc(json_array_size(list) + 1, sizeof(*v));
	size_t i;

	*nr = *missing = 0;
	for (i = 0; i < json_array_size(list); i++) {
		if (has_patch(&s[0], json_array_get(list, i)))
			continue;
		v[*nr] = find_patch(&s[1], json_array_get(list, i));
		if (v[*nr])
			(*nr)++;
		else
			(*missing)++;
	}
	return v;
}
