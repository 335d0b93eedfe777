/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events for trace-cmd, perf and bpftrace, in /sys/kernel/tracing/events/unplug.
 *
 * Of each device that is unplugged, in this order: unplug_revoked (its mappings), unplug_shut,
 * unplug_drained, unplug_gone. doc/operating.md shows how to use them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM unplug

#if !defined(_UNPLUG_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _UNPLUG_TRACE_H

#include <linux/tracepoint.h>
#include <unplug/device.h>
#include "compat.h"

TRACE_EVENT(unplug_registered,
	    TP_PROTO(const struct unplug_dev *dev),
	    TP_ARGS(dev),
	    TP_STRUCT__entry(__string(name, unplug_dev_name(dev))
			     __field(u64, generation)
			     __field(unsigned int, minor)),
	    TP_fast_assign(unplug_assign_str(name, unplug_dev_name(dev));
			   __entry->generation = dev->generation;
			   __entry->minor = dev->minor;),
	    TP_printk("%s#%llu minor=%u", __get_str(name), __entry->generation,
		      __entry->minor));

/* Who came too late, for which operation */
TRACE_EVENT(unplug_refused,
	    TP_PROTO(const struct unplug_dev *dev, const char *op),
	    TP_ARGS(dev, op),
	    TP_STRUCT__entry(__string(name, unplug_dev_name(dev))
			     __string(op, op)
			     __field(u64, generation)),
	    TP_fast_assign(unplug_assign_str(name, unplug_dev_name(dev));
			   unplug_assign_str(op, op);
			   __entry->generation = dev->generation;),
	    TP_printk("%s#%llu op=%s", __get_str(name), __entry->generation,
		      __get_str(op)));

/* @us: since the call of unplug; @inside: operations that have not ended */
DECLARE_EVENT_CLASS(unplug_step,
		    TP_PROTO(const struct unplug_dev *dev, s64 us, unsigned int inside),
		    TP_ARGS(dev, us, inside),
		    TP_STRUCT__entry(__string(name, unplug_dev_name(dev))
				     __field(u64, generation)
				     __field(s64, us)
				     __field(unsigned int, inside)),
		    TP_fast_assign(unplug_assign_str(name, unplug_dev_name(dev));
				   __entry->generation = dev->generation;
				   __entry->us = us;
				   __entry->inside = inside;),
		    TP_printk("%s#%llu us=%lld inside=%u", __get_str(name),
			      __entry->generation, __entry->us, __entry->inside));

#define UNPLUG_STEP(step)						\
DEFINE_EVENT(unplug_step, unplug_##step,				\
	TP_PROTO(const struct unplug_dev *dev, s64 us, unsigned int inside), \
	TP_ARGS(dev, us, inside))

UNPLUG_STEP(revoked);
UNPLUG_STEP(shut);
UNPLUG_STEP(drained);
UNPLUG_STEP(gone);

/* An unplug takes longer than stall_ms: @what it waits for, "sections", "drain" or "releases" */
TRACE_EVENT(unplug_stall,
	    TP_PROTO(const struct unplug_dev *dev, const char *what, s64 us,
		     unsigned int inside),
	    TP_ARGS(dev, what, us, inside),
	    TP_STRUCT__entry(__string(name, unplug_dev_name(dev))
			     __string(what, what)
			     __field(u64, generation)
			     __field(s64, us)
			     __field(unsigned int, inside)),
	    TP_fast_assign(unplug_assign_str(name, unplug_dev_name(dev));
			   unplug_assign_str(what, what);
			   __entry->generation = dev->generation;
			   __entry->us = us;
			   __entry->inside = inside;),
	    TP_printk("%s#%llu what=%s us=%lld inside=%u", __get_str(name),
		      __entry->generation, __get_str(what), __entry->us,
		      __entry->inside));

#endif /* _UNPLUG_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
