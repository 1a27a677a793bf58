// SPDX-License-Identifier: GPL-2.0
/* See kbtf.h. The format: Documentation/bpf/btf.rst. */
#include "bench/kit/kbtf.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "lib/util.h"

/* Newer than some systems' linux/btf.h. */
enum { KIND_FLOAT = 16, KIND_DECL_TAG, KIND_TYPE_TAG, KIND_ENUM64 };

struct btf_view {
	const char *types, *types_end;
	const char *strings;
	size_t strings_len;
};

static int open_view(const void *btf, size_t len, struct btf_view *v)
{
	struct btf_header h;

	if (len < sizeof(h))
		return -EINVAL;
	memcpy(&h, btf, sizeof(h));
	if (h.magic != BTF_MAGIC || h.hdr_len < sizeof(h) || h.hdr_len > len)
		return -EINVAL;
	len -= h.hdr_len;
	if (h.type_off > len || h.type_len > len - h.type_off ||
	    h.str_off > len || h.str_len > len - h.str_off || !h.str_len)
		return -EINVAL;
	v->types = (const char *)btf + h.hdr_len + h.type_off;
	v->types_end = v->types + h.type_len;
	v->strings = (const char *)btf + h.hdr_len + h.str_off;
	v->strings_len = h.str_len;
	/* Every name ends within the section. */
	return v->strings[v->strings_len - 1] ? -EINVAL : 0;
}

/* Returns the offset of a whole string, or that of the empty string, 0. */
static size_t find_string(const struct btf_view *v, const char *name)
{
	size_t n = strlen(name) + 1;
	const char *at = v->strings + 1, *end = v->strings + v->strings_len;

	while (at < end) {
		at = memmem(at, end - at, name, n);
		if (!at)
			return 0;
		if (!at[-1])
			return at - v->strings;
		at++;
	}
	return 0;
}

/* Returns the bytes behind the struct btf_type; -EINVAL for an unknown kind. */
static int tail_bytes(unsigned int kind, unsigned int vlen)
{
	switch (kind) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case KIND_FLOAT:
	case KIND_TYPE_TAG:
		return 0;
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_ENUM:
		return vlen * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return vlen * sizeof(struct btf_param);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case KIND_ENUM64:
		return vlen * 12;
	}
	return -EINVAL;
}

int kbtf_enum_in(const void *btf, size_t len, const char *name, int64_t *value)
{
	struct btf_type t;
	struct btf_view v;
	const char *at;
	uint32_t want;
	int ret;

	ret = open_view(btf, len, &v);
	if (ret)
		return ret;
	want = find_string(&v, name);
	if (!want)
		return -ENOENT;
	for (at = v.types; at + sizeof(t) <= v.types_end;) {
		unsigned int kind, vlen, each, i;
		int tail;

		memcpy(&t, at, sizeof(t));
		at += sizeof(t);
		kind = t.info >> 24 & 0x1f;
		vlen = BTF_INFO_VLEN(t.info);
		tail = tail_bytes(kind, vlen);
		if (tail < 0 || tail > v.types_end - at)
			return -EINVAL;
		each = kind == BTF_KIND_ENUM ? 8 : kind == KIND_ENUM64 ? 12 : 0;
		for (i = 0; each && i < vlen; i++) {
			uint32_t word[3] = { 0 };

			memcpy(word, at + i * each, each);
			if (word[0] != want)
				continue;
			*value = kind == BTF_KIND_ENUM ? (int32_t)word[1] :
				(int64_t)((uint64_t)word[2] << 32 | word[1]);
			return 0;
		}
		at += tail;
	}
	return -ENOENT;
}

int kbtf_has_in(const void *btf, size_t len, const char *name)
{
	struct btf_view v;
	int ret = open_view(btf, len, &v);

	return ret ? ret : find_string(&v, name) != 0;
}

/* Reads the kernel's BTF once; it can't change while this program runs. */
static const char *kernel_btf(size_t *len)
{
	static char *btf;
	static size_t btf_len;
	static int error;

	if (!btf && !error) {
		btf = read_file("/sys/kernel/btf/vmlinux", &btf_len);
		error = btf ? 0 : errno;
	}
	*len = btf_len;
	errno = error;
	return btf;
}

int kbtf_enum(const char *name, int64_t *value)
{
	size_t len;
	const char *btf = kernel_btf(&len);

	return btf ? kbtf_enum_in(btf, len, name, value) : -errno;
}

int kbtf_has(const char *name)
{
	size_t len;
	const char *btf = kernel_btf(&len);

	return btf ? kbtf_has_in(btf, len, name) : -errno;
}
