# SPDX-License-Identifier: GPL-2.0-or-later
#
# What functions of a driver that was converted reach by those they call. For all its files at
# once, as code.awk leaves them. Prints, by line:
#
#	refuse REASON	what would make the bus wait for users
#	look REASON	what somebody should look at
#
# MAPS: it maps memory of the card's, so what helpers draw into is that.
#
# It knows calls by name only: nothing that goes by a pointer, or into another module. Which of two
# static functions of one name is called it does not know either: it takes them for one.

function is_io(name)
{
	return name ~ /^(__raw_)?(read|write)[bwlq](_relaxed|_be)?$/ || \
		name ~ /^io(read|write)(8|16|32|64)/ || name ~ /^(in|out)s?[bwl](_p)?$/ || \
		name ~ /^(memcpy_(to|from)io|memset_io)$/ || \
		name ~ /^iosys_map_(memcpy_to|memcpy_from|memset|wr|rd)/ || \
		name ~ /^usb_(control_msg|bulk_msg|interrupt_msg|submit_urb|sg_wait|set_interface|clear_halt)/ || \
		name ~ /^regmap_(read|write|update|set|clear|bulk|raw|noinc|multi|field)/ || \
		name ~ /^(i2c_(transfer|master|smbus)|spi_(sync|write|read|async))/ || \
		name ~ /^(virtqueue_(add|kick|notify|get_buf)|vmbus_sendpacket|pci_(read|write)_config_)/ || \
		(maps && name ~ /^drm_fb_(memcpy|swab|blit|xrgb8888_to|memset)/)
}

# For a user, for another card, or for work that may wait for these
function is_wait(name)
{
	if (name ~ /_timeout(_|$)/ && name !~ /^dma_/)
		return 0
	return waits_for_work(name) || takes_locks(name) || \
		name ~ /^(wait_event|wait_for_completion|wait_on_bit|wait_var_event|mutex_lock_interruptible)/ || \
		name ~ /^(drm_gem_fb|dma_buf)_begin_cpu_access/ || name ~ /^(drm_gem(_fb)?|dma_buf)_vmap/ || \
		name ~ /^(dma_resv_(wait|lock)|dma_fence_wait|drm_gem_lock_reservations)/
}

function waits_for_work(name)
{
	return name ~ /^(flush_(delayed_|scheduled_)?work(queue)?|drain_workqueue|cancel_(delayed_)?work_sync)$/ || \
		name ~ /^kthread_(stop|flush|cancel)/
}

# A function of DRM's that takes modeset locks
function takes_locks(name)
{
	return name ~ /^drm_(modeset_(acquire_init|lock|lock_all)|atomic_commit)$/ || \
		name ~ /^drm_(kms_helper_hotplug_event|helper_hpd_irq_event)$/ || switches_off(name)
}

function switches_off(name)
{
	return name ~ /^drm_(atomic_helper_(shutdown|disable_all)|helper_force_disable_all)$/
}

# What may enter sections from then on
function is_start(name)
{
	return name ~ /^(devm_|pci_)?request_(threaded_|any_context_)?irq$/ || \
		name ~ /^(schedule|queue|mod)_(delayed_)?work(_on)?$/ || \
		name ~ /^((mod|add)_timer|hrtimer_start|kthread_run|enable_irq|tasklet_schedule)/ || \
		name ~ /^(drm_kms_helper_poll_init|drm_irq_install|virtio_find_vqs|virtio_device_ready|usb_submit_urb)/
}

# Fields of what DRM calls when a card is switched off, in what follows too
function is_off(field)
{
	return field ~ /^(atomic_)?(post_)?disable$/ || field ~ /^(unprepare|dpms|disable_vblank|update|cleanup_fb)$/ || \
		field ~ /^atomic_(begin|flush|update|commit|commit_tail)$/
}

function indent(line)
{
	match(line, /^\t*/)
	return RLENGTH
}

function begin(name)
{
	f = name
	if (!(f in calls)) {
		calls[f] = 0
		functions[++n_functions] = f
	}
	section = refused = open = 0
	whole = ""
}

# Is what follows this line in a hardware section?
function track(line)
{
	if (line ~ /[^A-Za-z_0-9]unplug_drm_hw_enter\(/) {
		section = 1
		base = indent(line) + (line !~ /!unplug_drm_hw_enter/)
		refused = line ~ /!unplug_drm_hw_enter.*\{ *$/
		sections++
	} else if (refused && indent(line) == base && line ~ /^\t*\}/) {
		refused = 0
	} else if (line ~ /[^A-Za-z_0-9]unplug_drm_hw_exit\(/ && indent(line) <= base) {
		section = 0
	}
}

function statement(line, at,    rest, name, n)
{
	rest = line
	while (match(rest, /[A-Za-z_][A-Za-z_0-9]* *\(/)) {
		name = substr(rest, RSTART, RLENGTH - 1)
		rest = substr(rest, RSTART + RLENGTH)
		sub(/ *$/, "", name)
		n = ++calls[f]
		callee[f, n] = name
		where[f, n] = FILENAME ":" at
		inside[f, n] = section && !refused
		if (name ~ /^devm_add_action/ && split(rest, part, ","))
			ends(part[2])
	}
	track(line)
}

# What ->remove calls, or is
function ends(name)
{
	gsub(/[^A-Za-z_0-9]/, "", name)
	removes[name] = 1
}

# A whole statement's line: calls may go on in the next
function body(line)
{
	if (whole == "") {
		whole = line
		at = FNR
	} else {
		sub(/^[ \t]+/, " ", line)
		whole = whole line
	}
	open += gsub(/\(/, "(", line) - gsub(/\)/, ")", line)
	if (open <= 0) {
		statement(whole, at)
		whole = ""
		open = 0
	}
}

function fields(line,    rest, field, name)
{
	rest = line
	while (match(rest, /\.[a-z_]+[ \t]*=[ \t]*&?[A-Za-z_][A-Za-z_0-9]*/)) {
		field = name = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		sub(/^\./, "", field)
		sub(/[ \t=].*/, "", field)
		sub(/.*[ \t=&]/, "", name)
		if (is_off(field))
			offs[name] = field
		if (field ~ /^(remove|remove_new|disconnect|unbind)$/)
			ends(name)
	}
	if (line ~ /^module_exit\(/)
		ends(substr(line, 13))
}

function name_of(text)
{
	if (!match(text, /[A-Za-z_][A-Za-z_0-9]* *\(/))
		return ""
	text = substr(text, RSTART, RLENGTH - 1)
	sub(/ *$/, "", text)
	return text
}

FNR == 1 { f = head = ""; macro = 0 }

macro { macro = /\\$/; body($0); if (!macro) f = ""; next }

!f && /^#[ \t]*define[ \t]+[A-Za-z_0-9]+\(/ {
	sub(/^#[ \t]*define[ \t]+/, "")
	begin(name_of($0))
	macro = /\\$/
	sub(/^[A-Za-z_0-9]+\([^)]*\)/, "")
	body($0)
	if (!macro)
		f = ""
	next
}

/^#/ { next }

f && /^\}/ { f = head = ""; next }

f { body($0); next }

# A function that is one line
/^[A-Za-z].*\) *\{.*\}$/ {
	begin(name_of($0))
	sub(/^[^{]*/, "")
	body($0)
	f = head = ""
	next
}

/^\{/ || /^[A-Za-z \t].*\) *\{$/ {
	name = name_of(head $0)
	if (name)
		begin(name)
	next
}

{
	fields($0)
	head = /[;}]$|^$/ ? "" : head $0 " "
}

# spread(FOUND, WHAT): whoever calls one that does, does; outside of sections only, if so
function spread(found, outside,    changed, i, n, g, name)
{
	do {
		changed = 0
		for (i = 1; i <= n_functions; i++) {
			g = functions[i]
			for (n = 1; n <= calls[g] && !(g in found); n++) {
				name = callee[g, n]
				if ((name in found) && (name in calls) && !(outside && inside[g, n])) {
					found[g] = found[name]
					changed = 1
				}
			}
		}
	} while (changed)
}

function how(g, n)
{
	return callee[g, n] "() in " g "() (" where[g, n] ")"
}

function look(text)
{
	if (!(text in said))
		print "look " text
	said[text] = 1
}

function find_all(    i, n, g, name)
{
	for (i = 1; i <= n_functions; i++) {
		g = functions[i]
		for (n = calls[g]; n; n--) {
			name = callee[g, n]
			if (name in calls)
				continue
			if (is_io(name) && !inside[g, n])
				io[g] = how(g, n)
			if (is_start(name))
				starts[g] = how(g, n)
			if (switches_off(name))
				off[g] = how(g, n)
			if (name == "unplug_drm_register")
				registers[g] = name
			if (name == "unplug_drm_unplug")
				ends(g)
		}
	}
	spread(io, 1)
	spread(starts, 0)
	spread(off, 0)
	spread(registers, 0)
}

# look_for_waits(G, ALL): in its sections, for anything; or in ALL of it, for work
function look_for_waits(g, all,    n)
{
	split("", seen)
	for (n = 1; n <= calls[g]; n++)
		if (all || inside[g, n])
			look_into(g, n, all, (all ? "what switches off waits for work" : \
						     "a hardware section waits without a limit") ": " g "(), by ")
}

function look_into(g, n, all, what,    i, name)
{
	name = callee[g, n]
	if (!(name in calls)) {
		if (all ? waits_for_work(name) : is_wait(name))
			look(what how(g, n))
	} else if (!(name in seen)) {
		seen[name] = 1
		for (i = 1; i <= calls[name]; i++)
			look_into(name, i, all, what)
	}
}

# Sections that are entered before it is registered are not counted.
function look_before_register(g,    n, name)
{
	for (n = 1; n <= calls[g]; n++) {
		name = callee[g, n]
		if (name == "unplug_drm_register" || name in registers)
			return
		if (name in calls && name in starts)
			look("it runs before it is registered, when sections are not counted: " starts[name])
		else if (!(name in calls) && is_start(name))
			look("it runs before it is registered, when sections are not counted: " how(g, n))
	}
}

END {
	find_all()
	for (g in removes)
		if (g in off)
			print "refuse ->remove would wait for users in " off[g] \
				": call drm_atomic_helper_shutdown() where drm_dev_unplug() is called, behind it"
	for (i = 1; i <= n_functions; i++) {
		g = functions[i]
		if (g in offs && g in io)
			look("it switches off in no hardware section: " g "(), by " io[g])
		if (g in offs)
			look_for_waits(g, 1)
		look_for_waits(g, 0)
		if (sections && g in registers)
			look_before_register(g)
	}
}
