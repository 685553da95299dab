# fails
FROM busybox
RUN ["/no/such/command"]
