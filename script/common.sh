# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Shared by the scripts of this repository: where things are, one way to fail,
# one lock per clone. To be sourced; the sourcing script has set -eu.

# An ordinary user's PATH lacks these: depmod, modprobe
PATH=$PATH:/usr/sbin:/sbin

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$top/build

# The kernel everything runs on: a series, whose packages of Debian's are unpacked to $linux,
# or a kernel made from that series (6.1-kasan, by script/debug-kernel). Modules for it are built in $linux.
KERNEL=${KERNEL:-6.1}
# shellcheck disable=SC2034 # for who sources this
series=${KERNEL%%-*}
linux=$build/linux-$KERNEL
sysroot=$linux/root
# Memory of the machine's that a virtual one takes
# shellcheck disable=SC2034 # for who sources this
GUEST_MB=1400

say()
{
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}

# Set-up errors and usage errors end with 2; 1 is kept for "it ran and failed".
die()
{
	say "$*"
	exit 2
}

# Kbuild, QEMU's option lists and make itself split on these characters, each in
# its own way; one refusal is better than three half-working quotings.
path_check()
{
	local safe='^[A-Za-z0-9/._+@~-]+$'

	[[ $top =~ $safe ]] ||
		die "the path of this clone is '$top': move it to one made of letters, digits and / . _ + @ ~ - only (kernel builds cannot handle spaces)"
}

# may_write PATH: or end with what to do; what is not there yet is up to its folder
may_write()
{
	local path=$1

	while [[ ! -e $path ]]; do
		path=$(dirname "$path")
	done
	[[ -w $path ]] ||
		die "cannot write to $path, which is $(stat -c %U "$path")'s: be that user, or work in a clone of your own (git clone $top)"
}

# Who writes to build/ holds this, so that two makes in one clone wait for each
# other. The lock goes with the process; a killed one leaves none behind.
lock_build()
{
	may_write "$build" && may_write "$build/.lock"
	mkdir -p "$build"
	exec {lock_fd}>"$build/.lock"
	if ! flock -w 2 "$lock_fd"; then
		say "waiting for another make in $top"
		flock "$lock_fd"
	fi
}

unlock_build()
{
	exec {lock_fd}>&-
}

# Print the release (uname -r) of the unpacked kernel; fail before setup.
kernel_release()
{
	cat "$linux/release" 2>/dev/null
}

kernel_headers()
{
	printf '%s/usr/src/linux-headers-%s\n' "$sysroot" "$(kernel_release)"
}

# Are the tools and the compiler of the unpacked kernel's headers not this Debian's? Then
# script/setup has unpacked a root to run them in.
kernel_is_foreign()
{
	[[ -x $sysroot/usr/bin/make ]]
}

# kernel_has TOOL: can the kernel's build call it?
kernel_has()
{
	if kernel_is_foreign; then
		[[ -x $sysroot/usr/bin/$1 ]]
	else
		command -v "$1" >/dev/null
	fi
}

# kernel_make ARGUMENTS…: make for the unpacked kernel; if need be in its root, where the
# clone has its usual path. That takes no root's rights, but namespaces of users.
kernel_make()
{
	local user=(--map-root-user)

	if ! kernel_is_foreign; then
		make "$@"
		return
	fi
	[[ $(id -u) != 0 ]] || user=()
	unshare "${user[@]}" --mount true ||
		die "the compiler of Linux $KERNEL wants a namespace of its own, which is not to be had here"
	mkdir -p "$sysroot$top"
	# shellcheck disable=SC2016 # the inner shell's
	unshare "${user[@]}" --mount bash -ec '
		root=$1 top=$2
		shift 2
		for folder in /dev /proc "$top"; do
			mount --rbind "$folder" "$root$folder"
		done
		exec chroot "$root" make "$@"' - "$sysroot" "$top" "$@"
}

# link_sources FOLDER: a farm of links to the files of the clone that stdin names; made
# anew each time, so that files that were removed or renamed vanish from the build, and
# edits are seen without copying. Objects lie beside the links and stay: make compares
# with the files linked to.
link_sources()
{
	local src=$1 file

	mkdir -p "$src"
	find "$src" -type l -delete
	while read -r file; do
		mkdir -p "$src/$(dirname "$file")"
		ln -s "$top/$file" "$src/$file"
	done
}

# The version, which dkms.conf alone names
unplug_version()
{
	sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$top/dkms.conf"
}
