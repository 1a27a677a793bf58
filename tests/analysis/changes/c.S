/* SPDX-License-Identifier: GPL-2.0 */
	.text
	.globl	with_size
	.type	with_size, %function
with_size:
	ldr	x0, =shared_counter
	ldr	w0, [x0]
#ifdef CHANGE_ASM
	add	w0, w0, #1
#endif
	ret
	.ltorg
	.size	with_size, . - with_size

	/* no type and no size, as old assembly has it */
	.globl	without_size
without_size:
	cbz	x0, 1f
	b	with_size
#ifdef CHANGE_ASM_LABEL
	nop
#endif
1:	ret
