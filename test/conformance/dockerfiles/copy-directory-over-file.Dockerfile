# fails
FROM busybox
RUN touch /there
COPY data /there
