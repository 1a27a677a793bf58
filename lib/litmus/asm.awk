# SPDX-License-Identifier: GPL-2.0
# asm.awk: a litmus test of this folder, in C with the kernel's primitives, as
# the instructions that Linux makes of them; for herd7 and litmus7.
#
#	awk -v arch=AArch64 -f asm.awk MP+wmb+rmb.litmus
#	awk -v arch=X86_64 -f asm.awk MP+wmb+rmb.litmus
#
# It knows what these files are made of and refuses all else.

function die(what)
{
	printf "%s:%d: %s: %s\n", FILENAME, FNR, what, $0 > "/dev/stderr"
	failed = 1
	exit 2
}

function add(text)
{
	line[proc, ++nr[proc]] = text
}

# The pointer to a variable: a register that the test's initial state sets.
function address(var)
{
	if (arch == "X86_64")
		return "(" var ")"
	if (!((proc, var) in pointer)) {
		pointer[proc, var] = "X" (10 + pointers[proc]++)
		init = init sprintf("%d:%s=%s; ", proc,
				    pointer[proc, var], var)
	}
	return "[" pointer[proc, var] "]"
}

function register(r)
{
	sub(/^r/, "", r)
	if (arch == "X86_64")
		return r == "0" ? "eax" : "ebx"
	return "W" r
}

function store(var, value, release,	from)
{
	if (arch == "X86_64") {
		add("movl $" value "," address(var))
		return
	}
	from = "W" (20 + values[proc]++)
	add("MOV " from ",#" value)
	add((release ? "STLR " : "STR ") from "," address(var))
}

function load(r, var, acquire)
{
	if (arch == "X86_64")
		add("movl " address(var) ",%" register(r))
	else
		add((acquire ? "LDAR " : "LDR ") register(r) "," address(var))
}

function fence(kind)
{
	if (arch == "AArch64")
		add("DMB " domain[kind])
	else if (kind == "mb")
		add("mfence")
}

# "f(*x, 1);" to its arguments
function arguments(text)
{
	sub(/^[^(]*\(/, "", text)
	sub(/\);$/, "", text)
	gsub(/[* ]/, "", text)
	n = split(text, arg, ",")
}

BEGIN {
	if (arch != "AArch64" && arch != "X86_64") {
		print "asm.awk: -v arch=AArch64 or arch=X86_64" > "/dev/stderr"
		failed = 1
		exit 2
	}
	domain["mb"] = "ISH"
	domain["wmb"] = "ISHST"
	domain["rmb"] = "ISHLD"
}

/^C / { name = $2; next }
/^\(\*/ { comment = 1 }
comment { if (/\*\)/) comment = 0; next }
/^{}$/ || /^[{}]$/ || /^$/ || /^\tint r[0-9];$/ { next }
/^P[0-9]\(/ { proc = substr($1, 2, 1) + 0; procs = proc + 1; next }
/^exists / { exists = substr($0, 8); next }
{
	text = $0
	gsub(/^\t+/, "", text)
	if (branch == 1)
		branch = 2
	if (text ~ /^WRITE_ONCE\(/) {
		arguments(text)
		store(arg[1], arg[2], 0)
	} else if (text ~ /^smp_store_release\(/) {
		arguments(text)
		store(arg[1], arg[2], 1)
	} else if (text ~ /^r[0-9] = READ_ONCE\(/) {
		arguments(text)
		load(substr(text, 1, 2), arg[1], 0)
	} else if (text ~ /^r[0-9] = smp_load_acquire\(/) {
		arguments(text)
		load(substr(text, 1, 2), arg[1], 1)
	} else if (text ~ /^smp_[rw]?mb\(\);$/) {
		sub(/^smp_/, "", text)
		sub(/\(\);$/, "", text)
		fence(text)
	} else if (text ~ /^if \(r[0-9]\)$/) {
		r = register(substr(text, 5, 2))
		if (arch == "AArch64") {
			add("CBZ " r ",LC0" proc)
		} else {
			add("cmpl $0,%" r)
			add("je LC0" proc)
		}
		branch = 1
		next
	} else {
		die("not a statement that this knows")
	}
	if (branch == 2) {
		add("LC0" proc ":")
		branch = 0
	}
}

END {
	if (failed)
		exit 2
	print arch " " name
	print "{" (init ? "\n" init "\n" : "") "}"
	for (p = 0; p < procs; p++) {
		width[p] = 2
		if (nr[p] > rows)
			rows = nr[p]
		for (i = 1; i <= nr[p]; i++)
			if (length(line[p, i]) > width[p])
				width[p] = length(line[p, i])
	}
	for (i = 0; i <= rows; i++) {
		text = ""
		for (p = 0; p < procs; p++)
			text = text sprintf("%s %-*s ", p ? "|" : "", width[p],
					    i ? line[p, i] : "P" p)
		print text ";"
	}
	# 1:r0=1 names a register, x=1 a variable
	if (arch == "AArch64")
		exists = rename(exists, ":r0", ":X0", ":r1", ":X1")
	else
		exists = rename(exists, ":r0", ":rax", ":r1", ":rbx")
	gsub(/[(]x=/, "([x]=", exists)
	gsub(/[(]y=/, "([y]=", exists)
	gsub(/ y=/, " [y]=", exists)
	print "exists " exists
}

function rename(text, a, b, c, d)
{
	gsub(a, b, text)
	gsub(c, d, text)
	return text
}
