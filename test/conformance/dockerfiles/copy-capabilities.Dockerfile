FROM capable AS source
FROM busybox
COPY --from=capable /bin/capable /bin/
COPY --from=source /bin /b
