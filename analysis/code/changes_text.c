// SPDX-License-Identifier: GPL-2.0
/* Prints what differs between two kernels' code, as text and as JSON. */
#include <capstone/capstone.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/changes.h"
#include "analysis/draw/format.h"
#include "analysis/draw/table.h"
#include "analysis/load/load.h"
#include "lib/util.h"

#define ROWS_SHOWN	30
#define LINES_SHOWN	20

static const char *const kind_name[] = {
	[CHANGED] = "changed", [ADDED] = "new", [GONE] = "gone",
};

static const char *const state_name[] = {
	[FILE_NO_CODE] = "no code", [FILE_NOT_BUILT] = "not built",
	[FILE_UNKNOWN] = "unknown", [FILE_ALIKE] = "built alike",
	[FILE_CHANGED] = "changed",
};

static void count_kinds(const struct changes *c, size_t nr[3])
{
	size_t i;

	memset(nr, 0, 3 * sizeof(*nr));
	for (i = 0; i < c->match->nr_code; i++)
		nr[c->match->code[i].kind]++;
}

/* --- head --- */

static void put_kernel(const struct changes *c, int s, FILE *f)
{
	const struct subject *u = &c->subject[s];
	const char *hash = json_text(u->kernel, "hash");

	print_labelled(f, s == CODE_BASE ? "base" : "new", 4, "%s%s%s",
		       *hash ? json_text(u->kernel, "release") : u->vmlinux,
		       *hash ? ", kernel " : "", hash);
}

static const char *what_ran(const struct changes *c)
{
	switch (changes_ran(c)) {
	case RAN_NEVER:
		return "not exercised: none of the changed code ran";
	case RAN_OUTSIDE:
		return "not exercised: the changed code ran in set-up or at boot, but not";
	case RAN_PART:
		return "exercised in part";
	case RAN_ALL:
		return "exercised: all of the changed code ran";
	default:
		return NULL;
	}
}

static void put_head(const struct changes *c, FILE *f)
{
	size_t nr[3];

	count_kinds(c, nr);
	if (c->patched.subject)
		print_line(f, 0, 2, "%s", c->patched.subject);
	put_kernel(c, CODE_BASE, f);
	put_kernel(c, CODE_NEW, f);
	if (changes_none(c)) {
		print_line(f, 0, 2, "the two kernels are the same code%s: %zu functions and all named data",
			   c->match->nr_moved ? ", laid out otherwise" : "",
			   c->match->nr_functions);
		return;
	}
	print_line(f, 0, 2, "of %zu functions %zu changed, %zu new, %zu gone; %zu data object%s differ%s",
		   c->match->nr_functions, nr[CHANGED], nr[ADDED], nr[GONE],
		   c->match->nr_data, plural(c->match->nr_data),
		   c->match->nr_data == 1 ? "s" : "");
	if (what_ran(c))
		print_line(f, 0, 2, "%s in %zu counted points", what_ran(c),
			   c->nr_points);
	else if (c->not_counted)
		print_line(f, 0, 2, "unknown what ran: %s",
			   c->not_counted);
}

/* Prints how many of the patch's lines with code ran. */
static void put_lines_ran(const struct changes *c, FILE *f)
{
	size_t i, ran = 0;

	if (c->not_counted || !c->nr_lines || !c->patched.nr)
		return;
	for (i = 0; i < c->nr_lines; i++)
		ran += c->changed[i].ran > 0;
	print_line(f, 0, 2, "of %zu line%s of the patch that became code %zu ran",
		   c->nr_lines, plural(c->nr_lines), ran);
}

/* --- functions --- */

/* Adds the size in instructions, "112" or "112>140". */
static void size_cell(struct table *t, const struct code_change *code)
{
	switch (code->kind) {
	case CHANGED:
		table_cell(t, "%zu>%zu", code->nr[CODE_BASE],
			   code->nr[CODE_NEW]);
		break;
	case ADDED:
		table_cell(t, ">%zu", code->nr[CODE_NEW]);
		break;
	case GONE:
		table_cell(t, "%zu>", code->nr[CODE_BASE]);
	}
}

static void ran_cells(struct table *t, const struct changes *c,
		      const struct changed_function *f)
{
	if (c->not_counted)
		return;
	if (f->code->kind == GONE)
		table_cell(t, "-");
	else if (f->ran == RAN_OUTSIDE)
		table_cell(t, "outside");
	else if (f->nr_new)
		table_cell(t, "%zu of %zu", f->new_ran, f->nr_new);
	else
		table_cell(t, f->ran == RAN_NEVER ? "no" : "yes");
	table_cell(t, "%zu", f->nr_points);
}

static void put_functions(const struct changes *c, size_t rows, FILE *f)
{
	struct table *t = table_new();
	size_t i, nr = c->match->nr_code;

	table_column(t, "function", false);
	table_column(t, "where", false);
	table_column(t, "insns", true);
	table_column(t, "-/+/~", true);
	if (!c->not_counted) {
		table_column(t, "ran", true);
		table_column(t, "points", true);
	}
	for (i = 0; i < nr && i < rows; i++) {
		const struct changed_function *n = &c->functions[i];

		table_row(t);
		table_cell(t, "%s%s", n->name, n->code->kind == ADDED ?
			   " (new)" : n->code->kind == GONE ? " (gone)" : "");
		if (n->src.file)
			table_cell(t, "%s:%u", n->src.file, n->src.line);
		else
			table_cell(t, "%s", "");
		size_cell(t, n->code);
		table_cell(t, "%zu/%zu/%zu", n->code->alone[CODE_BASE],
			   n->code->alone[CODE_NEW], n->code->altered);
		ran_cells(t, c, n);
	}
	fputc('\n', f);
	table_print_mail(t, f, 1, MAIL_WIDTH);
	table_free(t);
	if (nr > rows)
		print_line(f, 1, 3, "and %zu more: -v, or --json", nr - rows);
	print_line(f, 1, 3, "insns: base>new; -/+/~: only in base, only in new, with other registers or operands%s",
		   c->not_counted ? "" : "; ran: of + and ~, in counted points; outside: only in set-up or at boot");
}

/* --- data --- */

static void put_objects(const struct changes *c, size_t rows, FILE *f)
{
	size_t i, nr = c->match->nr_data;

	if (!nr)
		return;
	fputs("\n data\n", f);
	for (i = 0; i < nr && i < rows; i++) {
		const struct changed_object *o = &c->objects[i];
		char *where = o->src.file ? xasprintf(" (%s:%u)", o->src.file,
						      o->src.line) : xstrdup("");

		if (o->data->kind == CHANGED && o->part && *o->part)
			print_line(f, 1, 3, "%s%s%s", o->name, o->part, where);
		else if (o->data->kind == CHANGED)
			print_line(f, 1, 3, "%s%s, from byte %" PRIu64,
				   o->name, where, o->data->offset);
		else
			print_line(f, 1, 3, "%s%s, %s", o->name, where,
				   kind_name[o->data->kind]);
		free(where);
	}
	if (nr > rows)
		print_line(f, 1, 3, "and %zu more: -v, or --json", nr - rows);
}

/* --- lines --- */

#define LINE_GAP	5	/* lines without code within a range */

/*
 * Finds the range of lines that never ran, from @i on. Returns the index after
 * it.
 */
static size_t never_range(const struct changes *c, size_t i, size_t *last)
{
	const struct changed_line *l = c->changed;
	size_t k;

	*last = i;
	for (k = i + 1; k < c->nr_lines && !l[k].ran &&
	     !strcmp(l[k].file, l[i].file) &&
	     l[k].function == l[i].function &&
	     !strcmp(l[k].behind ? l[k].behind : "",
		     l[i].behind ? l[i].behind : "") &&
	     l[k].line <= l[*last].line + LINE_GAP; k++)
		*last = k;
	return k;
}

static void put_never(const struct changes *c, size_t rows, FILE *f)
{
	size_t i, last, shown = 0, more = 0, next;

	for (i = 0; i < c->nr_lines && !c->not_counted; i = next) {
		const struct changed_line *l = &c->changed[i];
		const struct changed_function *n = &c->functions[l->function];
		char *range;

		next = i + 1;
		if (l->ran)
			continue;
		next = never_range(c, i, &last);
		if (shown >= rows) {
			more++;
			continue;
		}
		if (!shown++)
			fputs("\n lines that no counted point ran\n", f);
		range = c->changed[last].line == l->line ?
			xasprintf("%u", l->line) :
			xasprintf("%u-%u", l->line, c->changed[last].line);
		print_line(f, 1, 3, "%s:%s in %s%s%s", l->file, range, n->name,
			   l->behind ? ": " : n->ran == RAN_OUTSIDE ?
			   ", which ran outside of them" : n->nr_points ? "" :
			   ", which never ran",
			   l->behind ? l->behind : "");
		free(range);
	}
	if (more)
		print_line(f, 1, 3, "and %zu more: -v, or --json", more);
}

/* --- the patch's files --- */

static void put_file(const struct changes *c, const struct changed_file *p,
		     size_t rows, FILE *f)
{
	char *text = xasprintf("%s: %s", p->patch->name, state_name[p->state]);
	size_t i;

#define ADD(...) do {							\
	char *_tail = xasprintf(__VA_ARGS__);				\
	char *_all = xasprintf("%s%s", text, _tail);			\
	free(_tail);							\
	free(text);							\
	text = _all;							\
} while (0)
	if (p->state == FILE_NOT_BUILT)
		ADD("%s%s", p->option ? "; needs " :
		    " in this configuration", p->option ? p->option : "");
	else if (p->state == FILE_ALIKE)
		ADD(": no machine code %sdiffers",
		    changes_none(c) ? "" : "of its own ");
	else if (p->state == FILE_UNKNOWN)
		ADD("%s", ": no debugging information");
	for (i = 0; i < p->nr_edited && i < rows; i++)
		ADD("%s%s()", i ? ", " : "; edits ", p->edited[i]);
	if (p->nr_edited > rows)
		ADD(" and %zu more", p->nr_edited - rows);
	for (i = 0; i < p->nr_functions && i < rows; i++)
		ADD("%s%s", i ? ", " : "; in the machine code of ",
		    c->functions[p->functions[i]].name);
	if (p->nr_functions > rows)
		ADD(" and %zu more", p->nr_functions - rows);
#undef ADD
	print_line(f, 1, 3, "%s", text);
	free(text);
}

static void put_files(const struct changes *c, size_t rows, FILE *f)
{
	size_t i;

	if (c->patches_missing)
		print_line(f, 0, 2, "%zu of its patches %s not found here: give them with --patch",
			   c->patches_missing,
			   c->patches_missing == 1 ? "is" : "are");
	if (!c->patched.nr)
		return;
	fputs("\n the patch\n", f);
	for (i = 0; i < c->patched.nr; i++)
		put_file(c, &c->files[i], rows, f);
}

/* --- instructions --- */

static char *disassemble(csh cs, const struct image *img, uint64_t addr)
{
	const unsigned char *p = image_bytes(img, addr, 4);
	cs_insn *insn;
	char *text;

	if (!p || !cs_disasm(cs, p, 4, addr, 1, &insn))
		return xasprintf(".inst 0x%02x%02x%02x%02x", p ? p[3] : 0,
				 p ? p[2] : 0, p ? p[1] : 0, p ? p[0] : 0);
	text = xasprintf("%s %s", insn->mnemonic, insn->op_str);
	cs_free(insn, 1);
	return text;
}

static void put_insn(const struct changes *c, const struct changed_function *f,
		     int s, size_t i, csh cs, FILE *out)
{
	const struct image *img = c->image[s];
	uint64_t addr = img->functions[f->code->function[s]].start + 4 * i;
	char *text = disassemble(cs, img, addr), *where, *ran;
	struct source src;

	where = lines_at(c->lines[s], addr, &src) ?
		xasprintf("%s:%u", src.file, src.line) : xstrdup("");
	ran = s == CODE_NEW && f->count ? xasprintf("%" PRIu64, f->count[i]) :
		xstrdup("");
	fprintf(out, "  %c +%-5zx %-30.30s %9s  %s\n", s == CODE_BASE ? '-' :
		f->code->state[s][i] == INSN_ALTERED ? '~' : '+', 4 * i, text,
		ran, where);
	free(text);
	free(where);
	free(ran);
}

static void put_insns(const struct changes *c, FILE *out)
{
	size_t i, k;
	csh cs;

	if (cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &cs) != CS_ERR_OK)
		return;
	for (i = 0; i < c->match->nr_code; i++) {
		const struct changed_function *f = &c->functions[i];
		const struct code_change *code = f->code;

		if (code->kind != CHANGED)
			continue;
		fprintf(out, "\n %s\n", f->name);
		for (k = 0; k < code->nr[CODE_BASE]; k++)
			if (code->state[CODE_BASE][k] == INSN_ALONE)
				put_insn(c, f, CODE_BASE, k, cs, out);
		for (k = 0; k < code->nr[CODE_NEW]; k++)
			if (code->state[CODE_NEW][k] != INSN_SAME)
				put_insn(c, f, CODE_NEW, k, cs, out);
	}
	cs_close(&cs);
}

void changes_text(const struct changes *c, bool verbose, FILE *f)
{
	size_t rows = verbose ? SIZE_MAX : ROWS_SHOWN;

	put_head(c, f);
	put_lines_ran(c, f);
	if (c->match->nr_code)
		put_functions(c, rows, f);
	put_objects(c, rows, f);
	put_never(c, verbose ? SIZE_MAX : LINES_SHOWN, f);
	put_files(c, verbose ? SIZE_MAX : 12, f);
	if (c->no_lines)
		print_line(f, 0, 2, "%s", c->no_lines);
	if (verbose)
		put_insns(c, f);
}

/* --- for programs --- */

static json_t *text_json(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *source_json(const struct source *src)
{
	return src->file ? json_pack("{s:s, s:i}", "file", src->file, "line",
				     src->line) : json_null();
}

static json_t *insns_json(const struct changes *c,
			  const struct changed_function *f)
{
	const struct code_change *code = f->code;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < code->nr[CODE_NEW]; i++) {
		uint64_t addr;
		struct source src = { 0 };
		json_t *o;

		if (code->state[CODE_NEW][i] == INSN_SAME)
			continue;
		addr = c->image[CODE_NEW]->functions[code->function[CODE_NEW]].start +
			4 * i;
		lines_at(c->lines[CODE_NEW], addr, &src);
		o = json_pack("{s:i, s:s, s:o}", "offset", (int)(4 * i),
			      "state", code->state[CODE_NEW][i] == INSN_ALTERED ?
			      "altered" : "new", "source", source_json(&src));
		if (f->count)
			json_object_set_new(o, "count",
					    json_integer(f->count[i]));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *points_json(const struct changes *c,
			   const struct changed_function *f)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < f->nr_points; i++)
		json_array_append_new(list,
				      json_string(c->points[f->points[i]]));
	return list;
}

static json_t *address_json(const struct changes *c,
			    const struct code_change *code, int s)
{
	char *text;
	json_t *o;

	if (code->function[s] < 0)
		return json_null();
	text = xasprintf("%" PRIx64,
			 c->image[s]->functions[code->function[s]].start);
	o = json_pack("{s:s, s:i, s:i}", "start", text, "instructions",
		      (int)code->nr[s], "alone", (int)code->alone[s]);
	free(text);
	return o;
}

static json_t *function_json(const struct changes *c,
			     const struct changed_function *f)
{
	json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:i, s:o}",
		"name", f->name, "kind", kind_name[f->code->kind],
		"source", source_json(&f->src),
		"base", address_json(c, f->code, CODE_BASE),
		"new", address_json(c, f->code, CODE_NEW),
		"altered", (int)f->code->altered,
		"instructions", insns_json(c, f));

	if (c->not_counted || f->code->kind == GONE)
		return o;
	json_object_set_new(o, "ran", json_string(ran_state_name(f->ran)));
	json_object_set_new(o, "differing", json_integer(f->nr_new));
	json_object_set_new(o, "differing_ran", json_integer(f->new_ran));
	json_object_set_new(o, "points", points_json(c, f));
	json_object_set_new(o, "behind", text_json(f->behind));
	return o;
}

static json_t *object_json(const struct changed_object *o)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:I}", "name", o->name, "kind",
			 kind_name[o->data->kind], "source",
			 source_json(&o->src), "part", text_json(o->part),
			 "offset", (json_int_t)o->data->offset);
}

static json_t *file_json(const struct changes *c, const struct changed_file *f)
{
	json_t *edited = json_array(), *functions = json_array();
	size_t i;

	for (i = 0; i < f->nr_edited; i++)
		json_array_append_new(edited, json_string(f->edited[i]));
	for (i = 0; i < f->nr_functions; i++)
		json_array_append_new(functions, json_string(
				c->functions[f->functions[i]].name));
	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "file", f->patch->name,
			 "state", state_name[f->state], "option",
			 text_json(f->option), "edits", edited, "functions",
			 functions);
}

static json_t *line_json(const struct changes *c, const struct changed_line *l)
{
	json_t *o = json_pack("{s:s, s:i, s:s, s:i}", "file", l->file, "line",
			      l->line, "function",
			      c->functions[l->function].name,
			      "instructions", (int)l->insns);

	if (!c->not_counted) {
		json_object_set_new(o, "ran", json_integer(l->ran));
		json_object_set_new(o, "behind", text_json(l->behind));
	}
	return o;
}

static json_t *kernel_json(const struct subject *s)
{
	return json_pack("{s:s, s:o, s:o}", "vmlinux", s->vmlinux,
			 "hash", text_json(s->kernel ?
					   json_text(s->kernel, "hash") : NULL),
			 "release", text_json(s->kernel ?
				json_text(s->kernel, "release") : NULL));
}

json_t *changes_json(const struct changes *c)
{
	json_t *functions = json_array(), *data = json_array();
	json_t *files = json_array(), *lines = json_array();
	size_t i;

	for (i = 0; i < c->match->nr_code; i++)
		json_array_append_new(functions,
				      function_json(c, &c->functions[i]));
	for (i = 0; i < c->match->nr_data; i++)
		json_array_append_new(data, object_json(&c->objects[i]));
	for (i = 0; i < c->patched.nr; i++)
		json_array_append_new(files, file_json(c, &c->files[i]));
	for (i = 0; i < c->nr_lines; i++)
		json_array_append_new(lines, line_json(c, &c->changed[i]));
	return json_pack("{s:s, s:o, s:o, s:b, s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:i, s:I}",
		"schema", CHANGES_SCHEMA,
		"base", kernel_json(&c->subject[CODE_BASE]),
		"new", kernel_json(&c->subject[CODE_NEW]),
		"same", changes_none(c),
		"compared", (json_int_t)c->match->nr_functions,
		"moved", (json_int_t)c->match->nr_moved,
		"ran", ran_state_name(changes_ran(c)),
		"not_counted", text_json(c->not_counted),
		"functions", functions, "data", data, "lines", lines,
		"patch", files, "patches_missing", (int)c->patches_missing,
		"points", (json_int_t)c->nr_points);
}
