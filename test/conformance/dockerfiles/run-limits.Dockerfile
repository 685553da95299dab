# options: --ulimit nofile=1000:2000
FROM busybox
RUN ulimit -n > /soft; ulimit -Hn > /hard
