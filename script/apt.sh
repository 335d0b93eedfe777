# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Installing Debian packages, the only thing done as root. To be sourced after
# common.sh; the sourcing script has set -eu.

APT=(apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2)

# What is still to be installed: filled by packages_find
missing=()

# packages_find PACKAGE…: which of them are missing?
packages_find()
{
	local p

	missing=()
	for p in "$@"; do
		# "installed" must be the last word: removed packages with
		# configuration files are known to dpkg as well.
		[[ $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null) = *" installed" ]] ||
			missing+=("$p")
	done
}

# as_root COMMAND…: exits 2 with the command to run when we cannot become root
as_root()
{
	local sudo=(sudo)

	if [[ $(id -u) = 0 ]]; then
		"$@"
		return
	fi
	[[ -t 0 && -t 2 ]] || sudo=(sudo -n)
	if ! command -v sudo >/dev/null || ! "${sudo[@]}" true 2>/dev/null >&2; then
		need_command
	fi
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive "$@"
}

# What a human with root has to type; the end of every failure to install
need_command()
{
	say "cannot do it from here; as root, with network, run:"
	if [[ ${#missing[@]} -gt 0 ]]; then
		echo "    apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
	else
		echo "    apt-get update" >&2
	fi
	say "then run the same command again"
	exit 2
}

updated=no
update_lists()
{
	[[ $updated = no ]] || return 0
	updated=yes
	as_root "${APT[@]}" update ||
		say "warning: apt-get update reports errors (see above); trying with what there is"
}

# Installs what packages_find found missing, or exits 2 with the remedy.
packages_install()
{
	local all=("${missing[@]}")

	export DEBIAN_FRONTEND=noninteractive
	update_lists
	as_root "${APT[@]}" install -y --no-install-recommends "${missing[@]}" || {
		say "apt-get could not install: ${missing[*]}"
		need_command
	}
	packages_find "${all[@]}"
	[[ ${#missing[@]} = 0 ]] || need_command
}

# packages_need PACKAGE…: installs what is missing of them, and says so
packages_need()
{
	packages_find "$@"
	[[ ${#missing[@]} -gt 0 ]] || return 0
	say "installing packages (apt-get, as root): ${missing[*]}"
	packages_install >&2
}

# The series of the distribution itself: what most people run, and what everything is
# tested on first. Another one (KERNEL=6.12 in the environment) comes from its backports,
# or, from 7 on, from sid.
SERIES=6.1

# The suite the packages of Linux $series come from; empty: what the machine has
kernel_suite()
{
	case $series in
	"$SERIES") ;;
	6.*) echo bookworm-backports ;;
	*) echo sid ;;
	esac
}

# Options for apt-get and apt-cache where packages of Linux $series are concerned
KERNEL_APT=()

# Fills them. Other suites have lists of their own in build/apt: the machine's stay as they
# are, and no root is needed. The mirror is the one its own sources name.
kernel_lists()
{
	local suite folder mirror

	suite=$(kernel_suite)
	# As root apt drops to a user of its own, who cannot write to the clone.
	[[ $(id -u) != 0 ]] || KERNEL_APT=(-o APT::Sandbox::User=root)
	[[ $suite ]] || return 0
	mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
		sed -n 's/^bookworm //p' | head -n 1)
	[[ $mirror ]] || die "apt's sources name no mirror of bookworm: no Linux $series from $suite"
	folder=$build/apt/$suite
	mkdir -p "$folder"/{lists,cache/archives}/partial
	echo "deb $mirror $suite main" >"$folder/sources.list"
	KERNEL_APT+=(-o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::State::Lists="$folder/lists" -o Dir::Cache="$folder/cache")
	# What the machine has is no part of a root of sid.
	[[ $suite != sid ]] || KERNEL_APT+=(-o Dir::State::status=/dev/null)
}

update_kernel_lists()
{
	if [[ $series = "$SERIES" ]]; then
		update_lists
	else
		"${APT[@]}" "${KERNEL_APT[@]}" update >&2 ||
			say "warning: apt-get update reports errors (see above); trying with what there is"
	fi
}
