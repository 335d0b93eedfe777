# SPDX-License-Identifier: GPL-2.0-or-later
#
# C without comments and without what is in strings, line by line

{
	out = ""; rest = $0
	while (rest != "") {
		if (inside) {
			end = index(rest, "*/")
			if (!end) break
			rest = substr(rest, end + 2); inside = 0
		} else if (match(rest, /"([^"\\]|\\.)*"|\047([^\047\\]|\\[^\047]*.)\047|\/\*|\/\//)) {
			out = out substr(rest, 1, RSTART - 1)
			token = substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
			if (token == "//") break
			if (token == "/*") inside = 1; else out = out "\"\""
		} else {
			out = out rest; rest = ""
		}
	}
	print out
}
