FROM busybox
ENV WHERE=/data
VOLUME $WHERE /logs
VOLUME ["/json one", "/two"]
RUN mkdir -p /data && touch /data/after-volume
