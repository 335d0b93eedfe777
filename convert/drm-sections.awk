# SPDX-License-Identifier: GPL-2.0-or-later
#
# What spatch cannot say of a driver that was converted: is each section that of one device, to its
# end? Prints what is wrong, with the line, and exits with 1. What goes on in functions that are called is
# drm-calls.awk's.

function refuse(reason)
{
	print reason " (" FILENAME ":" FNR ")"
	failed = 1
	exit 1
}

# A call of one of DRM's that takes modeset locks
function locks(line)
{
	return line ~ /[^a-z_](drm_modeset_(acquire_init|lock|lock_all)|drm_atomic_commit|drm_kms_helper_hotplug_event|drm_helper_hpd_irq_event)\(/
}

/^\{/ {
	drm = root = moved = polled = unplugged = ""
	hw = 0
}

/[^a-z_]unplug_drm_(hw_)?enter\(/ {
	drm = $0
	sub(/.*unplug_drm_(hw_)?enter\(/, "", drm)
	sub(/, &.*/, "", drm)
	root = drm
	gsub(/^[^A-Za-z_]*/, "", root)
	sub(/[^A-Za-z_0-9].*/, "", root)
	hw = hw || /unplug_drm_hw_enter/
	next
}

drm && ($0 ~ "(^|[^A-Za-z_0-9>.])" root " *=[^=]" || $0 ~ "_put\\(" root "\\)") {
	moved = FNR
}

/[^a-z_]unplug_drm_(hw_)?exit\(/ && moved {
	refuse("what names the device of a section changes, or goes, before its end")
}

hw && locks($0) {
	refuse("a section takes modeset locks, which users hold, in a way that is not known here")
}

/[^a-z_]drm_kms_helper_poll_fini\(/ {
	polled = 1
}

/[^a-z_]unplug_drm_unplug\(/ && polled {
	refuse("it waits for the worker that polls, and so for users, before it unplugs: call drm_kms_helper_poll_fini() after that")
}

/[^a-z_]unplug_drm_unplug\(/ {
	unplugged = 1
}

/[^a-z_]drm_atomic_helper_shutdown\(/ && unplugged {
	refuse("it switches off after it unplugs, which waits for users, in a way that is not known here")
}

END {
	exit failed
}
