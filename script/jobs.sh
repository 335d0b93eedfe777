# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Jobs side by side: functions or commands, each in a shell of its own. What they print comes
# out as if one had run after the other, in the order they were added; that of the first one
# that is not over, as it comes. To be sourced after common.sh; who does calls jobs_end() at
# its own end, whatever the reason.

jobs_list=()
declare -A jobs_pid=()

# jobs_add COMMAND…
jobs_add()
{
	jobs_list+=("${*@Q}")
}

# jobs_slots MB: how many at a time: one for each processor, if there is so much memory for each;
# or JOBS, from the environment
jobs_slots()
{
	local mb=$1 n=${JOBS:-$(nproc)} fit

	[[ $n =~ ^[1-9][0-9]?$ ]] || die "JOBS=$n: a number from 1 to 99"
	fit=$(awk -v mb="$mb" '/^MemAvailable:/ { print int($2 / 1024 / mb) }' /proc/meminfo)
	[[ ${JOBS-} || $fit -ge $n ]] || n=$((fit > 1 ? fit : 1))
	echo "$n"
}

# Each line with the job's number and where it was printed to. As long as a line is written at
# once, and no longer than a pipe takes at once, it arrives whole.
job_mark()
{
	local LC_ALL=C line

	while IFS= read -r line || [[ $line ]]; do
		printf '%s %s\n' "$1" "${line:0:4000}"
	done
}

# job_run NUMBER COMMAND: what it does with errors is what its script does.
job_run()
{
	local k=$1 command=$2 on_error status

	on_error=$(trap -p ERR)
	trap - ERR
	set +e -o pipefail
	exec 4>&1
	{
		(
			eval "$on_error"
			set -e
			eval "$command"
		) 2>&1 >&3 3>&- 4>&- | job_mark "$k err" >&4 3>&-
	} 3>&1 | job_mark "$k out"
	status=$?
	echo "$k end $status"
}

# A process group of its own, so that all of it can be ended.
job_start()
{
	set -m
	job_run "$1" "${jobs_list[$1]}" </dev/null 1>&"$jobs_events" &
	set +m
	jobs_pid[$1]=$!
}

# End those that still run.
jobs_end()
{
	local pid

	for pid in "${jobs_pid[@]}"; do
		kill -- "-$pid" 2>/dev/null || true
	done
	jobs_pid=()
}

# job_show PRINT LINE: "out TEXT" or "err TEXT"
job_show()
{
	if [[ $2 = out* ]]; then
		"$1" "${2#* }"
	else
		printf '%s\n' "${2#* }" >&2
	fi
}

# jobs_wait PRINT SLOTS: see jobs_run(); $held are lines of jobs whose turn has not come. Sets
# $jobs_status: a shell below an || would not end at an error, nor would the jobs it starts.
jobs_wait()
{
	local print=$1 slots=$2 started=0 head=0 k line held=() ended=()

	while ((head < ${#jobs_list[@]})); do
		while ((started < ${#jobs_list[@]} && ${#jobs_pid[@]} < slots)); do
			job_start $((started++))
		done
		IFS= read -r -u "$jobs_events" line
		k=${line%% *} line=${line#* }
		if [[ $line != end* ]]; then
			[[ $k = "$head" ]] && job_show "$print" "$line" || held[k]+=$line$'\n'
			continue
		fi
		unset "jobs_pid[$k]"
		ended[k]=${line#* }
		# One that could not do its work: nothing can be said of the whole.
		[[ ${ended[k]} = 0 ]] || head=$k
		while [[ ${ended[head]-} ]]; do
			jobs_show_held "$print" "${held[head]-}"
			jobs_status=${ended[head]}
			[[ $jobs_status = 0 ]] || return 0
			head=$((head + 1))
			jobs_show_held "$print" "${held[head]-}"
			unset "held[$head]"
		done
	done
}

jobs_show_held()
{
	local line

	[[ ! $2 ]] || while IFS= read -r line; do
		job_show "$1" "$line"
	done <<<"${2%$'\n'}"
}

# jobs_run PRINT MB: run what was added, each of which takes so much memory. PRINT is a function
# that gets their lines of stdout, one by one. If one ends with another status than 0, the rest
# is ended, and with that status so is the script.
jobs_run()
{
	local fifo slots jobs_events jobs_status=0

	slots=$(jobs_slots "$2") || exit
	fifo=$(mktemp -u)
	mkfifo "$fifo"
	exec {jobs_events}<>"$fifo"
	rm "$fifo"
	jobs_wait "$1" "$slots"
	jobs_end
	jobs_list=()
	exec {jobs_events}>&-
	[[ $jobs_status = 0 ]] || exit "$jobs_status"
}
