# fails
FROM busybox
COPY nosuch /there
