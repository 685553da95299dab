FROM busybox
WORKDIR /a
WORKDIR b/../c
WORKDIR "with space"
ENV DIR=d
WORKDIR ${DIR}/e
RUN pwd > /pwd
