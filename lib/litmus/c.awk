# SPDX-License-Identifier: GPL-2.0
# c.awk: the litmus tests of this folder as C functions and a table of them.
#
#	awk -f c.awk *.litmus > litmus_tests.h
#
# The body of each process is taken over as it stands, so what runs is what
# herd7 judges. Who includes the header has defined the kernel's primitives,
# struct litmus_loop, LITMUS_VAR(loop, variable, iteration),
# LITMUS_SYNC(loop, iteration) and LITMUS_CHOICES, if he wants the names of
# the barriers of each shape too; struct litmus_test is in litmus_test.h.

function die(what)
{
	printf "%s:%d: %s: %s\n", FILENAME, FNR, what, $0 > "/dev/stderr"
	failed = 1
	exit 2
}

# The number of a variable, in the order in which they are first named
function variable(v)
{
	if (!((tests, v) in var_nr))
		var_nr[tests, v] = vars++
	return var_nr[tests, v]
}

# "1:r0=1 /\ x=2": what is observed, and which of the states it is
function condition(text,	term, n, i, what, at)
{
	gsub(/[() ]/, "", text)
	n = split(text, term, "/\\\\")
	if (n > 4)
		die("more than 4 things to observe")
	target = 0
	observed = ""
	for (i = 1; i <= n; i++) {
		split(term[i], what, "=")
		if (what[2] !~ /^[0-3]$/)
			die("a value is not 0 to 3")
		target += what[2] * 4 ^ (i - 1)
		if (what[1] ~ /^[0-9]:r[0-9]$/) {
			split(what[1], at, ":r")
			if (!((tests, at[1], at[2]) in reg))
				die("no such register")
			observed = observed sprintf("{ \"%s\", %d, %d }, ",
						    what[1], at[1], at[2])
		} else {
			observed = observed sprintf("{ \"[%s]\", -1, %d }, ",
						    what[1], variable(what[1]))
		}
	}
	nr_observed = n
}

function verdict(text)
{
	if (text != "Never" && text != "Sometimes")
		die("neither Never nor Sometimes")
	return "VERDICT_" toupper(text)
}

function end_test(	i, threads)
{
	if (!tests)
		return
	shape = name
	sub(/\+(po|wmb|rmb|mb|rel|acq|ctrl|relacq)\+[a-z]+$/, "", shape)
	barriers = substr(name, length(shape) + 2)
	shape = tolower(shape)
	for (i = 0; i < procs; i++)
		threads = threads sprintf("litmus_%s_%d, ", id, i)
	row[tests] = sprintf("\t{ \"%s\", \"%s\", \"%s\", %d, %d,\n" \
		"\t  { %s },\n\t  %d, { %s}, %d, \"%s\",\n\t  { %s} },\n",
		name, shape, barriers ? barriers : "none", procs, vars,
		verdicts["Result"] ", " verdicts["AArch64"] ", " \
		verdicts["X86_64"], nr_observed, observed, target,
		quoted, threads)
	if (!(shape in choices))
		shapes[++nr_shapes] = shape
	if (barriers)
		choices[shape] = choices[shape] "\"" barriers "\", "
	else
		choices[shape] = "\"none\", " choices[shape]
}

BEGIN {
	print "/* Made by c.awk of the litmus tests in lib/litmus. */"
}

FNR == 1 {
	end_test()
	if ($1 != "C")
		die("no litmus test in C")
	id = name = $2
	gsub(/\+/, "_", id)
	file = FILENAME
	sub(/.*\//, "", file)
	if (file != name ".litmus")
		die("a test has the name of its file")
	tests++
	vars = procs = comment = 0
	split("", verdicts)
	next
}
/^\(\*/ { comment = 1 }
comment {
	if ($2 ~ /^(Result|AArch64|X86_64):$/)
		verdicts[substr($2, 1, length($2) - 1)] = verdict($3)
	if (/\*\)/)
		comment = 0
	next
}
/^{}$/ || /^$/ { next }
/^P[0-9]\(/ {
	printf "\nstatic void litmus_%s_%d(struct litmus_loop *l)\n{\n", id,
		procs
	print "\tunsigned int i;\n"
	# a compiler would make one function of two tests that share a process
	printf "\tasm volatile(\"/* %s P%d */\");\n", name, procs
	print "\tfor (i = 0; i < l->n; i++) {"
	args = $0
	gsub(/^P[0-9]\(|int|[*,)]/, " ", args)
	n = split(args, arg, " ")
	for (i = 1; i <= n; i++)
		printf "\t\tint *%s = LITMUS_VAR(l, %d, i);\n", arg[i],
			variable(arg[i])
	out = ""
	started = 0
	next
}
/^{$/ { next }
/^\tint r[01];$/ {
	r = substr($2, 2, 1) + 0
	reg[tests, procs, r] = 1
	# what herd7 takes a register for that nothing is loaded into
	printf "\t\tint r%d = 0;\n", r
	out = out (out ? " | " : "") "r" r (r ? " << 2" : "")
	next
}
/^}$/ {
	print "\t\tl->out[i] = " (out ? out : 0) ";\n\t}\n}"
	procs++
	next
}
/^exists / {
	condition(substr($0, 8))
	# each backslash twice, as C wants it
	n = split(substr($0, 8), arg, "\\")
	quoted = arg[1]
	for (i = 2; i <= n; i++)
		quoted = quoted "\\\\" arg[i]
	next
}
/^\t/ {
	if (!started++)
		print "\n\t\tLITMUS_SYNC(l, i);"
	print "\t" $0
	next
}
{ die("not a line that this knows") }

END {
	if (failed)
		exit 2
	end_test()
	print ""
	print "#ifdef LITMUS_CHOICES"
	for (i = 1; i <= nr_shapes; i++) {
		c = shapes[i]
		gsub(/\+/, "_", c)
		printf "const char *const litmus_choices_%s[] = {\n\t%sNULL\n};\n",
			c, choices[shapes[i]]
	}
	print "#endif"
	print "\nstatic const struct litmus_test litmus_table[] = {"
	for (i = 1; i <= tests; i++)
		printf "%s", row[i]
	print "};"
}
