// SPDX-License-Identifier: GPL-2.0-only
/* The operations of both kinds, once they are inside; see textbook.h */

#include <linux/errno.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include "compat.h"
#include "textbook.h"
#include "uapi.h"

int textbook_init(struct textbook *card, const struct textbook_kind *kind,
		  unsigned int number)
{
	snprintf(card->name, sizeof(card->name), "%s%u", kind->name, number);
	card->kind = kind;
	card->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return card->page ? 0 : -ENOMEM;
}

/* Nobody maps the page any more: mappings have no reference of it. */
void textbook_deinit(struct textbook *card)
{
	__free_page(card->page);
	card->page = NULL;
}

static long textbook_nest(struct textbook *card, int fd, u64 value,
			  u64 __user *to)
{
	struct textbook_visit visit;
	struct textbook *other;
	struct file *file;
	long err = -ENODEV;

	file = fget(fd);
	if (!file)
		return -EBADF;
	other = card->kind->find(file);
	if (!other) {
		err = -EINVAL;
	} else if (card->kind->enter(other, &visit, "nested")) {
		err = put_user(value, to);
		card->kind->leave(other, &visit);
	}
	fput(file);
	return err;
}

/**
 * textbook_ioctl() - TEXTBOOK_IOC_COPY and TEXTBOOK_IOC_NEST
 * @card: the device, entered
 * @cmd: the command
 * @arg: address of a struct textbook_call
 *
 * Context: Process. May sleep, for the owner of the memory too.
 * Return: 0; -EFAULT; -EINVAL or -EBADF for a file to nest in that is none;
 *	   -ENODEV if that device is away; -ENOTTY.
 */
long textbook_ioctl(struct textbook *card, unsigned int cmd, unsigned long arg)
{
	struct textbook_call call;
	u64 __user *to;
	u64 value;

	if (cmd != TEXTBOOK_IOC_COPY && cmd != TEXTBOOK_IOC_NEST)
		return -ENOTTY;
	if (copy_from_user(&call, (void __user *)arg, sizeof(call)))
		return -EFAULT;
	if (call.pad)
		return -EINVAL;
	if (get_user(value, (u64 __user *)u64_to_user_ptr(call.from)))
		return -EFAULT;
	to = u64_to_user_ptr(call.to);
	if (cmd == TEXTBOOK_IOC_NEST)
		return textbook_nest(card, call.fd, value, to);
	return put_user(value, to);
}

/**
 * textbook_mmap() - map the device's page, when it is touched
 * @card: the device, entered
 * @vma: the mapping to be
 * @ops: of the kind
 *
 * Context: Process, mmap_lock held for writing.
 * Return: 0; -EINVAL unless it is one page, the first one, shared.
 */
int textbook_mmap(struct textbook *card, struct vm_area_struct *vma,
		  const struct vm_operations_struct *ops)
{
	if (vma->vm_pgoff || vma_pages(vma) != 1 ||
	    is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = card;
	vma->vm_ops = ops;
	return 0;
}

vm_fault_t textbook_fault(struct textbook *card, struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(card->page));
}
