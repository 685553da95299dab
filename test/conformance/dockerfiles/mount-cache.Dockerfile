FROM busybox
RUN --mount=type=cache,target=/cache,id=peer-shared echo one > /cache/kept
RUN --mount=type=cache,target=/elsewhere,id=peer-shared cat /elsewhere/kept > /out
