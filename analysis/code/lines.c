// SPDX-License-Identifier: GPL-2.0
/* See lines.h. */
#include "analysis/code/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#ifdef HAVE_LIBDW

#include <dwarf.h>
#include <elfutils/libdw.h>

struct unit {
	Dwarf_Die die;
	const char *file;
};

struct unit_range {
	uint64_t from, to;
	uint32_t unit;
};

struct lines {
	Dwarf *dwarf;
	struct unit *units;
	struct unit_range *ranges;	/* by address */
	size_t nr_units, nr_ranges;
	char **names;			/* of files, each once */
	size_t nr_names;
	/*
	 * libdw returns the same pointer for a file of a unit each time: cache
	 * its name
	 */
	struct {
		const char *path, *name;
	} cache[512];
};

/* --- names of files --- */

/*
 * Returns a file's name within the tree: for "/build/linux/mm/../mm/gup.c" and
 * @dir "/build/linux" it is "mm/gup.c". The caller frees.
 */
static char *tree_name(const char *path, const char *dir)
{
	size_t n = dir ? strlen(dir) : 0, len = 0;
	char *out = xcalloc(strlen(path) + 1, 1);

	if (n && !strncmp(path, dir, n) && path[n] == '/')
		path += n + 1;
	while (*path) {
		size_t part = strcspn(path, "/");

		if (!part && len) {
			;			/* a//b */
		} else if (part == 1 && *path == '.') {
			;
		} else if (part == 2 && !strncmp(path, "..", 2) && len &&
			   strcmp(out, "..")) {
			char *up = strrchr(out, '/');

			len = up ? (size_t)(up - out) : 0;
		} else {
			if (len)
				out[len++] = '/';
			memcpy(out + len, path, part);
			len += part;
		}
		out[len] = '\0';
		path += part;
		path += *path == '/';
	}
	return out;
}

static const char *source_name(struct lines *l, const char *path, Dwarf_Die *cu)
{
	size_t slot = (uintptr_t)path / 8 % ARRAY_SIZE(l->cache), i;
	Dwarf_Attribute attr;
	char *name;

	if (!path)
		return "";
	if (l->cache[slot].path == path)
		return l->cache[slot].name;
	name = tree_name(path, dwarf_formstring(dwarf_attr(cu, DW_AT_comp_dir,
							   &attr)));
	for (i = 0; i < l->nr_names && strcmp(l->names[i], name); i++)
		;
	if (i < l->nr_names) {
		free(name);
	} else {
		l->names = grow(l->names, l->nr_names, sizeof(*l->names));
		l->names[l->nr_names++] = name;
	}
	l->cache[slot].path = path;
	l->cache[slot].name = l->names[i];
	return l->names[i];
}

/* --- units --- */

static int by_from(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static void take_unit(struct lines *l, Dwarf_Die *die)
{
	Dwarf_Addr base, from, to;
	Dwarf_Attribute attr;
	ptrdiff_t at = 0;
	const char *dir = dwarf_formstring(dwarf_attr(die, DW_AT_comp_dir,
						      &attr));
	const char *name = dwarf_diename(die);

	l->units = grow(l->units, l->nr_units, sizeof(*l->units));
	/* each name is new, so don't search for it */
	l->names = grow(l->names, l->nr_names, sizeof(*l->names));
	l->names[l->nr_names] = tree_name(name ? name : "", dir);
	l->units[l->nr_units] = (struct unit){ *die, l->names[l->nr_names++] };
	while ((at = dwarf_ranges(die, at, &base, &from, &to)) > 0) {
		if (from == to)
			continue;
		l->ranges = grow(l->ranges, l->nr_ranges, sizeof(*l->ranges));
		l->ranges[l->nr_ranges++] = (struct unit_range){ from, to,
			l->nr_units };
	}
	l->nr_units++;
}

struct lines *lines_open(const struct image *img)
{
	struct lines *l = xcalloc(1, sizeof(*l));
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	l->dwarf = dwarf_begin_elf(img->elf, DWARF_C_READ, NULL);
	while (l->dwarf && !dwarf_get_units(l->dwarf, cu, &cu, NULL, NULL,
					    &die, NULL))
		if (dwarf_tag(&die) == DW_TAG_compile_unit)
			take_unit(l, &die);
	if (!l->nr_units) {
		lines_close(l);
		return fail_null(ENOENT, "%s: no debugging information: build with CONFIG_DEBUG_INFO_DWARF5 to see files and lines",
				 img->path);
	}
	if (l->nr_ranges)
		qsort(l->ranges, l->nr_ranges, sizeof(*l->ranges), by_from);
	return l;
}

void lines_close(struct lines *l)
{
	size_t i;

	if (!l)
		return;
	dwarf_end(l->dwarf);
	for (i = 0; i < l->nr_names; i++)
		free(l->names[i]);
	free(l->names);
	free(l->units);
	free(l->ranges);
	free(l);
}

static struct unit *unit_at(struct lines *l, uint64_t addr)
{
	size_t lo = 0, hi = l->nr_ranges;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (l->ranges[mid].from <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr >= l->ranges[lo - 1].to)
		return NULL;
	return &l->units[l->ranges[lo - 1].unit];
}

/* --- code --- */

bool lines_at(struct lines *l, uint64_t addr, struct source *src)
{
	struct unit *u = l ? unit_at(l, addr) : NULL;
	Dwarf_Line *line = u ? dwarf_getsrc_die(&u->die, addr) : NULL;
	int nr;

	if (!line || dwarf_lineno(line, &nr))
		return false;
	src->file = source_name(l, dwarf_linesrc(line, NULL, NULL), &u->die);
	src->line = nr;
	return true;
}

static bool declared(struct lines *l, Dwarf_Die *die, Dwarf_Die *cu,
		     struct source *src)
{
	int nr;

	if (dwarf_decl_line(die, &nr))
		return false;
	src->file = source_name(l, dwarf_decl_file(die), cu);
	src->line = nr;
	return true;
}

bool lines_function(struct lines *l, uint64_t addr, struct source *src)
{
	struct unit *u = l ? unit_at(l, addr) : NULL;
	Dwarf_Die die;

	if (!u || dwarf_child(&u->die, &die))
		return false;
	do {
		if (dwarf_tag(&die) == DW_TAG_subprogram &&
		    dwarf_haspc(&die, addr) > 0)
			return declared(l, &die, &u->die, src);
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

/* --- data --- */

static bool object_at(Dwarf_Die *die, uint64_t addr)
{
	Dwarf_Attribute attr;
	Dwarf_Op *op;
	size_t nr;

	return dwarf_tag(die) == DW_TAG_variable &&
	       dwarf_attr(die, DW_AT_location, &attr) &&
	       !dwarf_getlocation(&attr, &op, &nr) && nr &&
	       op[0].atom == DW_OP_addr && op[0].number == addr;
}

/* Searches functions as well, because their statics are children of them. */
static bool find_object(Dwarf_Die *parent, uint64_t addr, int depth,
			Dwarf_Die *found)
{
	Dwarf_Die die;

	if (dwarf_child(parent, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);

		if (object_at(&die, addr)) {
			*found = die;
			return true;
		}
		if (depth && (tag == DW_TAG_subprogram ||
			      tag == DW_TAG_lexical_block) &&
		    find_object(&die, addr, depth - 1, found))
			return true;
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

static bool strip_type(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attr;

	return dwarf_attr_integrate(die, DW_AT_type, &attr) &&
	       dwarf_formref_die(&attr, type) && !dwarf_peel_type(type, type);
}

static char *part_of(Dwarf_Die *type, uint64_t offset, char *name);

static char *part_of_struct(Dwarf_Die *type, uint64_t offset, char *name)
{
	Dwarf_Die member, inner;
	Dwarf_Attribute attr;
	Dwarf_Word at, size;

	if (dwarf_child(type, &member))
		return name;
	do {
		const char *n = dwarf_diename(&member);
		char *longer;

		at = 0;
		if (dwarf_tag(&member) != DW_TAG_member ||
		    !strip_type(&member, &inner) ||
		    dwarf_aggregate_size(&inner, &size))
			continue;
		if (dwarf_attr(&member, DW_AT_data_member_location, &attr))
			dwarf_formudata(&attr, &at);
		if (offset < at || offset >= at + size)
			continue;
		longer = n ? xasprintf("%s.%s", name, n) : xstrdup(name);
		free(name);
		return part_of(&inner, offset - at, longer);
	} while (!dwarf_siblingof(&member, &member));
	return name;
}

/*
 * Appends the member of @type at @offset to @name, which it frees. Returns the
 * new text, which the caller frees.
 */
static char *part_of(Dwarf_Die *type, uint64_t offset, char *name)
{
	Dwarf_Word size;
	Dwarf_Die inner;
	char *longer;

	switch (dwarf_tag(type)) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return part_of_struct(type, offset, name);
	case DW_TAG_array_type:
		if (!strip_type(type, &inner) ||
		    dwarf_aggregate_size(&inner, &size) || !size)
			return name;
		longer = xasprintf("%s[%llu]", name,
				   (unsigned long long)(offset / size));
		free(name);
		return part_of(&inner, offset % size, longer);
	}
	return name;
}

static bool has_name(const char *file, const char *base)
{
	const char *slash = strrchr(file, '/');

	return !strcmp(slash ? slash + 1 : file, base);
}

bool lines_object(struct lines *l, const struct image_symbol *sym,
		  uint64_t offset, struct source *src, char **part)
{
	Dwarf_Die die, type;
	size_t i;

	*part = NULL;
	for (i = 0; l && i < l->nr_units; i++) {
		struct unit *u = &l->units[i];

		if (*sym->file && !has_name(u->file, sym->file))
			continue;
		if (!find_object(&u->die, sym->start, *sym->file ? 4 : 0,
				 &die))
			continue;
		if (!declared(l, &die, &u->die, src)) {
			src->file = u->file;
			src->line = 0;
		}
		*part = xstrdup("");
		if (strip_type(&die, &type))
			*part = part_of(&type, offset, *part);
		return true;
	}
	return false;
}

/* --- files --- */

static bool includes(struct lines *l, struct unit *u, const char *file)
{
	Dwarf_Files *files;
	size_t nr, i;

	if (!strcmp(u->file, file))
		return true;
	if (dwarf_getsrcfiles(&u->die, &files, &nr))
		return false;
	for (i = 0; i < nr; i++) {
		const char *path = dwarf_filesrc(files, i, NULL, NULL);

		if (path && has_name(path, strrchr(file, '/') ?
				     strrchr(file, '/') + 1 : file) &&
		    !strcmp(source_name(l, path, &u->die), file))
			return true;
	}
	return false;
}

bool lines_has_file(struct lines *l, const char *file)
{
	size_t i;

	for (i = 0; i < l->nr_units; i++)
		if (!strcmp(l->units[i].file, file))
			return true;
	for (i = 0; i < l->nr_units; i++)
		if (includes(l, &l->units[i], file))
			return true;
	return false;
}

/* Marks the units to search for @file. */
static bool *units_for(struct lines *l, const char *file,
		       const uint64_t *addrs, size_t nr)
{
	bool *want = xcalloc(l->nr_units + 1, sizeof(*want));
	size_t i;

	for (i = 0; i < l->nr_units; i++)
		want[i] = !strcmp(l->units[i].file, file);
	for (i = 0; i < nr; i++) {
		struct unit *u = unit_at(l, addrs[i]);

		if (u)
			want[u - l->units] = true;
	}
	return want;
}

void lines_of_file(struct lines *l, const char *file, const uint64_t *addrs,
		   size_t nr, lines_use use, void *data)
{
	bool *want = units_for(l, file, addrs, nr);
	size_t i, k, nr_lines;

	for (i = 0; i < l->nr_units; i++) {
		Dwarf_Lines *rows;

		if (!want[i] || !includes(l, &l->units[i], file) ||
		    dwarf_getsrclines(&l->units[i].die, &rows, &nr_lines))
			continue;
		for (k = 0; k + 1 < nr_lines; k++) {
			Dwarf_Line *row = dwarf_onesrcline(rows, k);
			Dwarf_Line *next = dwarf_onesrcline(rows, k + 1);
			Dwarf_Addr from, to;
			bool end;
			int line;

			if (dwarf_lineendsequence(row, &end) || end ||
			    dwarf_lineaddr(row, &from) ||
			    dwarf_lineaddr(next, &to) || to <= from ||
			    dwarf_lineno(row, &line))
				continue;
			if (!strcmp(source_name(l, dwarf_linesrc(row, NULL, NULL),
						&l->units[i].die), file))
				use(data, line, from, to);
		}
	}
	free(want);
}

const char *lines_function_at(struct lines *l, const char *file,
			      unsigned int line, const uint64_t *addrs,
			      size_t nr)
{
	bool *want = units_for(l, file, addrs, nr);
	const char *name = NULL;
	unsigned int best = 0;
	struct source src;
	Dwarf_Die die;
	size_t i;

	for (i = 0; i < l->nr_units; i++) {
		if (!want[i] || dwarf_child(&l->units[i].die, &die))
			continue;
		do {
			Dwarf_Attribute attr;
			bool flag;

			if (dwarf_tag(&die) != DW_TAG_subprogram ||
			    (dwarf_attr(&die, DW_AT_declaration, &attr) &&
			     !dwarf_formflag(&attr, &flag) && flag) ||
			    !declared(l, &die, &l->units[i].die, &src) ||
			    src.line > line || src.line < best ||
			    strcmp(src.file, file))
				continue;
			best = src.line;
			name = dwarf_diename(&die);
		} while (!dwarf_siblingof(&die, &die));
	}
	free(want);
	return name;
}

#else /* !HAVE_LIBDW */

struct lines *lines_open(const struct image *img)
{
	return fail_null(ENOTSUP, "%s: this ptelab was built without libdw, so it can't show files and lines; use the one that make builds",
			 img->path);
}

void lines_close(struct lines *l)
{
	(void)l;
}

bool lines_at(struct lines *l, uint64_t addr, struct source *src)
{
	(void)l, (void)addr, (void)src;
	return false;
}

bool lines_function(struct lines *l, uint64_t addr, struct source *src)
{
	(void)l, (void)addr, (void)src;
	return false;
}

bool lines_object(struct lines *l, const struct image_symbol *sym,
		  uint64_t offset, struct source *src, char **part)
{
	(void)l, (void)sym, (void)offset, (void)src;
	*part = NULL;
	return false;
}

bool lines_has_file(struct lines *l, const char *file)
{
	(void)l, (void)file;
	return false;
}

void lines_of_file(struct lines *l, const char *file, const uint64_t *addrs,
		   size_t nr, lines_use use, void *data)
{
	(void)l, (void)file, (void)addrs, (void)nr, (void)use, (void)data;
}

const char *lines_function_at(struct lines *l, const char *file,
			      unsigned int line, const uint64_t *addrs,
			      size_t nr)
{
	(void)l, (void)file, (void)line, (void)addrs, (void)nr;
	return NULL;
}

#endif
