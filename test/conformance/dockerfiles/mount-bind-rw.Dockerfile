FROM busybox
RUN --mount=type=bind,target=/src,rw touch /src/new && ls /src/new > /seen
RUN --mount=type=bind,target=/src ls /src | grep -c '^new$' > /later || true
