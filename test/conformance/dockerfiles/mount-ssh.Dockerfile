# options: --ssh default=id_key
FROM busybox
RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && stat -c '%a %u %g' "$SSH_AUTH_SOCK" > /look
RUN test -z "$SSH_AUTH_SOCK"
