// SPDX-License-Identifier: GPL-2.0
/* See kernel.h. */
#include "bpf/kernel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/once.h"
#include "lib/util.h"

static struct btf *kernel_btf;

static struct btf *vmlinux_btf(void)
{
	static bool tried;

	if (!tried) {
		tried = true;
		kernel_btf = __real_btf__load_vmlinux_btf();
	}
	return kernel_btf;
}

/* libbpf would read and check BTF again for each object. */
struct btf *__wrap_btf__load_vmlinux_btf(void)
{
	struct btf *btf = vmlinux_btf();

	if (!btf)
		errno = ENOENT;
	return btf;
}

void __wrap_btf__free(struct btf *btf)
{
	if (!btf || btf != kernel_btf)
		__real_btf__free(btf);
}

const char *kernel_no_btf(void)
{
	if (vmlinux_btf())
		return NULL;
	if (access("/sys/kernel/btf/vmlinux", F_OK))
		return "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)";
	return "the kernel's BTF (/sys/kernel/btf/vmlinux) can't be read";
}

/*
 * libbpf searches for a name through all types, which takes nearly 2 million
 * instructions, and the table of counters needs a hundred names. So hash the
 * names of functions and enums once; open addressing, 0 is no type.
 */
static struct {
	uint32_t *ids;
	uint32_t mask;
} by_name;

static uint32_t hash(const char *name, size_t len)
{
	uint32_t h = 2166136261;	/* FNV-1a */

	while (len--)
		h = (h ^ (unsigned char)*name++) * 16777619;
	return h;
}

static uint32_t hash_name(const char *name)
{
	return hash(name, strlen(name));
}

static bool is_indexed(const struct btf_type *t)
{
	return btf_is_func(t) || btf_is_any_enum(t);
}

static void index_names(const struct btf *btf)
{
	uint32_t nr = btf__type_cnt(btf), id, room = 1, named = 0, slot;

	for (id = 1; id < nr; id++)
		named += is_indexed(btf__type_by_id(btf, id));
	while (room <= 2 * named)
		room *= 2;
	by_name.ids = xcalloc(room, sizeof(*by_name.ids));
	by_name.mask = room - 1;
	for (id = 1; id < nr; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!is_indexed(t))
			continue;
		slot = hash_name(btf__name_by_offset(btf, t->name_off));
		while (by_name.ids[slot & by_name.mask])
			slot++;
		by_name.ids[slot & by_name.mask] = id;
	}
}

/* Returns the first function or enum of that name; 0 if there is none. */
static uint32_t find_id(const struct btf *btf, const char *name, bool func)
{
	uint32_t slot, id;

	if (!by_name.ids)
		index_names(btf);
	slot = hash_name(name);
	while ((id = by_name.ids[slot++ & by_name.mask])) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_is_func(t) == func &&
		    !strcmp(btf__name_by_offset(btf, t->name_off), name))
			break;
	}
	return id;
}

/* The same; returns NULL if there is none. */
static const struct btf_type *find_type(const struct btf *btf,
					const char *name, bool func)
{
	uint32_t id = btf ? find_id(btf, name, func) : 0;

	return id ? btf__type_by_id(btf, id) : NULL;
}

/* libbpf looks up the function of each fentry. */
__s32 __wrap_btf__find_by_name_kind(const struct btf *btf, const char *name,
				    __u32 kind)
{
	uint32_t id;

	if (!btf || btf != kernel_btf || kind != BTF_KIND_FUNC)
		return __real_btf__find_by_name_kind(btf, name, kind);
	id = find_id(btf, name, true);
	if (!id)
		errno = ENOENT;
	return id ? (__s32)id : -ENOENT;
}

/* The emulated machine has a copy, because printing this takes long there. */
static const char *kallsyms(void)
{
	const char *path = getenv("PTELAB_KALLSYMS");
	static char *text;
	static bool tried;

	if (!tried) {
		tried = true;
		text = read_file(path ? path : "/proc/kallsyms", NULL);
	}
	return text;
}

/*
 * Offsets of the functions' lines in kallsyms(), hashed by name as above. If
 * several have the same name, the first comes first.
 */
static struct {
	uint32_t *at;		/* offset + 1; 0: free */
	uint32_t mask;
} lines;

/* Returns the name on a line of /proc/kallsyms; NULL if it is no function. */
static const char *function_name(const char *line, const char **end)
{
	const char *name = strchr(line, ' ');

	if (!name || !name[1] || name[2] != ' ' || !strchr("tTwW", name[1]))
		return NULL;
	name += 3;
	*end = name + strcspn(name, "\t\n");
	return name;
}

static void index_lines(void)
{
	const char *text = kallsyms(), *line, *name, *end;
	uint32_t nr = 0, room = 1, slot;

	for (line = text; line && *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		nr++;
	}
	while (room <= 2 * nr)
		room *= 2;
	lines.at = xcalloc(room, sizeof(*lines.at));
	lines.mask = room - 1;
	for (line = text; line && *line; line = *end ? end + 1 : end) {
		name = function_name(line, &end);
		if (name) {
			slot = hash(name, end - name);
			while (lines.at[slot & lines.mask])
				slot++;
			lines.at[slot & lines.mask] = line - text + 1;
		}
		end = strchrnul(line, '\n');
	}
}

/* Returns the line of that symbol, "ADDRESS t NAME[\t[module]]". */
static const char *symbol_line(const char *name)
{
	size_t len = strlen(name);
	uint32_t slot, at;

	if (!kallsyms())
		return NULL;
	if (!lines.at)
		index_lines();
	slot = hash(name, len);
	while ((at = lines.at[slot++ & lines.mask])) {
		const char *line = kallsyms() + at - 1, *end;
		const char *found = function_name(line, &end);

		if ((size_t)(end - found) == len && !memcmp(found, name, len))
			return line;
	}
	return NULL;
}

/* Returns the names of all clones, found in one pass. */
static const char *clones(void)
{
	static const char *const kinds[] = { ".constprop.", ".isra.", ".part." };
	static char *list;
	const char *line, *end;
	size_t len = 0, room = 0;
	unsigned int i;

	if (list || !kallsyms())
		return list;
	for (line = kallsyms(); *line; line = end + 1) {
		const char *name, *dot;

		end = strchrnul(line, '\n');
		dot = memchr(line, '.', end - line);
		for (i = 0; dot && i < ARRAY_SIZE(kinds); i++)
			if (!strncmp(dot, kinds[i], strlen(kinds[i])))
				break;
		if (dot && i < ARRAY_SIZE(kinds)) {
			name = memrchr(line, ' ', end - line);
			if (room < len + (end - name) + 2) {
				room = 2 * room + 4096;
				list = xrealloc(list, room);
			}
			/* a space on both sides of each name */
			memcpy(list + len, name, end - name);
			len += end - name;
			list[len] = 0;
		}
		if (!*end)
			break;
	}
	if (!list)
		list = xstrdup("");
	return list;
}

const char *kernel_function_clone(const char *name)
{
	static char found[128];
	const char *p = clones();
	size_t n = strlen(name);

	while (p && (p = strstr(p, name))) {
		if (p[-1] == ' ' && p[n] == '.') {
			snprintf(found, sizeof(found), "%.*s",
				 (int)strcspn(p, " \t\n"), p);
			return found;
		}
		p += n;
	}
	return NULL;
}

int kernel_symbol_find(const char *name, struct kernel_symbol *sym)
{
	const char *line;

	if (!kallsyms())
		return -errno;
	line = symbol_line(name);
	if (!line)
		return -ENOENT;
	sym->start = strtoull(line, NULL, 16);
	if (!sym->start)
		return -EPERM;
	/* Aliases of the function are on the following lines. */
	for (sym->end = sym->start; sym->end == sym->start;) {
		line = strchr(line, '\n');
		if (!line || !*++line)
			return -ENOENT;
		sym->end = strtoull(line, NULL, 16);
	}
	/* After the last symbol of a region comes another region. */
	if (sym->end < sym->start || sym->end - sym->start > 64 * KIB)
		sym->end = sym->start + 64 * KIB;
	return 0;
}

static const struct btf_type *prototype(struct btf *btf, const char *name)
{
	const struct btf_type *func = find_type(btf, name, true);

	return func ? btf__type_by_id(btf, func->type) : NULL;
}

bool kernel_has_function(const char *name, struct kernel_function *f)
{
	struct btf *btf = vmlinux_btf();
	const struct btf_type *t = prototype(btf, name);
	int id;

	memset(f, 0, sizeof(*f));
	if (!t)
		return symbol_line(name) != NULL;
	f->known = true;
	f->nargs = btf_vlen(t);
	id = btf__resolve_type(btf, t->type);
	if (id > 0) {
		t = btf__type_by_id(btf, id);
		f->returns_struct = btf_is_composite(t);
	}
	return true;
}

bool kernel_has_argument(const char *function, const char *argument)
{
	struct btf *btf = vmlinux_btf();
	const struct btf_type *t = prototype(btf, function);
	int i;

	for (i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf,
						btf_params(t)[i].name_off),
			    argument))
			return true;
	return false;
}

bool kernel_enumerator(const char *path, uint64_t *value)
{
	struct btf *btf = vmlinux_btf();
	const char *name = strchr(path, ':');
	const struct btf_type *t;
	char type[64];
	int i;

	snprintf(type, sizeof(type), "%.*s", (int)(name - path), path);
	name++;
	t = find_type(btf, type, false);
	if (!t)
		return false;
	for (i = 0; i < btf_vlen(t); i++) {
		uint32_t off;

		if (btf_is_enum64(t)) {
			off = btf_enum64(t)[i].name_off;
			*value = btf_enum64_value(&btf_enum64(t)[i]);
		} else {
			off = btf_enum(t)[i].name_off;
			*value = (uint32_t)btf_enum(t)[i].val;
		}
		if (!strcmp(btf__name_by_offset(btf, off), name))
			return true;
	}
	return false;
}

/* Returns whether a file exists and has the value 0. */
static bool says_zero(const char *path)
{
	char *text = read_line("%s", path);
	bool zero = text && !strcmp(text, "0");

	free(text);
	return zero;
}

const char *kernel_no_kprobes(void)
{
	if (says_zero("/sys/kernel/debug/kprobes/enabled"))
		return "kprobes are disabled: echo 1 >/sys/kernel/debug/kprobes/enabled";
	if (!access("/sys/bus/event_source/devices/kprobe/type", F_OK) ||
	    !access("/sys/kernel/tracing/kprobe_events", F_OK) ||
	    !access("/sys/kernel/debug/tracing/kprobe_events", F_OK))
		return NULL;
	return "this kernel has no kprobes (CONFIG_KPROBE_EVENTS)";
}

const char *kernel_no_fentry(void)
{
	if (says_zero("/proc/sys/kernel/ftrace_enabled"))
		return "ftrace is disabled, and fentry with it: sysctl kernel.ftrace_enabled=1";
	return NULL;
}

/* Returns 0, or the errno with which even "return 0" is refused. */
static int try_to_load(enum bpf_prog_type type)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int fd;

	if (type == BPF_PROG_TYPE_TRACING) {
		if (!vmlinux_btf())
			return ENOENT;
		opts.expected_attach_type = BPF_TRACE_FENTRY;
		fd = btf__find_by_name_kind(vmlinux_btf(), "__mmdrop",
					    BTF_KIND_FUNC);
		if (fd < 0)
			return ENOENT;
		opts.attach_btf_id = fd;
	}
	fd = bpf_prog_load(type, "ptelab_try", "GPL", nothing,
			   ARRAY_SIZE(nothing), &opts);
	if (fd < 0)
		return -fd;
	close(fd);
	return 0;
}

const char *kernel_programs(bool *all)
{
	static const struct {
		const char *name;
		enum bpf_prog_type type;
	} kinds[] = {
		{ "fentry", BPF_PROG_TYPE_TRACING },
		{ "kprobe", BPF_PROG_TYPE_KPROBE },
		{ "tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT },
	};
	static char text[256];
	char yes[64] = "", no[160] = "";
	size_t i, y = 0, n = 0;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		int err = try_to_load(kinds[i].type);

		if (!err)
			y += snprintf(yes + y, sizeof(yes) - y, "%s%s",
				      y ? ", " : "", kinds[i].name);
		else
			n += snprintf(no + n, sizeof(no) - n, "%s%s: %s",
				      n ? ", " : "", kinds[i].name,
				      strerror(err));
	}
	snprintf(text, sizeof(text), "BPF programs that load: %s%s%s",
		 y ? yes : "none", n ? "; that don't: " : "", no);
	*all = !n;
	return text;
}
