# fails
FROM busybox
RUN --mount=type=secret,id=absent,required true
