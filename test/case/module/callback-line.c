// SPDX-License-Identifier: GPL-2.0-only
/* An interrupt line with no hardware behind it: raised from a real hard interrupt. */

#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_work.h>
#include <linux/irqdesc.h>
#include "callback-line.h"

static int line;

static void line_interrupt(struct irq_work *work)
{
	generic_handle_irq(line);
}

static DEFINE_IRQ_WORK(line_work, line_interrupt);

int line_new(void)
{
	line = irq_alloc_desc(NUMA_NO_NODE);
	if (line > 0)
		irq_set_chip_and_handler(line, &dummy_irq_chip, handle_simple_irq);
	return line;
}

void line_free(void)
{
	irq_work_sync(&line_work);
	irq_free_desc(line);
}

void line_raise(void)
{
	irq_work_queue(&line_work);
	irq_work_sync(&line_work);
}

bool line_in_use(void)
{
	return irq_has_action(line);
}
