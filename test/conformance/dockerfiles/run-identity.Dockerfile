FROM busybox
RUN id -u > /root-id; echo $HOME > /root-home
USER daemon
RUN id -u > /tmp/daemon-id; id -g >> /tmp/daemon-id; echo $HOME > /tmp/daemon-home
USER 1234
RUN id -u > /tmp/number-id; id -g >> /tmp/number-id; echo $HOME > /tmp/number-home
USER 1234:4321
RUN id -u > /tmp/pair-id; id -g >> /tmp/pair-id
USER daemon:www-data
RUN id -u > /tmp/names-id; id -g >> /tmp/names-id
