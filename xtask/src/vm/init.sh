#!/bin/sh
# The guest's first process: the machine's whole root read-only over 9p, /run writable, then the script that the kernel
# command line names. Arguments come as vm.NAME=VALUE.
export PATH=/sbin:/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev

argument() { sed -n "s/.*vm\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

for module in /modules/*.ko; do insmod "$module"; done
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose machine /host || echo "guest: no root over 9p"

# The kernel runs /sbin/modprobe of this root, so the modules have to be where that looks for them.
mkdir -p /lib/modules
ln -s "/host$(argument modules)" "/lib/modules/$(uname -r)"
# A guest of another architecture than the machine's has a root of its own within the machine's. It is mounted where it is:
# what makes namespaces wants a root that is a mount.
root=/host$(argument root)
[ "$root" = /host ] || { mount -o bind "$root" "$root" && mount -o bind /host "$root/machine"; }
for folder in proc sys dev; do mount -o bind "/$folder" "$root/$folder"; done
mount -t tmpfs none "$root/run"
for module in $(argument load | sed 's/,/ /g'); do
    modprobe "$module" || echo "guest: cannot load $module"
done

chroot "$root" /bin/bash "$(argument script)"
code=$?
echo "guest: exit status $code"

# Where there is a debug port, it makes the emulator leave with (value << 1) | 1. 16 is added so that none of the
# emulator's own codes can pass for the script's.
[ $code -gt 111 ] && code=111
printf "\\$(printf %03o $((code + 16)))" | dd of=/dev/port bs=1 seek=244 2>/dev/null
poweroff -f
