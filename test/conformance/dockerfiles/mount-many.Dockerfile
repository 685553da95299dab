# options: --secret id=token,src=secret.txt
FROM busybox AS tools
RUN echo tool > /tool
FROM busybox
WORKDIR /work
RUN --mount=type=bind,from=tools,source=/tool,target=/t \
    --mount=type=cache,target=cache,id=peer-many \
    --mount=type=tmpfs,target=/fast \
    --mount=type=secret,id=token,target=/s \
    cat /t > out && touch cache/x /fast/y && test -s /s && ls > list
