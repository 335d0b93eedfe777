// SPDX-License-Identifier: GPL-2.0-only
//
// First half of convert/misc: a struct miscdevice in the driver's structure becomes a
// struct unplug_dev; what was in its fields becomes the driver's table, and the name it
// is registered by. device.cocci is the second half. What is not matched here stays
// as it is, and the wrapper refuses it.

virtual patch

@ card @
identifier S, M;
@@
 struct S {
 ...
-struct miscdevice M;
+struct unplug_dev unplug;
 ...
 };

// --- the table ---------------------------------------------------------------

@ table @
identifier card.M;
expression p;
identifier F;
@@
-p->M.fops = &F;

@ depends on table @
identifier table.F, card.S;
fresh identifier driver = S ## "_unplug";
@@
 struct file_operations F = { ... };
+
+static const struct unplug_driver driver = {
+	.owner = THIS_MODULE,
+	.name = KBUILD_MODNAME,
+	.fops = &F,
+};

@ mode @
identifier card.M;
expression p;
constant C;
@@
-p->M.mode = C;

@ depends on mode @
identifier D;
constant mode.C;
@@
 struct unplug_driver D = {
 ...,
+.mode = C,
 };

// --- from a file to the device: private_data is the miscdevice only in a misc driver ---

@ @
identifier card.S, card.M;
struct file *f;
@@
 container_of(
-f->private_data,
+unplug_dev_from_file(f),
 struct S,
-M
+unplug
 )

@ @
identifier card.S, card.M;
identifier m;
expression f;
@@
-struct miscdevice *m = f->private_data;
 <+...
 container_of(
-m,
+unplug_dev_from_file(f),
 struct S,
-M
+unplug
 )
 ...+>

// --- the name, and registering by it ----------------------------------------------

@ @
identifier card.M;
expression p, D, G;
expression list A;
statement E;
@@
-p->M.name = devm_kasprintf(D, G, A);
-if (!p->M.name) E
 ...
-misc_register(&p->M)
+unplug_dev_register(&p->unplug, A)

@ @
identifier card.M;
expression p;
constant N;
@@
-p->M.name = N;
 ...
-misc_register(&p->M)
+unplug_dev_register(&p->unplug, "%s", N)

@ @
identifier card.M;
expression p, q;
identifier N;
@@
-p->M.name = q->N;
 ...
-misc_register(&p->M)
+unplug_dev_register(&p->unplug, "%s", q->N)

@ @
identifier card.M;
expression p, E;
@@
(
-p->M.minor = MISC_DYNAMIC_MINOR;
|
-p->M.parent = E;
)

@ @
identifier card.M;
expression p;
@@
-misc_deregister(&p->M);
+unplug_dev_unplug(&p->unplug);

@ @
@@
-#include <linux/miscdevice.h>
+#include <unplug/device.h>
