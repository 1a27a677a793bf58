// SPDX-License-Identifier: GPL-2.0
/* See symbols.h. */
#include "lib/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/elf_facts.h"
#include "lib/util.h"

struct symbols {
	struct symbol *v;
	size_t nr;
	bool sorted;
	struct symbols_image *images;
	size_t nr_images;
};

struct symbols *symbols_new(void)
{
	return xcalloc(1, sizeof(struct symbols));
}

void symbols_free(struct symbols *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->nr; i++)
		free(s->v[i].name);
	for (i = 0; i < s->nr_images; i++) {
		free(s->images[i].file);
		free(s->images[i].build_id);
	}
	free(s->images);
	free(s->v);
	free(s);
}

static void add(struct symbols *s, uint64_t start, uint64_t end,
		const char *name, size_t len)
{
	/* mapping symbols, and local labels of the assembler */
	if (!len || name[0] == '$' || !strncmp(name, ".L", 2))
		return;
	s->v = grow(s->v, s->nr, sizeof(*s->v));
	s->v[s->nr++] = (struct symbol){ start, end, xstrndup(name, len) };
	s->sorted = false;
}

int symbols_add_map(struct symbols *s, const char *path)
{
	char *text = read_file(path, NULL), *line, *end;
	size_t before = s->nr;

	if (!text)
		return -errno;
	for (line = text; *line; line = *end ? end + 1 : end) {
		uint64_t address;
		char *p;

		end = strchrnul(line, '\n');
		address = strtoull(line, &p, 16);
		if (p == line || *p != ' ' || !strchr("tTwW", p[1]) ||
		    p[2] != ' ' || !address)
			continue;
		p += 3;
		/* a module's name follows in /proc/kallsyms */
		add(s, address, 0, p, strcspn(p, "\t\n"));
	}
	free(text);
	if (s->nr == before)
		return fail(EINVAL, "%s: no functions; addresses are hidden unless you are root, or this is not a symbol map",
			    path);
	return 0;
}

static size_t text_section(Elf *elf)
{
	Elf_Scn *scn = NULL;
	size_t names;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &names))
		return 0;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;

		if (!gelf_getshdr(scn, &sh))
			continue;
		name = elf_strptr(elf, names, sh.sh_name);
		if (name && !strcmp(name, ".text"))
			return elf_ndxscn(scn);
	}
	return 0;
}

static void add_table(struct symbols *s, Elf *elf, Elf_Scn *scn,
		      const GElf_Shdr *sh, uint64_t base, size_t section)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t i, nr = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;
	GElf_Sym sym;

	for (i = 0; data && i < nr; i++) {
		const char *name;

		if (!gelf_getsym(data, i, &sym) ||
		    GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    sym.st_shndx == SHN_UNDEF ||
		    (section && sym.st_shndx != section))
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		if (name)
			add(s, base + sym.st_value,
			    sym.st_size ? base + sym.st_value + sym.st_size : 0,
			    name, strlen(name));
	}
}

static int add_image(struct symbols *s, const char *path, uint64_t text)
{
	const char *slash = strrchr(path, '/');
	struct elf_facts f;
	int ret = elf_facts(path, &f);

	if (ret)
		return ret;
	s->images = grow(s->images, s->nr_images, sizeof(*s->images));
	s->images[s->nr_images++] = (struct symbols_image){
		.file = xstrdup(slash ? slash + 1 : path),
		.start = f.module ? text : f.start,
		.size = f.size,
		.build_id = xstrdup(f.build_id),
	};
	return 0;
}

const struct symbols_image *symbols_images(const struct symbols *s, size_t *nr)
{
	*nr = s->nr_images;
	return s->images;
}

int symbols_add_elf(struct symbols *s, const char *path, uint64_t text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;
	Elf_Scn *scn = NULL;
	GElf_Ehdr eh;
	GElf_Shdr sh;
	Elf *elf;

	if (fd < 0)
		return fail(errno, "%s: %s", path, strerror(errno));
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || !gelf_getehdr(elf, &eh)) {
		ret = fail(EINVAL, "%s: not an ELF file", path);
	} else {
		bool module = eh.e_type == ET_REL;
		size_t section = module ? text_section(elf) : 0;

		while ((scn = elf_nextscn(elf, scn)))
			if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
				add_table(s, elf, scn, &sh, module ? text : 0,
					  section);
	}
	elf_end(elf);
	close(fd);
	return ret ? ret : add_image(s, path, text);
}

/* If an address has several names, keep the shortest, and then the first. */
static int order(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	size_t n, m;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	n = strlen(x->name);
	m = strlen(y->name);
	return n != m ? (n < m ? -1 : 1) : strcmp(x->name, y->name);
}

/*
 * A symbol without a size ends where the next one starts; if that is further
 * away than this, after 4096 bytes.
 */
#define MOST_BYTES	(1 << 20)

static void sort(struct symbols *s)
{
	size_t i, n = 0;

	if (s->sorted || !s->nr)
		return;
	qsort(s->v, s->nr, sizeof(*s->v), order);
	for (i = 0; i < s->nr; i++) {
		if (n && s->v[n - 1].start == s->v[i].start)
			free(s->v[i].name);
		else
			s->v[n++] = s->v[i];
	}
	s->nr = n;
	for (i = 0; i < s->nr; i++) {
		uint64_t next = i + 1 < s->nr ? s->v[i + 1].start : UINT64_MAX;

		if (!s->v[i].end && next - s->v[i].start > MOST_BYTES)
			s->v[i].end = s->v[i].start + 4096;
		else if (!s->v[i].end || s->v[i].end > next)
			s->v[i].end = next;
	}
	s->sorted = true;
}

const struct symbol *symbols_find(struct symbols *s, uint64_t address)
{
	size_t lo = 0, hi;

	sort(s);
	hi = s->nr;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (s->v[mid].start <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || address >= s->v[lo - 1].end)
		return NULL;
	return &s->v[lo - 1];
}
