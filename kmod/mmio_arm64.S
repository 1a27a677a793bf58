/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Blocks of groups of stores, as straight-line code: offsets are in the
 * instructions, values in registers, and three instructions (two, where the
 * address stays) go round a block, five more round a window. So what is counted
 * is the stores. User space makes such code at run time, which a module can't.
 *
 * A block has 64 stores at least, and 4 groups at least.
 */
#include <linux/linkage.h>

#define BASE	x0
#define OTHER	x1
#define BLOCKS	x2
#define WRAP	x3
#define LEFT	x14	/* blocks, up to where it begins again */
#define AT	x15
#define BACK	x16	/* what was read back */

/* By enum ptelab_mmio_flush */
#define BARRIER		1
#define DGH		2
#define READBACK	3

/*
 * void ptelab_mmio_block(u8 __iomem *base, u8 __iomem *other, u64 blocks,
 *			  u64 wrap, const u64 *data, u32 code)
 *
 * @code: from ptelab_mmio_blocks. Those of streams go on from @base, from @base
 * again after @wrap blocks; the others' even and odd groups go to @base and
 * @other. @data: 64 bytes, of which store number n takes the low end of word
 * n % 8.
 */
SYM_FUNC_START(ptelab_mmio_block)
	adr	x16, ptelab_mmio_block
	add	x16, x16, w5, uxtw
	ldp	x6, x7, [x4]
	ldp	x8, x9, [x4, #16]
	ldp	x10, x11, [x4, #32]
	ldp	x12, x13, [x4, #48]
	br	x16
SYM_FUNC_END(ptelab_mmio_block)

/* Register @reg at [@base, #at], and at moves on. */
.macro store width, reg, base
	.if \width == 1
	strb	w\reg, [\base, #at]
	.elseif \width == 2
	strh	w\reg, [\base, #at]
	.elseif \width == 4
	str	w\reg, [\base, #at]
	.else
	str	x\reg, [\base, #at]
	.endif
	.set	at, at + \width
.endm

.macro group width, stores, base
	.if \stores < 8
	store	\width, 6, \base
	.if \stores > 1
	store	\width, 7, \base
	.endif
	.if \stores > 2
	store	\width, 8, \base
	store	\width, 9, \base
	.endif
	.else
	.rept	\stores / 8
	.irp	reg, 6, 7, 8, 9, 10, 11, 12, 13
	store	\width, \reg, \base
	.endr
	.endr
	.endif
.endm

/*
 * After a group, the first byte of which was at [@base, #from]: wmb(),
 * io_stop_wc(), or a load, on whose value the next group's address depends: or
 * it would be overtaken.
 */
.macro after flush, width, stores, base, next
	.if \flush == BARRIER
	dsb	st
	.elseif \flush == DGH
	hint	#6
	.elseif \flush == READBACK
	.if \width == 8
	ldr	BACK, [\base, #from]
	.elseif \width * \stores >= 4
	ldr	w16, [\base, #from]
	.else
	ldrb	w16, [\base, #from]
	.endif
	eor	BACK, BACK, BACK
	add	\next, \next, BACK
	.endif
.endm

/* An indirect branch may come here (BTI c). */
.macro begin
	.balign	64
	hint	#34
.endm

.macro stream width, stores, groups, flush
	begin
2:	cmp	BLOCKS, WRAP
	csel	LEFT, BLOCKS, WRAP, lo
	sub	BLOCKS, BLOCKS, LEFT
	mov	AT, BASE
	.set	at, 0
1:	.rept	\groups
	.set	from, at
	group	\width, \stores, AT
	after	\flush, \width, \stores, AT, AT
	.endr
	add	AT, AT, #at
	subs	LEFT, LEFT, #1
	b.ne	1b
	cbnz	BLOCKS, 2b
	ret
.endm

/* Groups by turns in two places, which may be the same one */
.macro turns width, stores, groups, flush
	begin
	.set	from, 0
1:	.rept	\groups / 2
	.set	at, 0
	group	\width, \stores, BASE
	after	\flush, \width, \stores, BASE, OTHER
	.set	at, 0
	group	\width, \stores, OTHER
	after	\flush, \width, \stores, OTHER, BASE
	.endr
	subs	BLOCKS, BLOCKS, #1
	b.ne	1b
	ret
.endm

/*
 * struct ptelab_mmio_block, and its code. The .text that is named is where this
 * file's functions are, so the difference is known here.
 */
.macro row kind, width, stores, groups
	.pushsection .rodata
	.long	\groups
	.popsection
	.irp	flush, 0, 1, 2, 3
	.pushsection .rodata
	.long	3f - ptelab_mmio_block
	.popsection
	.balign	64
3:	\kind	\width, \stores, \groups, \flush
	.endr
.endm

.macro none rows
	.pushsection .rodata
	.skip	\rows * 20
	.popsection
.endm

/* Of up to 64 stores */
.macro small kind, width
	row	\kind, \width, 1, 64
	row	\kind, \width, 2, 32
	row	\kind, \width, 4, 16
	row	\kind, \width, 8, 8
	row	\kind, \width, 16, 4
	row	\kind, \width, 32, 4
	row	\kind, \width, 64, 4
.endm

	.pushsection .rodata
	.balign	8
SYM_DATA_START(ptelab_mmio_blocks)
	.popsection
	.irp	width, 1, 2, 4
	small	stream, \width
	none	3
	.endr
	small	stream, 8
	row	stream, 8, 128, 4
	row	stream, 8, 256, 4
	/* Offsets reach just so far. */
	row	stream, 8, 512, 8
	.irp	width, 1, 2, 4, 8
	small	turns, \width
	none	3
	.endr
	.pushsection .rodata
SYM_DATA_END(ptelab_mmio_blocks)
	.popsection
