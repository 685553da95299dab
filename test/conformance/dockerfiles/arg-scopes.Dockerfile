# options: --build-arg TAG=latest --build-arg INNER=outer
ARG TAG=wrong
ARG GLOBAL=global
FROM busybox:${TAG} AS one
RUN echo "[$GLOBAL]" > /before
ARG GLOBAL
ARG INNER=inner
RUN echo "[$GLOBAL][$INNER]" > /after
FROM one AS two
RUN echo "[$GLOBAL][$INNER]" > /child
FROM busybox
COPY --from=two /before /after /child /
RUN echo "[$GLOBAL][$INNER]" > /fresh
