FROM scratch
COPY --from=busybox /bin/busybox /bin/busybox
RUN ["/bin/busybox", "true"]
RUN ["/bin/busybox", "mkdir", "/made"]
