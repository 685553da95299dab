FROM busybox
RUN mkdir -m 0700 /mine && chown 1:33 /mine
WORKDIR /mine/below
