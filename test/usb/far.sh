# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Another machine, for who runs in the guest: a network namespace, linked to this one by a pair
# of veth, in which adapters are served by TCP. The kernel's usbip tools import them. To be
# sourced in the top folder of the clone.
#
#	far_machine; far_serve --adapters 2 --first 11
#	far_attach 11			# now it is a card of this machine's
#	far_lose; far_detach 11		# its network is cut, the administrator gives it up
#
# Of a pull by the network the kernel hears when the connection ends, and not before: at once if the
# far program dies; if nothing comes back any more, when TCP gives up: README.md.

FAR=192.0.2.2
far_socket=/run/far.sock

far_machine()
{
	modprobe -a veth sch_netem &&
		ip netns add far &&
		ip link add near type veth peer name far netns far &&
		ip address add 192.0.2.1/30 dev near &&
		ip -n far address add $FAR/30 dev far &&
		ip link set near up && ip -n far link set far up
}

# far_serve OPTION…: be the adapters over there
far_serve()
{
	ip netns exec far build/usb/displaylink --serve --socket $far_socket --background "$@" \
		>>/out/far-events
}

# far COMMAND…: for the adapters over there
far()
{
	build/usb/displaylink ctl --socket $far_socket "$@"
}

# far_listed: how many usbip finds
far_listed()
{
	usbip list -r $FAR 2>/dev/null | grep -c ' 1-[0-9]*: '
}

# far_record ADAPTER: the file of usbip's that says where it is
far_record()
{
	grep -ls " 1-$1\$" /run/vhci_hcd/port*
}

# far_attach ADAPTER: import it
far_attach()
{
	# A card that went by itself leaves one behind.
	rm -f "$(far_record "$1")"
	usbip attach -r $FAR -b "1-$1"
}

# far_detach ADAPTER: what an administrator does about a machine that does not answer
far_detach()
{
	local port

	port=$(far_record "$1")
	usbip detach -p "${port##*port}"
}

# The three cuts. It dies; somebody pulls the cable; all packets are lost.
far_die()
{
	local pid

	for pid in $(ip netns pids far); do
		kill -9 "$pid"
	done
}

far_link()
{
	ip -n far link set far "$1"
}

# Both ways, or what was sent before would still be answered
far_lose()
{
	tc qdisc add dev near root netem loss 100% &&
		ip netns exec far tc qdisc add dev far root netem loss 100%
}

far_find()
{
	tc qdisc del dev near root netem
	ip netns exec far tc qdisc del dev far root netem
}

# far_retries: how often TCP has sent the oldest bytes to the far machine again, or asked after
# it, without an answer: the kernel's own count, of the connection that tries hardest
far_retries()
{
	local remote state retries probes max=0

	while read -r _ _ remote state _ _ retries _ probes _; do
		# The port in hexadecimal; established
		[[ $remote = *:0CA8 && $state = 01 ]] || continue
		((probes += 16#$retries))
		((probes <= max)) || max=$probes
	done </proc/net/tcp
	echo $max
}

# far_keepalive: in how many seconds the kernel will ask whether the far machine is there,
# if nothing else is under way
far_keepalive()
{
	local remote state timer seconds=none

	while read -r _ _ remote state _ timer _; do
		# Timer 2, in hundredths of a second
		[[ $remote = *:0CA8 && $state = 01 && $timer = 02:* ]] || continue
		seconds=$((16#${timer#*:} / 100))
	done </proc/net/tcp
	echo $seconds
}
