// SPDX-License-Identifier: GPL-2.0
/* See elf_facts.h. */
#include "lib/elf_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/util.h"

static void take_notes(Elf_Scn *scn, struct elf_facts *f)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t at = 0, name, desc, i;
	GElf_Nhdr n;

	while (data && (at = gelf_getnote(data, at, &n, &name, &desc))) {
		const char *bytes = data->d_buf;

		if (n.n_type != NT_GNU_BUILD_ID || n.n_namesz != 4 ||
		    memcmp(bytes + name, "GNU", 4) || n.n_descsz > 20)
			continue;
		for (i = 0; i < n.n_descsz; i++)
			sprintf(f->build_id + 2 * i, "%02x",
				(unsigned char)bytes[desc + i]);
	}
}

static void take_text(const GElf_Shdr *sh, const char *name,
		      struct elf_facts *f)
{
	if (!f->module || !name || strcmp(name, ".text"))
		return;
	f->size = sh->sh_size;
	f->offset = sh->sh_offset;
}

static void take_segments(Elf *elf, struct elf_facts *f)
{
	uint64_t end = 0;
	size_t nr, i;
	GElf_Phdr ph;

	if (f->module || elf_getphdrnum(elf, &nr))
		return;
	for (i = 0; i < nr; i++) {
		if (!gelf_getphdr(elf, i, &ph) || ph.p_type != PT_LOAD ||
		    !(ph.p_flags & PF_X))
			continue;
		if (!end) {
			f->start = ph.p_vaddr;
			f->offset = ph.p_offset;
		}
		end = ph.p_vaddr + ph.p_memsz;
	}
	f->size = end - f->start;
}

static Elf *open_elf(const char *path, int *fd)
{
	GElf_Ehdr eh;
	Elf *elf;

	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return fail_null(errno, "%s: %s", path, strerror(errno));
	elf_version(EV_CURRENT);
	elf = elf_begin(*fd, ELF_C_READ, NULL);
	if (elf && gelf_getehdr(elf, &eh))
		return elf;
	elf_end(elf);
	close(*fd);
	return fail_null(EINVAL, "%s: not an ELF file", path);
}

int elf_facts(const char *path, struct elf_facts *f)
{
	Elf_Scn *scn = NULL;
	size_t names = 0;
	GElf_Ehdr eh;
	GElf_Shdr sh;
	Elf *elf;
	int fd;

	memset(f, 0, sizeof(*f));
	elf = open_elf(path, &fd);
	if (!elf)
		return -errno;
	gelf_getehdr(elf, &eh);
	f->module = eh.e_type == ET_REL;
	elf_getshdrstrndx(elf, &names);
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &sh))
			continue;
		if (sh.sh_type == SHT_NOTE)
			take_notes(scn, f);
		take_text(&sh, elf_strptr(elf, names, sh.sh_name), f);
	}
	take_segments(elf, f);
	elf_end(elf);
	close(fd);
	return 0;
}

static void take_addresses(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh,
			   json_t *functions)
{
	size_t i, nr = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;
	Elf_Data *data = elf_getdata(scn, NULL);
	GElf_Sym sym;

	for (i = 0; data && i < nr; i++) {
		const char *name;

		if (!gelf_getsym(data, i, &sym) ||
		    GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    sym.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		if (name && json_object_get(functions, name))
			json_object_set_new(functions, name,
					    json_integer(sym.st_value));
	}
}

void elf_addresses(const char *path, json_t *functions)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	Elf *elf;
	int fd;

	elf = open_elf(path, &fd);
	if (!elf)
		return;
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			take_addresses(elf, scn, &sh, functions);
	elf_end(elf);
	close(fd);
}
