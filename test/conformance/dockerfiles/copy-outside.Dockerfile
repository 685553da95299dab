# fails
FROM busybox
COPY ../outside /there
