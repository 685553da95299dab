FROM busybox
RUN echo "shell $0" > /one && echo two > /two; false || true
RUN set -e; \
    echo continued \
    # a comment inside
    > /three
