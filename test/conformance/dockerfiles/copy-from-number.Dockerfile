FROM busybox
RUN echo zero > /which
FROM busybox
RUN echo one > /which
FROM scratch
COPY --from=0 /which /zero
COPY --from=1 which one
