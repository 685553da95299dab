FROM scratch
COPY --from=busybox /etc/group /etc/passwd /copied/
COPY --from=busybox /tmp /tmp
COPY --from=busybox /root /root
