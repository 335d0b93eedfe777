# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Numbers and sums of TAP, for tests whose lines come from several shells. To be sourced.

tap_passed=0 tap_failed=0 tap_skipped=0

# tap_line LINE: print it; "ok - NAME" and "not ok - NAME" are counted, and get their number.
tap_line()
{
	case $1 in
	'ok - '*' # SKIP'*) tap_skipped=$((tap_skipped + 1)) ;;
	'ok - '*) tap_passed=$((tap_passed + 1)) ;;
	'not ok - '*) tap_failed=$((tap_failed + 1)) ;;
	*)
		printf '%s\n' "$1"
		return
		;;
	esac
	printf '%s %d - %s\n' "${1%% - *}" "$(tap_count)" "${1#* - }"
}

tap_count()
{
	echo $((tap_passed + tap_failed + tap_skipped))
}

# The last line; fails if one of the tests did.
tap_end()
{
	echo "$tap_passed passed, $tap_failed failed, $tap_skipped skipped"
	[[ $tap_failed -eq 0 ]]
}
