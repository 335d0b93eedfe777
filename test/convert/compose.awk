# SPDX-License-Identifier: GPL-2.0-or-later
#
# awk -f compose.awk BLOCKS BASE BASE: the driver BASE with the functions, structures and
# tables of BLOCKS in place of its own of the same name, others before the one that they
# precede, or before its table of operations. A block begins and ends in the first column.

function name_of(line)
{
	sub(/ = \{$|\(.*/, "", line)
	sub(/ \{$/, "", line)
	sub(/^.*[ *]/, "", line)
	return line
}

function begins(line)
{
	return line ~ /^[a-z]/ && line !~ /;$/
}

# One that is not in the base, once
function add(name)
{
	if (!(name in base))
		printf "%s\n", block[name]
	base[name] = 1
}

FNR == 1 { file++ }

file == 1 {
	if (!inside && begins($0)) {
		inside = 1
		name = name_of($0)
		order[++blocks] = name
	}
	if (inside)
		block[name] = block[name] $0 "\n"
	else
		loose = loose $0 "\n"
	if (/^\}/)
		inside = 0
	next
}

file == 2 {
	if (begins($0))
		base[name_of($0)] = 1
	next
}

begins($0) {
	name = name_of($0)
	if (name ~ /_(fops|drm)$/) {
		printf "%s", loose
		for (i = blocks; i && !(order[i] in base); i--)
			;
		while (++i <= blocks)
			add(order[i])
	}
	if (name in block) {
		for (i = 1; order[i] != name; i++)
			add(order[i])
		printf "%s", block[name]
		skip = 1
	}
}

!skip { print }

/^\}/ { skip = 0 }
