# SPDX-License-Identifier: GPL-2.0-only
#
# For modules that use unplug. Their topmost Kbuild file has the line
#
#	include /usr/src/unplug/include/unplug.mk
#
# which lets the compiler find the headers, and modpost the symbols (Module.symvers) of
# the unplug that is installed for the kernel they are built for, by DKMS or by
# `make modules_install`. Where these two lie is said here and nowhere else.

unplug-dir := $(patsubst %/include/,%,$(dir $(realpath $(lastword $(MAKEFILE_LIST)))))
# Empty, or where a DESTDIR was
unplug-root := $(patsubst %/usr/src/$(notdir $(unplug-dir)),%,$(unplug-dir))
unplug-symvers := $(wildcard \
	$(unplug-root)/var/lib/dkms/unplug/kernel-$(KERNELRELEASE)-$(shell uname -m)/Module.symvers \
	$(unplug-root)/lib/modules/$(KERNELRELEASE)/updates/unplug/Module.symvers)

# Not for make clean, which reads no configuration
ifdef CONFIG_MODULES
ifeq ($(words $(unplug-symvers)),0)
$(error unplug is not installed for Linux $(KERNELRELEASE) in $(or $(unplug-root),/): no Module.symvers of DKMS or of make modules_install)
endif
ifneq ($(words $(unplug-symvers)),1)
$(error unplug is installed twice, remove one: $(unplug-symvers))
endif
endif

subdir-ccflags-y += -I$(unplug-dir)/include
KBUILD_EXTRA_SYMBOLS += $(unplug-symvers)
