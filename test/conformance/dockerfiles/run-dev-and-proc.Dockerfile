FROM busybox
RUN ls /dev | grep -v -E '^(core|console)$' | sort > /devices; readlink /proc/self/cwd > /cwd; stat -c %a /dev/shm /dev/null >> /devices
