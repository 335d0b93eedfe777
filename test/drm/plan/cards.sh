# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The cards of the scenes plan-*, whatever driver they are of: sourced in the guest. Which
# driver, and how its cards come and go, is a line of the file forms.
#
#	cards_start N		loads all that is needed, plugs cards 1 to N
#	card_plug N		another time
#	card_name N		card0
#	card_pull N		begins to pull it
#	card_pulled N		until that has been done
#	card_unbind N		the driver is taken off a card that is well
#	card_dark N		is its screen dark? "dark" or "lit"
#	card_again N		which card comes after N was pulled, while N has users
#	card_renew N		it comes back when nobody has anything of it any more
#	cards_end		the last of a scene: all is pulled, and unloads
#
# Of the ways to do it, adapters (test/usb) are 1 to 4, modules and cards of QEMU's 1 and 2.

driver=${UNPLUG_DRM_DRIVER:-udl}
IFS='|' read -r _ modules plugged pulled _ < <(grep "^$driver " test/drm/plan/forms)
read -ra modules <<<"$modules"
read -r plugged <<<"$plugged"
read -r pulled <<<"$pulled"

# other_start: a second kind of card, which nobody pulls: vgem, as Debian has it
other_start()
{
	modprobe vgem || exit 1
	other=/dev/dri/$(vkms_card vgem)
}

other_end()
{
	rmmod vgem
}

# node_gone CARD: until it has none
node_gone()
{
	local end=$((SECONDS + UNPLUG_TIMEOUT))

	while [[ -e /dev/dri/$1 ]]; do
		((SECONDS < end)) || return 1
	done
}

# policy NAME: what users of cards that come from now on find in mappings
policy()
{
	! gated || echo "$1" >/sys/module/unplug_drm/parameters/mmap_policy
}

cards_start()
{
	local n

	cards=0 pulls=0
	fbdev off 0
	"start_$plugged"
	for ((n = 1; n <= $1; n++)); do
		card_plug $n
	done
}

card_plug()
{
	"plug_$plugged" "$1" && cards=$((cards + 1))
}

card_name()
{
	"name_$plugged" "$1"
}

card_pull()
{
	"pull_$pulled" "$1"
}

card_pulled()
{
	"pulled_$pulled" "$1"
	pulls=$((pulls + 1))
}

card_unbind()
{
	"unbind_$plugged" "$1"
	pulls=$((pulls + 1))
}

card_dark()
{
	"dark_$plugged" "$1"
}

card_again()
{
	"again_$plugged" "$1"
}

card_renew()
{
	"renew_$plugged" "$1"
}

cards_end()
{
	"end_$plugged"
}

# Are cards of this kind unbound from their driver?
cards_unbind()
{
	[[ $plugged != module ]]
}

# adapter: emulated ones, on USB

start_adapter()
{
	start_adapters --adapters 4 --unplugged
}

plug_adapter()
{
	plug "$1"
}

name_adapter()
{
	field "$1" card
}

pull_vanish()
{
	dl vanish "$1" >/dev/null
}

pulled_vanish()
{
	done_by "$1" gone "$(field "$1" plugs)"
}

unbind_adapter()
{
	basename "$(readlink -f "/sys/class/drm/$(field "$1" card)/device")" \
		>/sys/bus/usb/drivers/udl/unbind
}

# Nothing tells that something will not come: what has come when the unbind returned counts.
dark_adapter()
{
	[[ $(field "$1" offs) != 0 ]] && echo dark || echo lit
}

again_adapter()
{
	echo "$1"
}

renew_adapter()
{
	card_plug "$1"
}

end_adapter()
{
	udl_unload "$cards"
}

# module: vkms, a module a card; the test's module unplugs it. Who asks for that
# has it open, and is not its master.

MODULES=(- vkms vkms2)

start_module()
{
	modules_load drm_kms_helper "${modules[@]}"
	loaded=()
}

plug_module()
{
	drivers_load "${MODULES[$1]}"
	[[ " ${loaded[*]} " = *" ${MODULES[$1]} "* ]] || loaded+=("${MODULES[$1]}")
	hand_on "puller$1" "$(name_module "$1")" drop-master
}

name_module()
{
	vkms_card "${MODULES[$1]}"
}

pull_unplug()
{
	tell "puller$1" start unplug >/dev/null
}

pulled_unplug()
{
	tell "puller$1" go >/dev/null
	hand_end "puller$1"
	unset "hand_pid[puller$1]"
}

# Its module makes one card.
again_module()
{
	echo $((3 - $1))
}

renew_module()
{
	rmmod "${MODULES[$1]}" && plug_module "$1"
}

end_module()
{
	local n

	for n in 1 2; do
		[[ ! -v hand_pid[puller$n] ]] || hand_end "puller$n"
		unset "hand_pid[puller$n]"
	done
	mark=$scene_mark
	! gated || [[ $pulls = 0 ]] || log_wait '' 'gone after' "$pulls"
	modules_unload "${loaded[@]}"
}

# pci: QEMU's, on PCI, at its slots 4 and 5. Their driver is told which to take.

pci_of()
{
	echo "/sys/bus/pci/devices/0000:00:0$((3 + $1)).0"
}

start_pci()
{
	modules_load drm_kms_helper "${modules[@]}"
	echo 0 >/sys/bus/pci/drivers_autoprobe
	insmod "$UNPLUG_DRM/$form/$driver/$driver.ko" || exit 1
}

plug_pci()
{
	local device

	device=$(pci_of "$1")
	[[ -e $device ]] || echo 1 >/sys/bus/pci/rescan
	basename "$device" >/sys/bus/pci/drivers_probe
}

name_pci()
{
	basename "$(echo "$(pci_of "$1")"/drm/card*)"
}

pull_remove()
{
	echo 1 >"$(pci_of "$1")/remove" &
	remover=$!
}

pulled_remove()
{
	wait "$remover"
}

unbind_pci()
{
	basename "$(pci_of "$1")" >"$(pci_of "$1")/driver/unbind"
}

# Its driver has it enabled, and the kernel is told (run) to show its registers none the less.
dark_pci()
{
	[[ -e $(pci_of "$1")/driver ]] || echo 1 >"$(pci_of "$1")/enable"
	tell user vga-screen "$(pci_of "$1")/resource2"
}

again_pci()
{
	echo "$1"
}

renew_pci()
{
	card_plug "$1"
}

end_pci()
{
	mark=$scene_mark
	! gated || [[ $pulls = 0 ]] || log_wait '' 'gone after' "$pulls"
	modules_unload "$driver"
	echo 1 >/sys/bus/pci/rescan
	echo 1 >/sys/bus/pci/drivers_autoprobe
}
