FROM busybox
SHELL ["/bin/sh", "-ec"]
RUN echo $- | grep -q e && echo yes > /flags
RUN echo done > /done
CMD echo hello
