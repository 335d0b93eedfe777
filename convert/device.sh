# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What convert/misc and convert/cdev have in common: to be sourced after $kind (misc or
# cdev), $embedded (the struct that becomes a struct unplug_dev) and the array $foreign
# (what must be left of nothing afterwards: PATTERN, reason, PATTERN, reason, …) are set.
#
# Works on a copy: the driver stays as it is until all is known to be right. Exit status: 0
# converted, 1 left alone, with every reason, 2 usage.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
reasons=() notes=() tmp=
declare -A bare			# of each file
FREE='\<(devm_)?(k|kv|kz|v)free(_\w+)?\>'

say()
{
	printf '%s: %s\n' "$driver" "$*" >&2
}

# code FILE: without comments and what is in strings, line by line
code()
{
	awk -f "$here/code.awk" "$1"
}

# has PATTERN: in the code of any file; sets $where to FILE:LINE
has()
{
	local file line

	for file in "${files[@]}"; do
		line=$(grep -nE -m 1 -- "$1" <<<"${bare[$file]}") || continue
		where=${file##*/}:${line%%:*}
		return 0
	done
	return 1
}

refuse_if()
{
	! has "$1" || reasons+=("$where: $2")
}

# refuse_calls PATTERN BUT REASON: of functions and macros whose name is like PATTERN, not BUT
refuse_calls()
{
	local file line

	for file in "${files[@]}"; do
		line=$(awk -v pattern="$1" -v but="$2" '{
			rest = $0
			while (match(rest, /[A-Za-z_0-9]+ *\(/)) {
				name = substr(rest, RSTART, RLENGTH - 1)
				rest = substr(rest, RSTART + RLENGTH)
				sub(/ *$/, "", name)
				if (name ~ pattern && name !~ but) { print NR; exit }
			}
		}' <<<"${bare[$file]}")
		[[ -z $line ]] || reasons+=("${file##*/}:$line: $3")
	done
}

# Every reason there is, or nothing
refuse_or_go_on()
{
	local reason

	[[ ${#reasons[@]} -gt 0 ]] || return 0
	for reason in "${reasons[@]}"; do
		say "left alone: $reason"
	done
	exit 1
}

# What no patch can decide
look_before()
{
	has "\\<struct $embedded +\\w+;" || reasons+=("no struct $embedded in a structure of the driver: one that is static, or only pointed to, has nothing that could go with the device; by hand: see drivers/null")
	has '\.(remove|remove_new|disconnect)\s*=\s*\w+' ||
		reasons+=("it has no ->remove or ->disconnect: nothing can be pulled")
	refuse_calls '^wait_for_completion' '_timeout' \
		"an operation may sleep here when the device is pulled, and nobody wakes it: give it a time limit, or use wait_event_interruptible()"
	refuse_calls '^(io_|freezable_)?schedule$|^schedule_hrtimeout|^_*((s|rcu)?wait_event|wait_(on|var)_|wait_woken|add_wait_queue|prepare_to_.*wait|down(_interruptible|_killable|_timeout)?$|sleep_on|dma_(fence|resv)_wait)' \
		'_timeout(_|$)|^wait_event_interruptible$' \
		"it sleeps in a way that the patch cannot wake: use wait_event_interruptible()"
	refuse_if '\<(MAX_SCHEDULE_TIMEOUT|U?LONG_MAX|MAX_JIFFY_OFFSET)\>' "a wait without a limit: use wait_event_interruptible()"
	refuse_if '\<kref_(init|get|put)\(' \
		"it counts references of its structure itself; by hand: the core does, see unplug_dev_get()"
	refuse_if '\<(device_lock(_interruptible)?|device_release_driver|usb_lock_device(_for_reset)?|pci_lock_rescan_remove|acpi_scan_lock_acquire)\(' \
		"operations that want the lock that ->remove is called under would wait for each other"
	refuse_if $'\r' "a carriage return: make its lines end as others do"
	refuse_if '\<i(minor|major)\(|\<i_rdev\>|\<M(INOR|AJOR)\(inode' \
		"it finds its device by the minor number, which is the core's: use unplug_dev_from_file()"
	! has '\<wait_event_interruptible\(' ||
		refuse_if '\<kthread_\w+\(|\<kernel_thread\(|\<INIT_(DELAYED_|DEFERRABLE_)?WORK\w*\(' \
			"what it starts itself may wait, before the device is registered and while it is pulled: wait_event_interruptible() is for operations here"
	refuse_if '(->|\.)f_(op|mapping) *=[^=]|\<replace_fops\(' "it takes its files away from the gate"
	refuse_if '\.(check_flags|uring_cmd|mmap_supported_flags)\s*=|\<ki_complete\>|\<EIOCBQUEUED\>' \
		"it has operations that the gate does not see the end of"
	refuse_if '\<(device_create_file|sysfs_create_(file|group)s?|dev_groups)\>.*(this_device|devt)' \
		"it has attributes at its node's device"
}

look_at_frees()
{
	refuse_if '[(,= ]k[vz]?free *[;,)]' \
		"it frees by a pointer to kfree(): of what, is not known here"
	refuse_if "$FREE *\\((.*,)? *\\(|$FREE *\\(.*\\<(driver|platform)_data\\>" \
		"it frees its structure, or what may be it, by a cast or by what a device has: use a variable of its type"
	refuse_if "^[ 	]*#[ 	]*define\\>.*$FREE|$FREE.*\\\\\$" \
		"a macro that frees: of what, is not known here"
	refuse_if '\<call_rcu\w*\(' \
		"what is freed there must not sleep, and the core's put may"
}

look_at_mmap()
{
	populates=
	has '\.mmap\s*=\s*\w+' || return 0
	refuse_if '\<(vm_insert_pages?|vm_map_pages(_zero)?|vmf_insert_mixed\w*|vm_insert_mixed|remap_vmalloc_range(_partial)?|dma_mmap_pages)\(' \
		"the gate refuses mappings of pages that users could pin"
	refuse_if '\<(vm_operations_struct|vm_ops)\>' \
		"faults have to insert in hardware sections; by hand: see include/unplug/mmap.h"
	refuse_if '\<unmap_mapping_range\(|\<zap_' \
		"it takes mappings back itself: that is the core's"
	if has '\<(io_)?remap_pfn_range\(|\<vm_iomap_memory\(|\<dma_mmap_(coherent|attrs|wc|writecombine)\('; then
		populates=1
		notes+=("$where: what ->mmap maps has to stay valid until ->remove; look at the conditions of 'populates' in include/unplug/device.h")
	else
		has '\.mmap\s*=\s*\w+'
		reasons+=("$where: how it maps is not known here")
	fi
}

# The line in the driver of line $2 in the converted copy of its file $1, or about it
line_before()
{
	local text line

	text=$(sed -n "$2p" "$tmp/$1")
	line=$(grep -nxF -- "$text" "$tmp/before/$1" | head -n 1 | cut -d: -f1) || true
	printf '%s:%s' "$1" "${line:-?}"
}

# The line $1 of file $2
line_of()
{
	printf '%s:%s' "${2##*/}" "$(grep -nxF -- "$1" "$2" | head -n 1 | cut -d: -f1)"
}

# left PATTERN REASON: some converted file still has it
left()
{
	local file line

	for file in "${copies[@]}"; do
		while IFS=: read -r line _; do
			reasons+=("$(line_before "${file#"$tmp"/}" "$line"): $2")
		done < <(code "$file" | grep -nE -- "$1" || true)
	done
}

# marked FOLDER MARKER REASON: where the copy in FOLDER has unplug_cannot_MARKER() and the
# driver what it stands for
marked()
{
	local file line

	for file in "${files[@]}"; do
		file=${file##*/}
		while read -r line; do
			reasons+=("$file:$line: $3")
		done < <(diff -U0 "$tmp/before/$file" "$1/$file" | awk -v marker="unplug_cannot_$2" '
			/^@@/ { split(substr($2, 2), at, ","); n = at[2] == "" ? 1 : at[2]; i = 0; next }
			/^\+\+\+/ { next }
			/^\+/ {
				if (index($0, marker)) print at[1] + (i < n ? i : n > 0 ? n - 1 : 0)
				i++
			}' | sort -un)
	done
}

# What takes the flow of control, or types, to see it
look_closely()
{
	local file line

	for file in "${copies[@]}"; do
		line=$(spatch --parse-c "$file" 2>&1 | sed -n 's/^BAD:!!!!! //p' | head -n 1)
		[[ -z $line ]] || reasons+=("$(line_of "$line" "$file"): spatch cannot read this, nor the function it stands in")
	done
	mkdir "$tmp/seen"
	cp "$tmp/before"/* "$tmp/seen/"
	apply refuse "$tmp/seen"/*
	marked "$tmp/seen" return "->remove returns before it took the device away: the unplug is its first statement"
	marked "$tmp/seen" end "->remove does not take it away itself, or not on every way through it"
	marked "$tmp/seen" branch "->remove takes it away under a condition, or more than one"
	marked "$tmp/seen" other "->remove gets its structure otherwise than once, by a declaration or its first statement"
	marked "$tmp/seen" early "it waits here before the device is registered, when it looks as if it were pulled"
	marked "$tmp/seen" put "it frees its structure, or what may be it, otherwise than by kfree() of a variable of its type: the core has to"
	marked "$tmp/seen" alloc "it allocates its structure in more than one way, or as a part of another"
	marked "$tmp/seen" assign "it overwrites its structure, of which a part is the core's"
	marked "$tmp/seen" loop "it may wait by turns here for what ->remove does behind the wait for it: count the turns, or use wait_event_interruptible()"
	marked "$tmp/seen" tell "what it makes of the result of wait_event_interruptible() does not tell the caller of an error: return it, or an error constant"
	marked "$tmp/seen" delay "something stands between cdev_add() and device_create(), but the core makes the node where cdev_add() is: move it before"
	marked "$tmp/seen" node "it uses what device_create() returned, which the core does not return: see dev.device of struct unplug_dev"
}

look_after()
{
	local i stray member line

	# The field is gone: nothing may name it.
	member=$(sed -nE "s/.*\\<struct $embedded +(\w+);.*/\1/p" "${files[@]}" | sort -u | paste -sd '|')
	left "(->|\\.)($member)\\>|\\<struct \\w+, *($member)\\)" \
		"it uses its struct $embedded in a way not known here"
	for ((i = 0; i < ${#foreign[@]}; i += 2)); do
		left "${foreign[i]}" "${foreign[i + 1]}"
	done
	marked "$tmp" alloc "it allocates its structure in more than one way, or not in ->probe"
	marked "$tmp" wake "it sleeps on a queue outside of its structure, or in an expression: nobody can wake it"
	marked "$tmp" free "release of its node's device does more than kfree(): that belongs in ->gone of struct unplug_driver"
	marked "$tmp" use "it uses the struct device beside its cdev in a way not known here"
	marked "$tmp" poll "poll sleeps on a queue outside of the driver's structure, which release may free"
	left_of_structure
	grep -q '\<struct unplug_driver ' "${copies[@]}" ||
		reasons+=("$driver: its operations are not set where the patch looks for them")
	grep -q '\<unplug_dev_register(' "${copies[@]}" ||
		reasons+=("$driver: it is not registered where its name is set")
	grep -q '\<unplug_dev_alloc(' "${copies[@]}" ||
		reasons+=("$driver: its structure is not allocated by (devm_)kzalloc(sizeof(*p)) in ->probe")
	# Everywhere it is taken away, it is waited for.
	stray=$(awk '/unplug_dev_unplug\(/ {
			do getline next_line; while (next_line ~ /wake_up_all\(/)
			if (next_line !~ /unplug_dev_wait_gone\(/) print FILENAME
		}' \
		"${copies[@]}" | head -n 1)
	if [[ $stray ]]; then
		has '\<(misc_deregister|cdev_del|cdev_device_del)\(' || where=$driver
		reasons+=("$where: it is taken away somewhere else than by ->remove itself, whose first statement gets its structure, and by the function that registers it")
	fi
	line=$(cat "${copies[@]}" | grep -c '^static const struct unplug_driver ') || true
	[[ $line -le 1 ]] || reasons+=("$driver: it has more than one table of file operations for its node")
	line=$(awk '/^struct / { n = 0 } /[ \t*]devt;/ && ++n == 2 { print FILENAME }' "${copies[@]}")
	[[ -z $line ]] || reasons+=("$driver: its structure has a field devt, which is what the patch calls the number")
	grep -q '\<private_data *= ' "${copies[@]}" ||
		left '\<private_data\>' "private_data is not what misc sets it to any more: open has to"
}

# What no patch may have left: seen in the text, whatever spatch made of the code around it
left_of_structure()
{
	local structure names file line table

	structure=$(sed -nE '/^struct \w+ \{/h; /\<struct unplug_dev unplug;/{x; s/^struct (\w+) .*/\1/p}' "${copies[@]}" | head -n 1)
	names=$(sed -nE "s/.*\\<struct $structure \*(\w+).*/\1/p" "${copies[@]}" | sort -u | paste -sd '|')
	left "\\<(__|devm_)?(k|kv|kz|v)free\w*\(([^()]*, *)?($names)[,)]|\\<(kmem_cache|mempool)_free\(.*\\<($names)\)" \
		"it frees its structure otherwise than the patch knows"
	for file in "${copies[@]}"; do
		line=$(code "$file" | awk '
			index($0, "wait_event_interruptible(") { text = ""; at = NR }
			at { text = text $0; if (/;/) { if (text !~ /_pulled\(/) print at; at = 0 } }' | head -n 1)
		[[ -z $line ]] || reasons+=("$(line_before "${file#"$tmp"/}" "$line"): it sleeps where the patch does not see it")
		# Its table stands behind that of its file operations.
		table=$(grep -nE '^static const struct unplug_driver ' "$file" | head -n 1 | cut -d: -f1) || true
		line=$(grep -nE '_unplug_alloc\(.*;' "$file" | head -n 1 | cut -d: -f1) || true
		[[ -z $line || ( -n $table && $line -gt $table ) ]] ||
			reasons+=("$(line_before "${file#"$tmp"/}" "$line"): it allocates its structure above its table of file operations, or in another file")
	done
}

# What no way leads to any more, from a label that nobody goes to, behind a return, to the next
# one: how a device_create() that failed was unwound
drop_dead()
{
	local file

	for file in "${copies[@]}"; do
		awk '
			FNR == NR {
				rest = $0
				while (match(rest, /[A-Za-z_0-9]+/)) {
					used[substr(rest, RSTART, RLENGTH)]++
					rest = substr(rest, RSTART + RLENGTH)
				}
				next
			}
			/^[ \t]*[A-Za-z_0-9]+[ \t]*:/ || /^[ \t]*case[ \t].*:/ {
				dead = after && /^[A-Za-z_0-9]+:$/ && !/^default:/ &&
					used[substr($0, 1, length - 1)] == 1
			}
			/^}/ { dead = 0 }
			!dead || /^#/ { print }
			/[^ \t]/ { after = dead || /^\t(return|goto)[ ;].*;?$/ }
		' "$file" "$file" >"$tmp/alive"
		cat "$tmp/alive" >"$file"
	done
}

# Labels nobody goes to any more: gcc would warn
drop_labels()
{
	local file label

	for file in "${copies[@]}"; do
		while read -r label; do
			[[ $label != default && $(grep -cw -- "$label" "$file") = 1 ]] || continue
			sed -i "/^$label:\$/d" "$file"
		done < <(sed -nE 's/^(\w+):$/\1/p' "$file" | sort | uniq -u)
	done
}

polish()
{
	sed -i -E '/\<unplug_dev_register\(/s/"%s", ("[^"%]*"\))/\1/
		s,^(static bool \w+_pulled\(),/* Nobody gets in any more: who sleeps inside has to leave. */\n\1,' "${copies[@]}"
	[[ ! $populates ]] || sed -i -E \
		'/^static const struct unplug_driver /,/^};/s/^(\t\.fops = .*)/\1\n\t.populates = true,/' "${copies[@]}"
	drop_labels
}

copy()
{
	local file

	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	mkdir "$tmp/before"
	copies=()
	for file in "${files[@]}"; do
		copies+=("$tmp/${file##*/}")
		cp "$file" "$tmp/"
		cp "$file" "$tmp/before/"
	done
}

# apply PATCH FILE…: to these copies
apply()
{
	local patch=$1
	shift

	# Some functions have more ways through them than anyone can follow.
	spatch --timeout 120 -D patch -D "embedded=$embedded" --very-quiet --in-place --sp-file "$here/$patch.cocci" \
		"$@" >"$tmp/log" 2>&1 || grep -qE '[Tt]imeout' "$tmp/log" ||
		{ say "spatch failed: $(tail -n 1 "$tmp/log")"; exit 2; }
	! grep -qE 'parse error|already tagged|exception|EXN|[Tt]imeout' "$tmp/log" ||
		reasons+=("$driver: the parts of $patch.cocci do not agree what to change: ${driver##*/} is too different from what they know")
}

transform()
{
	apply "$kind" "${copies[@]}"
	drop_dead
	apply device "${copies[@]}"
}

convert()
{
	local file note

	driver=${1-} files=()
	if [[ $# != 1 ]]; then
		echo "usage: convert/$kind FILE.c|FOLDER" >&2
		exit 2
	fi
	[[ -e $driver ]] || { say "no such file or folder"; exit 2; }
	if [[ -d $driver ]]; then
		mapfile -t files < <(find "$driver" -maxdepth 1 -name '*.[ch]' ! -name '*.mod.c' | sort)
	else
		files=("$driver")
	fi
	[[ ${#files[@]} -gt 0 ]] || { say "no C files there"; exit 2; }
	command -v spatch >/dev/null || { say "spatch is missing: apt-get install -y coccinelle"; exit 2; }

	for file in "${files[@]}"; do
		bare[$file]=$(code "$file")
	done
	! has '\<unplug_(dev|drm)_\w+\(' || { say "left alone: $where: it is converted already"; exit 1; }
	look_before
	look_at_frees
	look_at_mmap
	refuse_or_go_on
	copy
	look_closely
	refuse_or_go_on
	transform
	refuse_or_go_on
	look_after
	refuse_or_go_on
	polish
	for file in "${files[@]}"; do
		cat "$tmp/${file##*/}" >"$file"
	done
	say "converted; to build it against the installed core, its Kbuild begins with 'include /usr/src/unplug/include/unplug.mk' (\"Build it\" in doc/porting-a-driver.md)"
	for note in "${notes[@]}"; do
		say "to be looked at: $note"
	done
}
