# options: --secret id=token,src=secret.txt
FROM busybox
RUN --mount=type=secret,id=token,target=/etc/token,mode=0440,uid=1,gid=33 stat -c '%a %u %g' /etc/token > /look
RUN test ! -s /etc/token
RUN rm -f /etc/token
