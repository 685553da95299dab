FROM busybox
RUN --mount=target=/src cp /src/app.py /copied && (touch /src/new 2>/dev/null && echo writable || echo readonly) > /how
RUN --mount=type=bind,source=data,target=/d ls -A /d | sort > /list
