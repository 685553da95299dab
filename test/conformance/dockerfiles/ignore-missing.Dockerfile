# fails
FROM busybox
COPY data /data
