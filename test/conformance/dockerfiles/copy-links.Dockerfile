FROM busybox
COPY links /links
COPY links/rel /followed
COPY links/dir /dir-followed
COPY links/rel /into/
