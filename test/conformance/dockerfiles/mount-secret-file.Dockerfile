# options: --secret id=token,src=secret.txt
FROM busybox
RUN --mount=type=secret,id=token sha256sum < /run/secrets/token > /sum; stat -c '%a %u %g' /run/secrets/token > /look
RUN test ! -s /run/secrets/token
