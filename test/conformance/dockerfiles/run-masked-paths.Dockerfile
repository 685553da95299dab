FROM busybox
RUN (cat /proc/kcore || echo masked) 2>/dev/null | head -c 10 > /kcore; (echo 1 > /proc/sys/kernel/sysrq || true) 2>/dev/null; ls /proc/acpi /sys/firmware 2>/dev/null | wc -l > /firmware
